"""What the hooks that are new in a version cost an order: processor time with them and without, in turns.

    python -m tests.benchmarks.plugin_hooks [VERSION [ROUNDS]]

Both instances have all bundled plugins, switched on, in one process. The first has them as they are, and beside them
one that implements every hook that is new in VERSION (0.2); in the second, none of these hooks is implemented. An order
is placed as the API does it, from the begin of its transaction to the commit. The median of the ratios of neighbouring
rounds counts.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType

from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.plugins import enable_plugin, offered_plugins
from commensal.hooks.loading import all_hooks
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.testing.instances import Instances, Plan
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal.testing.probe import Probe

from .machine import machine

ORDERS = 50  # of a round
BESIDE = "probe"  # the plugin that implements all new hooks


@dataclass
class Side:
    """An instance with a shop, and the processor seconds of an order in each round."""

    instance: Instance
    items: dict[str, int]
    seconds: list[float] = field(default_factory=list)

    def take_orders(self, first: int) -> None:
        gc.collect()
        begins = time.process_time()
        for number in range(first, first + ORDERS):
            wish = Wish(items=self.items, name="Ada", email=f"ada.{number}@example.org")
            with self.instance.store.write() as tx:
                place_order(tx, self.instance.hooks, "shop-session", wish)
        self.seconds.append((time.process_time() - begins) / ORDERS)


def main() -> None:
    version, rounds = [*sys.argv[1:], *("0.2", "24")[len(sys.argv) - 1 :]][:2]
    new = frozenset(name for name, hook in all_hooks().items() if hook.contract.since == version)
    bundled = {plugin: import_module(point.module) for plugin, point in plugin_entry_points().items()}
    print(machine("sqlalchemy"), flush=True)
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        instances = Instances(Path(folder))
        whole = {**bundled, BESIDE: _without(Probe(hook="", fault="").module(), frozenset(all_hooks()) - new)}
        bare = {plugin: _without(module, new) for plugin, module in whole.items()}
        ours, theirs = (_side(instances, Path(folder) / name, each) for name, each in (("ours", whole), ("bare", bare)))
        for number in range(int(rounds) + 2):
            for side in (ours, theirs) if number % 2 else (theirs, ours):
                side.take_orders(number * ORDERS)
        for side in (ours, theirs):
            side.instance.close()
    pairs = list(zip(ours.seconds, theirs.seconds, strict=True))[2:]  # not the first, in which all gets warm
    ratio = statistics.median(mine / its for mine, its in pairs)
    with_them, without = (statistics.median(seconds) * 1000 for seconds in zip(*pairs, strict=True))
    print(
        f"{len(new)} hooks of {version}: {with_them:.2f} ms an order with them, {without:.2f} ms without: {ratio:.3f}"
    )


def _side(instances: Instances, folder: Path, modules: Mapping[str, ModuleType]) -> Side:
    instance = instances.open(folder, Plan(plugins=tuple(modules), modules=modules))
    with instance.store.write() as tx:
        a_shop(tx)
        for plugin in offered_plugins(instance.hooks):
            enable_plugin(tx, instance.hooks, "shop", plugin, {})
        items = {an_item(tx, a_lot(tx, on_hand="10000000"), name=f"Produit {number}"): 1 for number in range(3)}
    return Side(instance, items)


def _without(module: ModuleType, names: Collection[str]) -> ModuleType:
    """The module without its implementations of these hooks."""
    rest = ModuleType(module.__name__)
    vars(rest).update({name: value for name, value in vars(module).items() if name not in names})
    return rest


if __name__ == "__main__":
    main()
