"""The office: who changed what when, for managers of an enterprise and for operators."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from commensal.base.clock import ManualClock
from commensal.enterprises.tables import enterprise_member
from commensal.people.tables import person

from .conftest import Browser, Stall
from .test_office import a_member

PLUGINS = ("shop", "office", "cash", "pickup")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PAGE, OF_ALL = "/office/shop/settings/history", "/office/instance/history"


def test_a_manager_looks_for_a_change_by_person_thing_and_day(
    browser: Browser, stall: Stall, clock: ManualClock
) -> None:
    browser.log_in(a_member(stall, "manager"))
    browser.post("/office/shop/groups?then=add", name="Members")
    assert PAGE in browser.go("/office/shop/settings").links()
    browser.go(PAGE)
    assert "Group of customers · made" in browser.page.text
    assert "Olivia" in browser.page.text
    olivia = _chosen(browser)
    for query, is_there in {
        f"person={olivia}": True,
        "person=nobody": False,
        "kind=customer_category": True,
        "kind=stock_lot": False,
        f"day={clock.now():%Y-%m-%d}": True,
        "day=2020-01-01": False,
    }.items():
        assert ("Group of customers · made" in browser.go(f"{PAGE}?{query}").text) is is_there, query
    for day in ("yesterday", "0001-01-01", "9999-12-31"):
        browser.go(f"{PAGE}?day={day}")
        assert browser.status == 422
        assert "Give a day" in browser.page.text


def _chosen(browser: Browser) -> str:
    """The value of the person in the list."""
    options = [values["value"] for tag, values in browser.page.elements if tag == "option"]
    return options[1]


def test_packers_do_not_see_it_and_operators_see_all_by_the_address_of_a_person(browser: Browser, stall: Stall) -> None:
    email = a_member(stall, "packer")
    browser.log_in(email)
    for page in (PAGE, OF_ALL):
        browser.go(page)
        assert browser.status == 403
    with stall.instance.store.write() as tx:
        tx.execute(update(person).where(person.c.email == email).values(is_operator=True))
        tx.execute(update(enterprise_member).where(enterprise_member.c.role == "packer").values(role="manager"))
    browser.post("/office/shop/groups?then=add", name="Members")
    assert OF_ALL in browser.go("/office/instance").links()
    assert "Group of customers · made · Halle Saint-Jean" in browser.go(f"{OF_ALL}?person={email}").text
    assert "Nothing is noted that fits" in browser.go(f"{OF_ALL}?person=nobody@example.org").text
