"""The office: rounds of delivery are added to a sale, changed, and removed."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_plugin
from commensal_delivery.slots import Slot, slots_of

from .conftest import Browser, Stall
from .test_office import OFFICE, a_member, owner
from .test_shop_delivery import KEPT

PLUGINS = ("shop", "office", "cash", "pickup", "delivery")
__all__ = ["owner"]  # a fixture

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both

ROUNDS = f"{OFFICE}/sale/shop-session/rounds"


@pytest.fixture(autouse=True)
def zones(stall: Stall) -> None:
    row = {"enterprise_id": "shop", "plugin": "delivery", "settings": KEPT, "version": 1}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(row))


def rounds(stall: Stall) -> list[Slot]:
    with stall.instance.store.read() as tx:
        return list(slots_of(tx, "shop", "shop-session"))


def test_a_round_is_added_changed_and_removed(owner: Browser, stall: Stall) -> None:
    assert ROUNDS in owner.go(f"{OFFICE}/sale/shop-session").links()
    owner.go(ROUNDS)
    owner.send(f"{ROUNDS}?then=add", zone="tours", capacity="ten")
    assert (owner.status, "Give a whole number." in owner.page.text) == (422, True)
    owner.send(f"{ROUNDS}?then=add", capacity="10")
    (added,) = rounds(stall)
    assert (added.zone, added.capacity) == ("tours", 10)
    owner.send(f"{ROUNDS}?then=change", capacity="")
    assert [slot.capacity for slot in rounds(stall)] == [None]
    owner.post(f"{ROUNDS}?then=remove", slot=added.id, version="1")  # as the page was before the change
    assert (owner.status, len(rounds(stall))) == (422, 1)
    owner.post(f"{ROUNDS}?then=remove", slot=added.id, version="2")
    assert rounds(stall) == []


def test_a_packer_adds_no_round(browser: Browser, stall: Stall) -> None:
    browser.log_in(a_member(stall, "packer"))
    browser.post(f"{ROUNDS}?then=add", zone="tours", begins_at="2026-06-04T18:00", ends_at="2026-06-04T19:00")
    assert (browser.status, rounds(stall)) == (403, [])
