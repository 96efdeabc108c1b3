"""A person's own account by forms alone: another address, the person's data, and leaving for good."""

from __future__ import annotations

import io
import zipfile

import pytest
from sqlalchemy import select

from commensal.instance import Instance
from commensal.people.people import Person
from commensal.people.tables import person

from ..mailed import code_in, waiting_mails
from .conftest import PASSWORD, Browser, Stall

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def test_somebody_changes_their_address(browser: Browser, ada: Person, instance: Instance) -> None:
    browser.go("/account")
    assert browser.at == "/login?next=/account"
    browser.log_in()
    browser.go("/orders")
    assert "/account" in browser.page.links()
    browser.go("/account")
    browser.send("/account/email", email="ada@example.net", password="not the password")
    assert (browser.status, "This is not your password." in browser.page.text) == (422, True)
    browser.send("/account/email", email="ada@example.net", password=PASSWORD)
    assert "Check your e-mail" in browser.page.text
    with instance.store.write() as tx:
        code = next(code_in(tx, mail) for mail in waiting_mails(tx) if mail["kind"] == "new_email")
    browser.go(f"/email/{code}")
    browser.send(f"/email/{code}")
    assert "Your address is changed" in browser.page.text
    browser.post(f"/email/{code}")
    assert (browser.status, "not valid any more" in browser.page.text) == (422, True)


def test_somebody_takes_their_data_along(browser: Browser, ada: Person, stall: Stall) -> None:
    browser.log_in()
    answer = browser.client.post("/account/data")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as zip_file:
        assert "ada@example.org" in zip_file.read("person.json").decode()
    assert "/login" in str(browser.another().client.post("/account/data").url)


def test_somebody_leaves_for_good(browser: Browser, ada: Person, instance: Instance) -> None:
    browser.log_in()
    browser.go("/account")
    browser.send("/account/forget", password="not the password")
    assert browser.status == 422
    browser.send("/account/forget", password=PASSWORD)
    assert "Your account is deleted" in browser.page.text
    assert browser.at.startswith("/account/forget?shown=")
    assert "Log out" not in browser.page.text
    browser.go("/account")
    assert browser.at == "/login?next=/account"
    with instance.store.read() as tx:
        assert tx.value(select(person.c.name)) == f"forgotten-{ada.id}"
