"""What a process runs before it is killed: a whole instance, as its operator runs it."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import insert, select, update

from commensal.base.clock import ManualClock, SystemClock
from commensal.enterprises.plugins import enable_plugin
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance, open_instance
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.export import export, import_instance
from commensal.parts.backups.restore import restore
from commensal.parts.serving.serving import serve
from commensal.parts.serving.work import work_of
from commensal.parts.setup.begin import begin_instance
from commensal.people.actor import ROLES
from commensal.people.people import NewPerson, add_person
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.storage.jobs import periodic
from commensal.storage.jobs.tables import job
from commensal.testing.placed import a_lot, a_shop, an_item

PLUGINS = ("till", "cash", "pickup")
SOLD = {"apples": "1000000", "honey": "3"}  # the stock of each: honey runs out
_LIMITS = """
[limits]
reads = 1000000
writes = 1000000
logins = 1000000
webhooks = 1000000
"""
_DAYS_AT_LEAST, _DAYS_AT_MOST = 15, 60
_TICK = 0.05  # seconds: a life is short, and no job may wait two seconds in it


class Later(SystemClock):
    """The machine's clock plus some minutes. Each life is later than the last, so claims of dead workers run out."""

    def __init__(self, minutes: float) -> None:
        self._by = timedelta(minutes=minutes)

    def now(self) -> datetime:
        return super().now() + self._by


def open_shop(folder: str, days: int = 2000, database: str = "") -> None:
    """Makes the instance of a shop that sells for so many days; shop.json has what its clients must know."""
    home = Path(folder)
    begin_instance(home, name="Crash", language="en", plugins=PLUGINS, database=database)
    file = home / "instance.toml"
    file.write_text(file.read_text() + _LIMITS)
    with open_instance(home) as instance, instance.store.write() as tx:
        a_shop(tx)
        for table in (coordination, sale_session):
            tx.execute(update(table).values(closes_at=tx.now + timedelta(days=days)))
        begins_at = tx.now + timedelta(days=days + 1)
        tx.execute(update(sale_session).values(begins_at=begins_at, ends_at=begins_at + timedelta(hours=2)))
        for plugin in PLUGINS:
            enable_plugin(tx, instance.hooks, "shop", plugin, {})
        items = {name: an_item(tx, a_lot(tx, name=name, on_hand=on_hand), name=name) for name, on_hand in SOLD.items()}
        new_owner = NewPerson(email="olga@example.org", name="Olga", phone="", language="en", password_hash="")
        owner = add_person(tx, new_owner, confirmed=True)
        assert owner is not None
        tx.execute(
            insert(enterprise_member).values(enterprise_id="shop", person_id=owner.id, role="owner", since=tx.now)
        )
        token = make_token(tx, owner.id, name="test", scopes=ROLES["owner"], enterprise_id="shop").secret
    (home / "shop.json").write_text(json.dumps({"items": items, "token": token}))


def serve_shop(folder: str, later: float, jobs: bool = True) -> None:
    """Serves as ``commensal serve`` does, with its worker."""
    vars(periodic)["SECONDS"] = _TICK
    with open_instance(Path(folder), clock=Later(later)) as instance:
        serve(instance, port=0, jobs=jobs, started=lambda url: _say(url))


def _say(url: str) -> None:
    os.write(1, json.dumps({"url": url}).encode() + b"\n")


def drain(folder: str, later: float) -> None:
    """Does every job that is left: each day another request to a provider is due, and in two weeks none. A mailbox
    takes a limited number of e-mails a day, so many orders of one customer take longer.
    """
    clock = ManualClock(Later(later).now())
    with open_instance(Path(folder), clock=clock) as instance:
        for day in range(_DAYS_AT_MOST):
            periodic.tick(instance, work_of(instance))
            if day >= _DAYS_AT_LEAST and not _has_work(instance):
                return
            clock.advance(hours=25)


def _has_work(instance: Instance) -> bool:
    with instance.store.read() as tx:
        return tx.value(select(job.c.id).where(job.c.state.in_(("waiting", "running"))).limit(1)) is not None


def export_shop(folder: str, file: str) -> None:
    export(Path(folder), Path(file), clock=SystemClock())


def back_up_shop(folder: str, to: str, later: float, keep: int = 14) -> None:
    back_up(Path(folder), Path(to), keep=keep, clock=Later(later))


def restore_shop(file: str, folder: str) -> None:
    restore(Path(file), Path(folder), clock=SystemClock())


def import_shop(file: str, folder: str) -> None:
    import_instance(Path(file), Path(folder), clock=SystemClock())
