"""The office: settings of a hub, each saved whole or not at all."""

from __future__ import annotations

import pytest

from commensal.parts.supply.policy import ClosingPolicy, closing_policy_of

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

SETTINGS = f"{OFFICE}/settings"


def test_a_hub_says_what_happens_when_a_sale_closes(owner: Browser, stall: Stall) -> None:
    owner.go(f"{SETTINGS}/closing")
    form = owner.page.form("").fields
    owner.post(owner.at, **{**form, "telling": "by hand", "shortage": "pro rata", "final_mail": "1"}, other="")
    with stall.instance.store.read() as tx:
        policy = closing_policy_of(tx, "shop")
    assert policy == ClosingPolicy(telling="by hand", shortage="pro rata", final_mail=True, reminder=True)
    assert "when you send them" in owner.page.text
    owner.post(f"{SETTINGS}/closing", telling="by hand", shortage="by lot")
    assert owner.status == 422
    assert "shortage-problem" in owner.page.ids()


def test_only_who_runs_sales_sees_and_changes_settings(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    assert SETTINGS not in browser.go(OFFICE).links()
    for path in ("", "/closing"):
        browser.go(f"{SETTINGS}{path}")
        assert browser.status == 403
    browser.post(f"{SETTINGS}/closing", telling="by hand", shortage="by hand")
    assert browser.status == 403
    with stall.instance.store.read() as tx:
        assert closing_policy_of(tx, "shop") == ClosingPolicy()
