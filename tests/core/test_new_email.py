"""Another e-mail address for an account: confirmed by its own mail, announced to the old one, passed to shops."""

from __future__ import annotations

import quopri
import re
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.enterprises.customers import customer_by_email, customer_for
from commensal.instance import Instance
from commensal.people.people import add_person, new_person
from commensal.storage.jobs.tables import job
from commensal.testing.instances import RunJobs
from commensal.testing.placed import a_shop

from ..mailed import code_in

PASSWORD = "a long enough password"
HERE = {"Sec-Fetch-Site": "same-origin"}
NEW = "ada@example.net"


@pytest.fixture
def ada(instance: Instance, client: TestClient) -> str:
    """The id of Ada, who is logged in and a customer of a shop."""
    with instance.store.write() as tx:
        a_shop(tx)
        new = new_person(email="ada@example.org", name="Ada", password=PASSWORD, language="en")
        ada = add_person(tx, new, confirmed=True)
        assert ada is not None
        customer_for(tx, "shop", email=ada.email, name="Ada", person_id=ada.id)
    assert log_in(client, "ada@example.org").status_code == 201
    return ada.id


def log_in(client: TestClient, email: str) -> Any:
    return client.post("/api/sessions", json={"email": email, "password": PASSWORD}, headers=HERE)


def ask_for_change(client: TestClient, email: str = NEW, password: str = PASSWORD) -> Any:
    return client.post("/api/me/email", json={"email": email, "password": password}, headers=HERE)


def mails(instance: Instance) -> list[dict[str, Any]]:
    with instance.store.read() as tx:
        return [row["payload"] for row in tx.all(select(job).where(job.c.kind == "mail").order_by(job.c.id))]


def sent_texts(instance: Instance) -> list[str]:
    files = (instance.folder / "mail").glob("*.eml")
    return [quopri.decodestring(file.read_bytes()).decode(errors="replace") for file in files]


def last_code(instance: Instance) -> str:
    with instance.store.write() as tx:
        return code_in(tx, mails(instance)[-1])


def confirm(client: TestClient, code: str) -> Any:
    return client.put("/api/me/email", json={"code": code}, headers=HERE)


def test_the_new_address_counts_once_it_is_proved_and_the_old_one_is_told(
    instance: Instance, client: TestClient, ada: str, clock: ManualClock
) -> None:
    assert (ask_for_change(client).status_code, client.get("/api/me").json()["email"]) == (202, "ada@example.org")
    mail = mails(instance)[-1]
    assert (mail["kind"], mail["to"]) == ("new_email", NEW)
    code = last_code(instance)
    assert confirm(client, code).json()["email"] == NEW
    assert (mails(instance)[-1]["kind"], mails(instance)[-1]["to"]) == ("email_changed", "ada@example.org")
    assert confirm(client, code).status_code == 422
    with instance.store.read() as tx:
        customer = customer_by_email(tx, "shop", NEW)
        assert customer.person_id == ada
    assert (log_in(client, "ada@example.org").status_code, log_in(client, NEW).status_code) == (401, 201)
    RunJobs(instance, clock)()
    texts = sent_texts(instance)
    assert any("Your e-mail address was changed" in text for text in texts)
    assert not any("Confirm your new" in text for text in texts), "nothing to the new one, which is proved already"


def test_each_mail_to_the_new_address_has_a_link_that_works(
    instance: Instance, client: TestClient, ada: str, clock: ManualClock
) -> None:
    ask_for_change(client)
    RunJobs(instance, clock)()
    (mail_text,) = (text for text in sent_texts(instance) if "Confirm your new e-mail address" in text)
    (code,) = set(re.findall(r"/email/([\w-]{43})", mail_text))
    clock.advance(minutes=3)
    ask_for_change(client)
    last_code(instance)
    assert confirm(client, code).json()["email"] == NEW, "an earlier mail works too"


def test_a_link_to_an_address_that_is_not_asked_for_any_more_does_nothing(
    instance: Instance, client: TestClient, ada: str, clock: ManualClock
) -> None:
    ask_for_change(client, "first@example.net")
    code = last_code(instance)
    clock.advance(minutes=3)
    ask_for_change(client)
    assert confirm(client, code).json()["code"] == "code"
    assert confirm(client, last_code(instance)).json()["email"] == NEW


def test_only_who_knows_the_password_and_reads_the_new_mails_changes_it(
    instance: Instance, client: TestClient, ada: str, clock: ManualClock
) -> None:
    assert ask_for_change(client, password="not the password").status_code == 422
    assert ask_for_change(client, email="ada@example.org").json()["errors"][0]["code"] == "same_email"
    assert ask_for_change(client).status_code == 202
    assert ask_for_change(client).json()["code"] == "asked_lately"
    assert confirm(client, "guessed").json()["code"] == "code"
    code = last_code(instance)
    clock.advance(days=1, minutes=1)
    assert confirm(client, code).json()["code"] == "code"


def test_whether_an_address_has_an_account_is_told_to_nobody(instance: Instance, client: TestClient, ada: str) -> None:
    with instance.store.write() as tx:
        add_person(tx, new_person(email=NEW, name="Other", password=PASSWORD, language="en"), confirmed=True)
    before = len(mails(instance))
    assert ask_for_change(client).status_code == 202
    assert len(mails(instance)) == before


def test_an_address_that_was_taken_meanwhile_is_refused(instance: Instance, client: TestClient, ada: str) -> None:
    ask_for_change(client)
    code = last_code(instance)
    with instance.store.write() as tx:
        add_person(tx, new_person(email=NEW, name="Other", password=PASSWORD, language="en"))
    assert confirm(client, code).json()["code"] == "email_taken"
    assert client.get("/api/me").json()["email"] == "ada@example.org"
