"""Packing in the office: crate after crate, heap after heap, and the scales."""

from __future__ import annotations

import pytest

from commensal.orders.change import change_order
from commensal.orders.lock import locked_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Order

from .conftest import Browser, Stall
from .test_office import HANDOUT, OFFICE, PLUGINS, a_chicken, a_member, an_order, an_order_of, owner

__all__ = ["PLUGINS", "owner"]  # fixtures

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

PACK = f"{OFFICE}/pack"


@pytest.fixture
def packer(browser: Browser, stall: Stall) -> Browser:
    browser.log_in(a_member(stall, "packer"))
    return browser


def again(stall: Stall, order: Order) -> Order:
    with stall.instance.store.read() as tx:
        return order_by_id(tx, order.id, enterprise_id="shop")


def test_a_packer_goes_from_crate_to_crate_and_sees_no_amount(packer: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2)
    page = packer.go(PACK)
    assert f"{order.number} · Corinne Clerc" in page.text
    assert "Dry and at room temperature 2 × Carottes" in page.text
    assert "€" not in page.text
    packer.send("", ("ready", "1"), crates="3")
    packed = again(stall, order)
    assert (packed.crates, packed.fulfilment_state) == (3, "Held")
    assert "3 crates" in packer.go(HANDOUT).text
    page = packer.post(PACK, order=order.id, crates="many")
    assert (packer.status, "Write a number of crates" in page.text) == (422, True)


def test_ticks_stay_and_another_telephone_sees_who_is_at_the_crate(owner: Browser, stall: Stall) -> None:
    order = an_order(stall, small=2, eggs=1)
    carrots, eggs = (line.id for line in order.lines)
    packer = owner.another()
    packer.log_in(a_member(stall, "packer", "paula@example.org"))
    packer.go(PACK)
    packer.post(PACK, **packer.page.form("").fields, **{f"tick/{carrots}": "1"})
    assert "1 of 2 in the crate · Olivia, " in owner.go(PACK).text, owner.page.text
    for browser, address in ((packer, PACK), (owner, PACK), (owner, f"{PACK}?by=product")):
        browser.go(address)
        assert ticks(browser) == {f"tick/{carrots}"}, address
    by_script = {"script": "1", "lines": f"{carrots} {eggs}", f"tick/{eggs}": "1"}
    answer = packer.client.post(f"{PACK}?then=ticks&sale=shop-session", data=by_script)
    assert answer.json()["lines"] == [eggs]
    assert owner.client.get(f"{PACK}/progress.json?sale=shop-session").json() == answer.json()
    with stall.instance.store.write() as tx:
        changed = locked_order(tx, order.id, enterprise_id="shop")
        change_order(tx, stall.instance.hooks, changed, items={stall.small: 2, stall.eggs: 2}, by_hub=True)
    packer.go(PACK)
    assert ticks(packer) == set(), "another box of eggs is to be laid in"


def ticks(browser: Browser) -> set[str]:
    """The names of the boxes that are ticked."""
    boxes = (each for tag, each in browser.page.elements if tag == "input" and each.get("type") == "checkbox")
    return {each["name"] for each in boxes if "checked" in each}


def test_a_heap_says_for_whom_its_pieces_are(packer: Browser, stall: Stall) -> None:
    an_order(stall, small=2)
    an_order(stall, "Paul Girard", small=1)
    page = packer.go(f"{PACK}?by=product")
    assert "2 orders 3 ×" in page.text
    assert "1 × Paul Girard Order 2" in page.text


def test_goods_to_weigh_are_asked_about_before_packing_and_take_sums(packer: Browser, stall: Stall) -> None:
    chicken = a_chicken(stall)
    order = an_order_of(stall, {chicken: 1, stall.small: 1})
    packer.go(PACK)
    packer.send("", ("ready", "1"), crates="2")
    assert (packer.status, again(stall, order).fulfilment_state) == (422, "Unfulfilled")
    assert "Goods of this order are still to be weighed." in packer.page.text
    packer.send("", ("ready", "1"))
    assert (again(stall, order).fulfilment_state, again(stall, order).crates) == ("Held", 2)
    page = packer.go(f"{PACK}?by=weigh")
    assert "1 line is still to be weighed" in page.text
    assert "Carottes" not in page.text
    line = next(line for line in order.lines if line.weighed)
    field = f"weights/{line.id}"
    action = f"{PACK}?then=weigh&by=weigh&sale=shop-session"
    page = packer.post(action, **{field: "0,3"})
    assert "far from what was ordered" in page.text
    assert again(stall, order).lines[0].final_quantity is None
    packer.post(action, **{field: "0,3", "sure": line.id})
    packer.post(action, **{field: "1,2+0,9"})
    weighed = next(each for each in again(stall, order).lines if each.weighed)
    assert str(weighed.final_quantity) == "2.1"


def test_goods_of_another_shop_are_not_weighed_here(packer: Browser, stall: Stall) -> None:
    packer.post(f"{PACK}?then=weigh&by=weigh&sale=nowhere")
    assert packer.status == 404
    packer.post(PACK, order="nobodys", crates="1")
    assert packer.status == 404
