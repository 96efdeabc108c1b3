"""Regions that are made once in a process and copied for each test: keys and handshakes cost more than most tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType

from sqlalchemy import make_url

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import LimitSettings
from commensal.parts.serving.work import work_of
from commensal.storage.database import Store
from commensal.storage.jobs.run import run_due
from commensal_federation.identity import begin_identity
from commensal_federation.testing import Region, region_of
from commensal_federation.transport import Answer, Request

DATABASE = "commensal.db"


@dataclass(frozen=True)
class Recipe:
    """What a region is made of: names of instances, ids of plugins, pairs of peers ("ab"), and the time (UTC)."""

    names: tuple[str, ...]
    plugins: tuple[str, ...]
    friends: tuple[str, ...]
    now: datetime
    postgresql: bool


@dataclass(frozen=True)
class Template:
    """The closed instances of a region: their folders under `folder`, their databases on PostgreSQL, the ids that they
    would make next, and what their wires carried."""

    folder: Path
    databases: Mapping[str, str]
    ids: Mapping[str, SeededIds]
    passed: Sequence[tuple[str, Request, Answer]]


def make_template(recipe: Recipe, folder: Path, new_database: Callable[[Path], str]) -> Template:
    """Makes the region in `folder`. `new_database` makes a database for the instance of a folder; see `open_instance`
    for what it returns."""
    clock, ids = ManualClock(recipe.now), {name: SeededIds(name) for name in recipe.names}
    instances = {}
    databases = {}
    for name in recipe.names:
        (folder / name).mkdir()
        url = new_database(folder / name)
        databases[name] = make_url(url).database or "" if url else ""
        instances[name] = open_instance(folder / name, url, recipe.plugins, clock, ids[name])
    region = join(instances)
    for pair in recipe.friends:
        region.befriend(pair[0], pair[1])
    for instance in instances.values():
        instance.close()
    return Template(folder, databases, ids, tuple(region.wires.passed))


def copy_region(
    template: Template, folder: Path, clock: ManualClock, plugins: tuple[str, ...], copy_database: Callable[[str], str]
) -> tuple[dict[str, Instance], Region]:
    """Opens a copy of each instance in `folder`. `copy_database` copies one of PostgreSQL, and returns its URL."""
    instances = {}
    for name, ids in template.ids.items():
        shutil.copytree(template.folder / name, folder / name)
        url = copy_database(template.databases[name]) if template.databases[name] else ""
        instances[name] = open_instance(folder / name, url, plugins, clock, _at_the_same_place(ids, name))
    region = join(instances)
    region.wires.passed.extend(template.passed)
    return instances, region


def open_instance(
    folder: Path,
    url: str,
    plugins: tuple[str, ...],
    clock: ManualClock,
    ids: SeededIds,
    modules: Mapping[str, ModuleType] | None = None,
) -> Instance:
    """`url` may be "": the database is a file of SQLite in the folder, whose name is the name of the instance."""
    settings = InstanceSettings(
        name=f"Instance {folder.name.upper()}",
        base_url=f"https://{folder.name}.example",
        language="en",
        limits=LimitSettings(reads=100_000, writes=100_000, logins=100_000),
        plugins={"enabled": list(plugins)},
    )
    store = Store(url or f"sqlite:///{folder / DATABASE}", clock=clock, ids=ids)
    return Instance(folder, settings, store, load_plugins(settings, clock=clock, modules=modules), clock, ids)


def join(instances: Mapping[str, Instance]) -> Region:
    """The region of these instances. Each has keys afterwards."""
    works = {id(instance): work_of(instance) for instance in instances.values()}
    region = region_of(instances.items(), lambda instance: run_due(instance, works[id(instance)]))
    for federation in region.members.values():
        begin_identity(federation)
    return region


def _at_the_same_place(ids: SeededIds, seed: str) -> SeededIds:
    """Ids that continue where `ids` stopped."""
    copied = SeededIds(seed)
    copied._random.setstate(ids._random.getstate())
    copied._sequence._milliseconds, copied._sequence._noise = ids._sequence._milliseconds, ids._sequence._noise
    return copied
