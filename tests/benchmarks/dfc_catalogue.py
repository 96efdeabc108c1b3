"""What reading a catalogue in DFC costs: ``python tests/benchmarks/dfc_catalogue.py [products]``.

One instance on SQLite; times are of the processor, for the whole request.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commensal.api.app import make_app
from commensal.catalogs.offers import set_price
from commensal.clock import ManualClock
from commensal.logs import configure_logs
from commensal.testing.client import client_of
from commensal.testing.goods import a_lot, an_item
from commensal.testing.instances import NOON, Instances, Plan
from commensal.testing.jobs import RunJobs
from commensal.testing.shop import Shop, open_shop

PRODUCTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
TIMES = 40


def main() -> None:
    configure_logs(level="error")
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        clock = ManualClock(NOON)
        instance = Instances(Path(folder)).open(Path(folder) / "one", Plan(plugins=("federation",)), clock=clock)
        with instance, client_of(make_app(instance)) as client:
            _measure(open_shop(instance, client, RunJobs(instance, clock), Plan()))


def _measure(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        for place in range(PRODUCTS - len(shop.items)):
            lot = a_lot(tx, shop.id, name=f"Lot {place}", on_hand="1000")
            an_item(tx, lot, shop.id, name=f"Product {place}", price=250 + place)
    bearer, path = {"Authorization": f"Bearer {shop.token}"}, "/api/dfc/enterprises/shop/catalog_items"

    def change(place: int) -> None:
        with shop.instance.store.write() as tx:
            set_price(tx, shop.id, shop.items["carrots"], 300 + place)

    def ask(**headers: str) -> Any:
        return shop.client.get(path, headers={**bearer, **headers})

    whole = ask()
    print(f"{PRODUCTS:,} products, {len(whole.content):,} bytes")
    _told("whole, changed before", ask, 200, before=change)
    _told("whole", ask, 200)
    tag = ask().headers["ETag"]
    _told("with its ETag", lambda: ask(**{"If-None-Match": tag}), 304)


def _told(what: str, ask: Callable[[], Any], status: int, *, before: Callable[[int], None] | None = None) -> None:
    spent = []
    for place in range(TIMES):
        if before is not None:
            before(place)
        begun = time.process_time()
        answer = ask()
        spent.append(time.process_time() - begun)
        assert answer.status_code == status
    spent.sort()
    print(f"| {what} | median {spent[TIMES // 2] * 1000:.1f} ms | p95 {spent[int(TIMES * 0.95)] * 1000:.1f} ms |")


if __name__ == "__main__":
    main()
