"""Defines a check for plugins, and the plugin under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from sqlalchemy import MetaData, select

from ...base.clock import ManualClock
from ...hooks import specifications
from ...hooks.contract import implementing_function
from ...hooks.loading import all_hooks
from ...hooks.values import DemoPlace
from ...instance import Instance
from ...parts.serving.app import make_app
from ...storage.database.migrate import tables_of
from ..instances import NOON, Instances, Plan, RunJobs, client_of
from ..shop import Shop, open_shop

Prepare = Callable[[Shop], object]


class Nonconforming(AssertionError):
    """The plugin breaks a contract. The message says what is wrong and what would be right."""


def demand(so: object, otherwise: str) -> None:
    """Raises `Nonconforming` with the text `otherwise` unless `so` is true."""
    __tracebackhide__ = True  # authors of plugins need the message, not the traceback
    if not so:
        raise Nonconforming(otherwise)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The plugin under test, with the settings and the preparation that its author has given."""

    plugin: str
    module: ModuleType
    plan: Plan
    prepare: Prepare | None = None
    instances: Instances = field(repr=False)
    folder: Path

    @property
    def hooks(self) -> frozenset[str]:
        """The names of the hooks that it implements."""
        return implemented_by(self.module)

    @property
    def source(self) -> Path:
        """The folder of its package, or its single file."""
        file = Path(self.module.__file__ or "")
        return file.parent if hasattr(self.module, "__path__") else file

    @contextmanager
    def instance(self, clock: ManualClock | None = None) -> Iterator[Instance]:
        """An instance with this plugin and no other."""
        with self.instances.open(self.folder, self.plan, clock=clock) as instance:
            yield instance

    @contextmanager
    def shop(self) -> Iterator[Shop]:
        """A shop where it is enabled and prepared. The invariants are checked after the block."""
        clock = ManualClock(NOON)
        with ExitStack() as stack:
            instance = stack.enter_context(self.instance(clock))
            client = stack.enter_context(client_of(make_app(instance)))
            shop = open_shop(instance, client, RunJobs(instance, clock), self.plan)
            if self.prepare is not None:
                self.prepare(shop)
            else:
                _demo_data(shop)
            yield shop
            shop.check()

    def kept(self, shop: Shop) -> Mapping[str, list[dict[str, object]]]:
        """All rows of its tables."""
        with shop.instance.store.read() as tx:
            names = tables_of(tx, self.plugin)
            reflected = MetaData()
            reflected.reflect(bind=tx.connection, only=names, resolve_fks=False)
            return {
                name: sorted(map(dict, tx.execute(select(reflected.tables[name])).mappings()), key=repr)
                for name in names
            }


def _demo_data(shop: Shop) -> None:
    """Lets the plugin write its demo data."""
    place = DemoPlace(instance=shop.instance, enterprise_id=shop.id, seed=1)
    with shop.instance.store.write() as tx:
        shop.instance.hooks.each(specifications.demo_data, tx=tx, place=place)


def implemented_by(module: ModuleType) -> frozenset[str]:
    """The names of the hooks that a module implements."""
    return frozenset(name for name in all_hooks() if implementing_function(module, name) is not None)


@dataclass(frozen=True)
class Check:
    """needs: the check applies to plugins that implement one of these hooks; empty: to all plugins"""

    run: Callable[[Subject], None]
    needs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.run.__name__

    def is_for(self, hooks: frozenset[str]) -> bool:
        return not self.needs or bool(hooks.intersection(self.needs))


def check(*needs: str) -> Callable[[Callable[[Subject], None]], Check]:
    """Declares a check for plugins that implement one of the hooks `needs`. The function's name says what must hold."""
    return lambda function: Check(function, needs)
