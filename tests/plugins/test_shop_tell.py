"""The shop: people are told by mail when the next sale of a hub opens, if they have asked for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.sale_sessions.tables import sale_session
from commensal.storage.jobs.tables import job
from commensal_shop.tables import shop_watch
from commensal_shop.watching import forget_unconfirmed, tell_of_openings

from ..mailed import path_in
from .conftest import SALE, Browser, Stall
from .test_shop_account import a_person

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)

TELL = "/hubs/shop/tell"


def promised_mails(stall: Stall, kind: str) -> list[dict[str, Any]]:
    with stall.instance.store.read() as tx:
        payloads = [
            row["payload"] for row in tx.all(select(job.c.payload).where(job.c.kind == "mail").order_by(job.c.id))
        ]
    return [payload for payload in payloads if payload["kind"] == kind]


def link_in(stall: Stall, mail: dict[str, Any], name: str) -> str:
    with stall.instance.store.write() as tx:
        return path_in(tx, mail, name)


def closes(stall: Stall, clock: ManualClock) -> None:
    """The sale closes."""
    clock.advance(days=1, minutes=1)


def opens_again(stall: Stall, clock: ManualClock) -> None:
    """The sale opens anew in an hour, for a day; the hour passes."""
    opens_at = clock.now() + timedelta(hours=1)
    with stall.instance.store.write() as tx:
        times = {"opens_at": opens_at, "closes_at": opens_at + timedelta(days=1)}
        tx.execute(update(sale_session).where(sale_session.c.id == "shop-session").values(times))
    clock.advance(hours=1, minutes=1)


def tell(stall: Stall) -> list[str]:
    """The addresses that are told when the clock looks for openings."""
    before = len(promised_mails(stall, "shop_sale_open"))
    stall.instance.store.transact(tell_of_openings)
    return [mail["to"] for mail in promised_mails(stall, "shop_sale_open")[before:]]


def test_a_guest_follows_the_mailed_link_and_is_told_once(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    closes(stall, clock)
    browser.go(SALE)
    browser.send(TELL, email="Bob@Example.org")
    assert "A link was sent to this address." in browser.page.text
    browser.post(TELL, email="bob@example.org")  # once more: no second mail
    (mail,) = promised_mails(stall, "shop_watch")
    assert (mail["to"], mail["typed"]) == ("bob@example.org", True)
    opens_again(stall, clock)
    assert tell(stall) == []  # the link was not followed yet
    closes(stall, clock)
    path = link_in(stall, mail, "path")
    browser.go(path)  # as machines that look at mails do
    opens_again(stall, clock)
    assert tell(stall) == []
    closes(stall, clock)
    browser.send(path)
    opens_again(stall, clock)
    assert (tell(stall), tell(stall)) == (["bob@example.org"], [])
    stop = link_in(stall, promised_mails(stall, "shop_sale_open")[0], "stop_path")
    assert browser.client.post(stop, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    closes(stall, clock)
    opens_again(stall, clock)
    assert tell(stall) == []


def test_a_member_asks_and_stops_by_buttons(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    a_person(stall)
    browser.log_in()
    closes(stall, clock)
    browser.go("/hubs/shop")
    browser.send(TELL)
    assert promised_mails(stall, "shop_watch") == []
    opens_again(stall, clock)
    assert tell(stall) == ["ada@example.org"]
    browser.go("/account")
    browser.send("/account/mails", ("hub", "shop"))
    assert "Mails about sales" not in browser.page.text
    closes(stall, clock)
    opens_again(stall, clock)
    assert tell(stall) == []


def test_wishes_that_nobody_confirms_are_forgotten(browser: Browser, stall: Stall, clock: ManualClock) -> None:
    browser.post(TELL, email="not an address")
    assert browser.status == 422
    browser.post(TELL, email="bob@example.org")
    clock.advance(days=4)
    stall.instance.store.transact(forget_unconfirmed)
    with stall.instance.store.read() as tx:
        assert tx.all(select(shop_watch)) == []
