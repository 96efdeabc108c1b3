"""The office: codes and gift cards are made, once, and taken out of use."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_plugin
from commensal_vouchers.codes import Voucher
from commensal_vouchers.questions import latest_vouchers

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, owner

PLUGINS = ("shop", "office", "cash", "pickup", "vouchers")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

CODES = f"{OFFICE}/money/codes"


@pytest.fixture(autouse=True)
def switched_on(stall: Stall) -> None:
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(enterprise_id="shop", plugin="vouchers", settings={}, version=1))


def codes(stall: Stall) -> list[Voucher]:
    with stall.instance.store.read() as tx:
        return list(latest_vouchers(tx, "shop", limit=50))


def test_a_code_of_the_hubs_choice_is_made_and_taken_out_of_use(owner: Browser, stall: Stall) -> None:
    assert CODES in owner.go(f"{OFFICE}/money").links()
    owner.go(CODES)
    owner.send(CODES, kind="percent", percent="10 %", code="été", name="Summer")
    assert (owner.status, owner.page.form(CODES).fields["name"]) == (422, "Summer")
    owner.send(CODES, kind="percent", percent="10", code="summer", valid_until="2026-08-31")
    (voucher,) = codes(stall)
    assert (voucher.code, voucher.kind, str(voucher.percent)) == ("SUMMER", "percent", "10")
    assert voucher.valid_until is not None
    assert voucher.valid_until.isoformat().startswith("2026-08-31T22:00")  # midnight in France
    owner.go(CODES)
    owner.send(f"{CODES}?then=remove")
    assert codes(stall) == []


def test_gift_cards_are_made_once_however_often_the_button_is_pressed(owner: Browser, stall: Stall) -> None:
    form = owner.go(CODES).form(CODES).fields
    fields = {**form, "kind": "card", "amount": "25,00", "count": "2"}
    owner.post(CODES, **fields)
    made = codes(stall)
    assert [(card.kind, card.balance) for card in made] == [("card", 2500)] * 2
    assert all(card.code in owner.page.text for card in made)
    owner.post(CODES, **fields)
    assert all(card.code in owner.page.text for card in made), "the second of two clicks leads there too"
    owner.post(CODES, **fields | {"form_key": "of another page"})
    assert ("made already" in owner.page.text, len(codes(stall))) == (True, 2)
    assert not any(card.code in owner.go(CODES).text for card in made)


@pytest.mark.parametrize("percent", ["1e-999999999", f"0.{'0' * 80}1", "1e999999999"])
def test_a_percentage_with_more_digits_than_a_number_may_have_is_refused(
    owner: Browser, stall: Stall, percent: str
) -> None:
    owner.go(CODES)
    owner.send(CODES, kind="percent", percent=percent, code="summer")
    assert (owner.status, codes(stall)) == (422, [])


def test_only_who_keeps_the_books_makes_codes(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.go(CODES)
    assert browser.status == 403
    browser.post(CODES, kind="card", amount="25", count="1", key="0" * 36)
    assert (browser.status, codes(stall)) == (403, [])
