"""A village with two unrelated enterprises.

A test says by the marker `databases` where it runs, and else runs on SQLite. On PostgreSQL, where it is `long`, runs
what statements select or write: who asks with an enterprise or orders of their own gets past the checks of rights, to
statements that must leave out what is another's. The other askers are refused before, by the same rows of rights; and
guards of answers, links, cookies, costs, files and secrets are about what the code does around its statements. There
these tests would tell nothing new, and they took a quarter of the time of all that is `long`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from commensal.base.clock import ManualClock
from commensal.base.entry_points import plugin_entry_points
from commensal.enterprises.grants import grant
from commensal.enterprises.tables import enterprise
from commensal.instance.instance import DATABASE
from commensal.parts.serving.app import make_app
from commensal.people.actor import GRANTS
from commensal.people.people import NewPerson, add_person
from commensal.people.sessions import begin_session
from commensal.storage.database import Store
from commensal.testing.instances import NOON, Instances, Plan, RunJobs, client_of
from commensal.testing.shop import open_shop

from .settled import Settled, mark, settle
from .trespass import Asker, Village


def _cookie(secret: str) -> dict[str, str]:
    return {"Cookie": f"session={secret}"}


@contextmanager
def open_village(instances: Instances, folder: Path, database_url: str = "") -> Iterator[Village]:
    """The victim is made first and alone, so that every mark is the victim's."""
    clock = ManualClock(NOON)
    with (
        instances.open(
            folder / "village", Plan(plugins=tuple(plugin_entry_points())), clock=clock, database_url=database_url
        ) as instance,
        client_of(make_app(instance)) as client,
    ):
        victim = settle(instance, client, clock, "alpha")
        mark(instance.store)
        other_enterprise = settle(instance, client, clock, "beta")
        platform = open_shop(instance, client, RunJobs(instance, clock), Plan(), "gamma")
        with instance.store.write() as tx:
            for scope in GRANTS:
                grant(tx, other_enterprise.id, platform.id, scope)
        askers = {
            "anonymous": Asker(name="anonymous"),
            "owner": Asker(
                name="owner of another", headers=_cookie(other_enterprise.owner_session), settled=other_enterprise
            ),
            "token": Asker(
                name="token of another",
                headers={"Authorization": f"Bearer {other_enterprise.token}"},
                settled=other_enterprise,
                by_token=True,
            ),
            "platform": Asker(
                name="platform with every grant of another",
                headers={"Authorization": f"Bearer {platform.token}"},
                by_own_token=True,
            ),
            "shopper": Asker(name="shopper of another", headers=_cookie(other_enterprise.shopper_session)),
            "operator": Asker(name="operator", headers=_cookie(_operator(instance.store)), operates=True),
        }
        yield Village(
            instance=instance, clock=clock, client=client, victim=victim, other=other_enterprise, askers=askers
        )


def _operator(store: Store) -> str:
    new_operator = NewPerson(email="operator@example.org", name="Olga", phone="", language="en", password_hash="")
    with store.write() as tx:
        person = add_person(tx, new_operator, confirmed=True, is_operator=True)
        assert person is not None
        return begin_session(tx, person).secret


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "databases(*kinds): the databases of the test's village")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "new_url" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("databases")
        kinds = [_kind(kind) for kind in (marker.args if marker else ("sqlite",))]
        metafunc.parametrize("new_url", kinds, indirect=True, scope="module")


def _kind(kind: str) -> Any:
    return pytest.param(kind, marks=[pytest.mark.long] if kind == "postgresql" else [])


@pytest.fixture(scope="module")
def new_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Returns a function that makes a database of each kind and returns its URL; "": a file in the village's folder."""
    if request.param == "sqlite":
        return str
    make: Callable[[], str] = request.getfixturevalue("new_postgresql_of_module")
    return make


@pytest.fixture(scope="module")
def village(
    commensal_instances: Instances, tmp_path_factory: pytest.TempPathFactory, new_url: Callable[[], str]
) -> Iterator[Village]:
    """Both enterprises sell to the public."""
    with open_village(commensal_instances, tmp_path_factory.mktemp("village"), new_url()) as village:
        yield village


@pytest.fixture(scope="module")
def put_back(village: Village) -> Iterator[Callable[[], None]]:
    """Returns a function that undoes all changes to the village's database since now; SQLite only."""
    with closing(sqlite3.connect(":memory:", check_same_thread=False)) as copy:
        with closing(sqlite3.connect(village.instance.folder / DATABASE)) as database:
            database.backup(copy)

        def restore() -> None:
            with closing(sqlite3.connect(village.instance.folder / DATABASE)) as database:
                copy.backup(database)

        yield restore


@pytest.fixture(scope="module")
def hidden_village(
    commensal_instances: Instances, tmp_path_factory: pytest.TempPathFactory, new_url: Callable[[], str]
) -> Iterator[Village]:
    """The victim is hidden: nothing of it is for others, not even its name."""
    with open_village(commensal_instances, tmp_path_factory.mktemp("hidden"), new_url()) as village:
        with village.instance.store.write() as tx:
            tx.execute(update(enterprise).where(enterprise.c.id == village.victim.id).values(visibility="hidden"))
        village.hidden = True
        yield village


__all__ = ["Settled"]
