"""The secrets of links in e-mails stand nowhere but in the e-mails: a copy of the database opens nothing."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.instance import Instance
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.accounts.confirmations import ask_new_email, sign_up
from commensal.parts.serving.app import make_app
from commensal.people.codes import mail_code
from commensal.people.people import NewPerson
from commensal.storage.database.revisions import tables_of
from commensal.storage.jobs.enqueue import enqueue
from commensal.testing.instances import NOON, Instances, Plan, RunJobs, client_of
from commensal.testing.shop import Shop, open_shop
from commensal_shop.tables import shop_watch
from commensal_shop.watching import tell_of_openings, watch_as_guest

pytestmark = pytest.mark.bundled

ADA = NewPerson(email="ada@example.org", name="Ada", phone="", language="en", password_hash="")
EVE = NewPerson(email="eve@example.org", name="Eve", phone="", language="en", password_hash="")
_SECRET = re.compile(r"(?<![\w-])[\w-]{43}(?![\w-])")  # of `Ids.secret`
_LINK = re.compile(r"http://testserver/([a-z/]+)/([\w-]{43})(?![\w-])")


@pytest.fixture
def shop(commensal_instances: Instances, tmp_path: Path) -> Iterator[Shop]:
    clock, plan = ManualClock(NOON), Plan(plugins=("shop",))
    with (
        commensal_instances.open(tmp_path / "val", plan, clock=clock) as instance,
        client_of(make_app(instance)) as client,
    ):
        yield open_shop(instance, client, RunJobs(instance, clock), Plan())


def cause_every_mail_with_a_secret(shop: Shop) -> None:
    guest = Wish(items={shop.items["soap"]: 1}, name="Bob", email="bob@example.org", language="en")
    with shop.instance.store.write() as tx:
        sign_up(tx, ADA)
        sign_up(tx, EVE)
        sign_up(tx, EVE)
        mail_code(tx, ADA.email, "reset", kind="reset_password")
        ask_new_email(tx, shop.owner.id, "olivia@example.net")
        place_order(tx, shop.instance.hooks, shop.session_id, guest, person_id=None, secret=tx.ids.secret())
        for address in ("zoe@example.org", "yve@example.org"):
            watch_as_guest(tx, enterprise_by_id(tx, shop.id), address, "en")
        wish_of_zoe = update(shop_watch).where(shop_watch.c.email == "zoe@example.org")
        tx.execute(wish_of_zoe.values(confirmed_at=tx.now - timedelta(days=2)))  # before the sale opened
        tell_of_openings(tx)


def texts_of(instance: Instance) -> Iterator[tuple[str, str]]:
    """Every row of the database as text, with the name of its table."""
    with instance.store.read() as tx:
        for table in tables_of(instance.hooks.plugins()):
            for row in tx.all(select(table)):
                yield table.name, " ".join(map(str, row.values()))


def links_of(shop: Shop) -> list[tuple[str, str]]:
    """The address and the secret of each link in an e-mail that was sent."""
    mails = (quopri.decodestring(mail.encode()).decode(errors="replace") for mail in shop.mails())
    return sorted({link for mail in mails for link in _LINK.findall(mail)})


def test_no_secret_of_a_mailed_link_stands_in_the_database(shop: Shop) -> None:
    cause_every_mail_with_a_secret(shop)
    assert [(table, secret) for table, text in texts_of(shop.instance) for secret in _SECRET.findall(text)] == []
    shop.run_jobs()
    links = links_of(shop)
    assert [address for address, _ in links] == [
        "confirm",
        "confirm",
        "email",
        "orders/guest",
        "reset",
        "reset",
        "tell",
        "tell",
        "tell",
    ]
    database = "\n".join(text for _, text in texts_of(shop.instance))
    assert [address for address, secret in links if sha256(secret.encode()).hexdigest() not in database] == []
    assert [address for address, secret in links if secret in database] == []


def test_a_secret_in_a_waiting_job_is_found(shop: Shop) -> None:
    with shop.instance.store.write() as tx:
        secret = tx.ids.secret()
        enqueue(tx, "mail", {"kind": "confirm_email", "code": secret})
    assert ("job", [secret]) in [(table, _SECRET.findall(text)) for table, text in texts_of(shop.instance)]
