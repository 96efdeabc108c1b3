"""Statements of accounts by e-mail: the page is the preview, and one is sent again only on purpose."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import insert
from tests.mailed import waiting_mails

import commensal_account
from commensal.base.errors import Conflict
from commensal.enterprises.customers import create_customer, customer_by_id
from commensal.enterprises.enterprises import enterprise_by_id
from commensal.enterprises.tables import enterprise_plugin
from commensal.parts.mail.render import render
from commensal_account.accounts import open_account, write_entry
from commensal_account.mails import mail_statement, statement_mails
from commensal_account.settings import Settings

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup", "account")
__all__ = ["owner"]  # a fixture

_TEMPLATES = Path(commensal_account.__file__).parent / "templates"


@pytest.fixture
def customer(stall: Stall) -> str:
    """A customer who has paid 50.00 in, and took 62.00 since."""
    row = {"enterprise_id": "shop", "plugin": "account", "settings": {}, "version": 1}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(row))
        new = create_customer(tx, "shop", email="zoe@example.org", name="Zoé Martin")
        open_account(tx, "shop", new.id)
        write_entry(tx, "shop", new.id, "paid in", 5000, note="Chèque 12", person_id=None)
        write_entry(tx, "shop", new.id, "correction", -6200, note="Cagettes de mai", person_id=None)
    return new.id


def test_the_treasurer_mails_what_the_page_shows(owner: Browser, stall: Stall, customer: str) -> None:
    page = owner.go(f"{OFFICE}/customers/{customer}/account")
    assert "Cagettes de mai" in page.text
    owner.send("?then=mail")
    assert "The statement is on its way." in owner.page.text
    assert "Mailed on" in owner.page.text
    assert "balance -€12.00" in owner.page.text
    with stall.instance.store.read() as tx:
        (mail,) = waiting_mails(tx)
    assert (mail["to"], mail["language"]) == ("zoe@example.org", "fr")
    values = {**mail["values"], "enterprise": mail["enterprise"], "instance": "Les Paniers", "home": "", "logo": ""}
    written = render("account_statement", "fr", "Europe/Paris", values, (_TEMPLATES,))
    assert written.subject == "Votre compte chez Halle Saint-Jean\N{NO-BREAK SPACE}: -12,00\N{NO-BREAK SPACE}€"
    for text in ("Bonjour Zoé Martin,", "Vous devez 12,00\N{NO-BREAK SPACE}€ à Halle Saint-Jean.", "Chèque 12"):
        assert text in written.text
        assert text in written.html


def test_a_second_press_of_the_button_sends_nothing_and_says_so(owner: Browser, stall: Stall, customer: str) -> None:
    owner.go(f"{OFFICE}/customers/{customer}/account")
    for _ in range(2):
        owner.post(f"{OFFICE}/customers/{customer}/account?then=mail", sent="0")
    assert "This statement was sent a moment ago: look at the list." in owner.page.text
    with stall.instance.store.read() as tx:
        assert len(waiting_mails(tx)) == 1
    owner.send("?then=mail")  # "Mail it again", on purpose
    with stall.instance.store.read() as tx:
        assert [mail.balance for mail in statement_mails(tx, "shop", customer)] == [-1200, -1200]


def test_who_may_not_write_payments_mails_no_statement(browser: Browser, stall: Stall, customer: str) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.post(f"{OFFICE}/customers/{customer}/account?then=mail", sent="0")
    assert browser.status in (403, 404)
    with stall.instance.store.read() as tx:
        assert waiting_mails(tx) == []


def test_a_statement_is_refused_where_there_is_no_address(stall: Stall, customer: str) -> None:
    with stall.instance.store.write() as tx:
        shop = enterprise_by_id(tx, "shop")
        nowhere = replace(customer_by_id(tx, "shop", customer), email="")
        with pytest.raises(Conflict, match="no e-mail address"):
            mail_statement(tx, shop, nowhere, Settings(), sent_before=0, person_id="olivia")
