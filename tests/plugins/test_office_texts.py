"""The office: legal texts of a hub, who may take money, and accounts that customers pay into."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commensal.enterprises.customers import create_customer
from commensal.enterprises.legal_texts import legal_text_of
from commensal.enterprises.members import list_members
from commensal.enterprises.tables import enterprise_plugin
from commensal_account.accounts import account_of, entries

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup", "account")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

TERMS = f"{OFFICE}/settings/texts/terms"


def test_terms_of_sale_are_published_in_versions_that_customers_read(owner: Browser, stall: Stall) -> None:
    assert "not written yet" in owner.go(f"{OFFICE}/settings/texts").text
    form = owner.go(TERMS).form("/terms").fields
    text = "Pay when you <em>collect</em>.\n\nBring your bags.\nAnd time."
    owner.post(TERMS, **{**form, "texts/fr": text})
    assert "version 1 since" in owner.page.text
    with stall.instance.store.read() as tx:
        published = legal_text_of(tx, "terms", "shop")
    assert published.texts == {"fr": "<p>Pay when you <em>collect</em>.</p><p>Bring your bags.<br>And time.</p>"}
    assert owner.go(TERMS).form("/terms").fields["texts/fr"] == text
    assert "Bring your bags." in owner.go("/hubs/shop/legal/terms").text
    owner.post(TERMS, **{**form, "texts/fr": "Mine."})
    assert owner.status == 422  # the first form was made before version 1
    with stall.instance.store.read() as tx:
        assert legal_text_of(tx, "terms", "shop").version == 1


def test_only_who_speaks_for_the_hub_publishes(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    for path in (f"{OFFICE}/settings/texts", TERMS):
        browser.go(path)
        assert browser.status == 403
    browser.post(TERMS, version="0", **{"texts/fr": "Mine."})
    assert browser.status == 403
    with stall.instance.store.read() as tx:
        assert legal_text_of(tx, "terms", "shop").version == 0


def test_a_packer_is_ticked_to_take_money(owner: Browser, stall: Stall) -> None:
    a_member(stall, "packer", "bob@example.org")

    def bob() -> tuple[str, bool]:
        with stall.instance.store.read() as tx:
            members = {member.email: member for member in list_members(tx, "shop")}
        return members["bob@example.org"].person_id, members["bob@example.org"].takes_money

    owner.go(f"{OFFICE}/settings/team")
    assert "may take money" in owner.page.text
    owner.post(f"{OFFICE}/settings/team?then=role", person=bob()[0], role="packer", takes_money="1")
    assert bob()[1]
    owner.post(f"{OFFICE}/settings/team?then=role", person=bob()[0], role="packer")
    assert not bob()[1]


# ------------------------------------------------------------------------------------------------ accounts


@pytest.fixture
def account(stall: Stall) -> str:
    """The address of the page of a customer's account, which is not open yet."""
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="account", settings={}, version=1))
        customer = create_customer(tx, "shop", email="corinne@example.org", name="Corinne")
    return f"{OFFICE}/customers/{customer.id}/account"


def customer_of(account: str) -> str:
    return account.split("/")[-2]


def test_what_a_customer_pays_in_is_written_once(owner: Browser, stall: Stall, account: str) -> None:
    assert account in owner.go(account.removesuffix("/account")).links()
    owner.go(account)
    owner.send("?then=open")
    other_tab = owner.page.form("/account").fields
    form = owner.go(account).form("/account").fields
    entry = {**form, "kind": "paid in", "amount": "50,00", "note": "Cheque 12"}
    owner.post(account, **entry)
    assert "It is written down" in owner.page.text
    owner.post(account, **entry)  # the second of two clicks
    assert "It is written down" in owner.page.text
    owner.post(account, **entry | {"form_key": other_tab["form_key"]})
    assert "Another entry was written meanwhile" in owner.page.text
    with stall.instance.store.read() as tx:
        assert account_of(tx, "shop", customer_of(account)).balance == 5000
        assert len(entries(tx, "shop", customer_of(account))) == 1
    assert "50.00 on the account" in owner.go(account.removesuffix("/account")).text


def test_no_more_is_paid_out_than_there_is_and_a_correction_takes_off(
    owner: Browser, stall: Stall, account: str
) -> None:
    owner.go(account)
    owner.send("?then=open")
    for kind, amount, balance in (("paid in", "20", 2000), ("paid out", "30", 2000), ("correction", "-5", 1500)):
        form = owner.go(account).form("/account").fields
        owner.post(account, **{**form, "kind": kind, "amount": amount})
        with stall.instance.store.read() as tx:
            assert account_of(tx, "shop", customer_of(account)).balance == balance
    form = owner.go(account).form("/account").fields
    owner.post(account, **{**form, "kind": "paid in", "amount": "much"})
    assert "amount-problem" in owner.page.ids()


def test_packers_see_no_account(browser: Browser, stall: Stall, account: str) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.go(account)
    assert browser.status == 403
    browser.post(f"{account}?then=open")
    assert browser.status == 403
    assert "on the account" not in browser.go(account.removesuffix("/account")).text
