"""The office: the page of those who run the instance."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.engine import Connection

from commensal.base.errors import Unavailable
from commensal.base.logs import configure_logs
from commensal.instance import InstanceSettings
from commensal.instance.settings import BackupSettings
from commensal.people.people import Person
from commensal.people.tables import person
from commensal.storage.jobs import enqueue
from commensal.storage.jobs.tables import job

from .conftest import Browser, Stall
from .test_office import a_member

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PAGE = "/office/instance"


@pytest.fixture
def settings(settings: InstanceSettings, tmp_path: Path) -> InstanceSettings:
    return InstanceSettings(
        name="Les Paniers",
        base_url=settings.base_url,
        language="en",
        limits=settings.limits,
        plugins={"enabled": ["shop", "office", "cash", "pickup"]},
        backups=BackupSettings(folder=str(tmp_path / "backups")),
    )


@pytest.fixture
def operator(browser: Browser, stall: Stall, ada: Person) -> Browser:
    with stall.instance.store.write() as tx:
        tx.execute(update(person).where(person.c.id == ada.id).values(is_operator=True))
    browser.log_in()
    return browser


def test_a_page_whose_database_is_gone_asks_once_for_its_menu(operator: Browser, stall: Stall) -> None:
    """Otherwise it fills the log until the database is back: a thousand lines a second."""
    log = io.StringIO()
    configure_logs(log, format="json")

    @event.listens_for(stall.instance.store.engine, "begin")
    def refuse(connection: Connection) -> None:
        raise Unavailable("The server is gone.")

    operator.go(PAGE)
    configure_logs()
    assert operator.status == 503
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [line["why"] for line in lines if line["event"] == "menu failed"] == ["The server is gone."]


@pytest.mark.parametrize("is_operator", [True, False])
def test_an_operator_of_one_enterprise_reaches_the_site_from_its_pages(
    browser: Browser, stall: Stall, is_operator: bool
) -> None:
    """Their first page is the week of that enterprise, without a choice."""
    email = a_member(stall, "owner")
    with stall.instance.store.write() as tx:
        tx.execute(update(person).where(person.c.email == email).values(is_operator=is_operator))
    browser.log_in(email)
    assert (PAGE in browser.go("/office").links()) == is_operator


def test_an_operator_reads_what_failed_and_tries_it_again(operator: Browser, stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        parked = enqueue(tx, "mail", {})
        values = {"state": "parked", "attempts": 8, "error": "ConnectionRefusedError: port 25"}
        tx.execute(update(job).where(job.c.id == parked).values(**values))
    assert PAGE in operator.go("/office?choose=1").links()
    operator.go(PAGE)
    assert "1 jobs are parked" in operator.page.text
    assert "ConnectionRefusedError: port 25" in operator.page.text
    operator.send("?then=retry", ("job", parked))
    assert "It is tried again now" in operator.page.text
    with stall.instance.store.read() as tx:
        assert tx.value(select(job.c.state).where(job.c.id == parked)) == "waiting"


def test_a_backup_is_asked_for_and_tried(operator: Browser, stall: Stall) -> None:
    operator.go(PAGE)
    assert "never" in operator.page.text
    operator.send("?then=backup")
    operator.post(f"{PAGE}?then=trial")
    assert "being restored to try it" in operator.page.text
    with stall.instance.store.read() as tx:
        kinds = {row["kind"] for row in tx.all(select(job.c.kind).where(job.c.state == "waiting"))}
    assert kinds >= {"backup", "backup_trial"}


def test_nobody_else_sees_it(browser: Browser, stall: Stall) -> None:
    browser.go(PAGE)
    assert browser.at.startswith("/login")
    browser.log_in(a_member(stall, "owner"))
    assert PAGE not in browser.go("/office?choose=1").links()
    browser.go(PAGE)
    assert browser.status == 403
    browser.post(f"{PAGE}?then=backup")
    assert browser.status == 403
    with stall.instance.store.read() as tx:
        assert not tx.all(select(job.c.id).where(job.c.kind == "backup"))
