"""Places orders, one commit each, and prints how many: ``python -m tests.crash.place_orders FILE COUNT [NORMAL]``."""

from __future__ import annotations

import sys

from commensal.base.clock import SystemClock
from commensal.base.ids import RandomIds
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.storage.database import Store, engine


def place_orders(file: str, item: str, count: int) -> None:
    store = Store(f"sqlite:///{file}", clock=SystemClock(), ids=RandomIds())
    hooks = load_plugins(InstanceSettings(name="Test"), clock=SystemClock())
    for _ in range(count):
        with store.write() as tx:
            place_order(tx, hooks, "shop-session", Wish(items={item: 1}, name="Ada", email="ada@example.org"))
    store.close()


if __name__ == "__main__":
    if "NORMAL" in sys.argv:  # the planted bug: committed data may be lost in a power cut
        engine._PRAGMAS["synchronous"], engine._REQUIRED["synchronous"] = "NORMAL", (1,)
    place_orders(sys.argv[1], sys.argv[2], int(sys.argv[3]))
