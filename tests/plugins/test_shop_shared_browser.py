"""Two people, one after the other, in the same browser: what one has chosen is in no order of the other."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import anyio
import pytest
from starlette.types import Message

from commensal.orders.questions import order_by_id
from commensal.people.people import Person

from .conftest import CONTACT, ORDER, SALE, Browser, Stall, buy, stored_orders, to_the_checkout
from .test_office import a_member

NOTICE = "Some of this was in this browser’s basket before you logged in."
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def send_and_go_away(browser: Browser, path: str, fields: dict[str, str], *, sent: Callable[[bytes], bytes]) -> None:
    """Begins a POST and closes the connection: `sent` is what of its body arrives. Nobody reads an answer."""
    body = urlencode(fields).encode()
    cookies = "; ".join(f"{name}={value}" for name, value in browser.client.cookies.items())
    headers = {
        "host": "testserver",
        "origin": "http://testserver",
        "cookie": cookies,
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(body)),
    }
    arrived = sent(body)
    messages: list[Message] = [
        {"type": "http.request", "body": arrived, "more_body": arrived != body},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def nobody_reads(_: Message) -> None:
        raise OSError("the connection is closed")

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("testclient", 50000),
        "server": ("testserver", 80),
        "state": {},
    }

    async def ask() -> None:
        try:
            await browser.client.app(scope, receive, nobody_reads)
        except* OSError:
            pass  # as a server drops an answer that nobody reads

    anyio.run(ask)


def break_off(browser: Browser, stall: Stall, part: str, **typed: str) -> None:
    """Presses the button of the order, and is gone before or after the whole of it has arrived."""
    choices = {"shipping": stall.slots[0], "payment_method": "cash:cash", **typed}
    fields = {**browser.page.form("").fields, **choices, **dict([ORDER])}
    send_and_go_away(browser, browser.at, fields, sent=lambda body: body if part == "whole" else body[: len(body) // 2])


@pytest.mark.parametrize("part", ["half", "whole"])
def test_after_a_post_that_broke_off_the_next_person_finds_nothing_of_the_first(
    browser: Browser, stall: Stall, ada: Person, part: str
) -> None:
    browser.log_in()
    to_the_checkout(browser, stall, small=2)
    break_off(browser, stall, part)
    assert len(stored_orders(stall)) == (part == "whole"), "what has arrived whole is ordered, half of it is not"
    browser.go("/account")
    browser.send("/logout")
    browser.log_in(a_member(stall, "packer", "bea@example.org"))
    browser.go(f"{SALE}/cart")
    assert "Your basket is empty" in browser.page.text
    to_the_checkout(browser, stall, eggs=1)
    buy(browser, stall)
    with stall.instance.store.read() as tx:
        of_bea = order_by_id(tx, str(stored_orders(stall)[-1]["id"]), enterprise_id="shop")
    assert (of_bea.email, [line.item_id for line in of_bea.lines]) == ("bea@example.org", [stall.eggs])


def test_the_order_of_a_guest_that_arrived_leaves_nothing_for_who_logs_in_next(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    to_the_checkout(browser, stall, small=2)
    break_off(browser, stall, "whole", **CONTACT)
    assert len(stored_orders(stall)) == 1
    browser.log_in()
    browser.go(f"{SALE}/cart")
    assert "Your basket is empty" in browser.page.text


def test_the_basket_of_a_guest_whose_order_did_not_arrive_is_shown_to_who_logs_in_before_they_order(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    """A guest is the browser and nothing else: it comes along as for one person, and a notice says so at the checkout
    and in the basket, until it is ordered or somebody else logs in."""
    to_the_checkout(browser, stall, small=2)
    break_off(browser, stall, "half", **CONTACT)
    assert stored_orders(stall) == []
    browser.log_in()
    browser.go(f"{SALE}/checkout")
    assert "€4.80" in browser.page.text
    assert NOTICE in browser.page.text
    assert CONTACT["name"] not in browser.page.text, "what a guest typed is nowhere"
    assert NOTICE in browser.go(f"{SALE}/cart").text
    browser.send("/cart", **{f"items/{stall.small}": "0"})
    assert "Your basket is empty" in browser.go(f"{SALE}/cart").text
    assert NOTICE not in browser.page.text


def test_what_is_ordered_or_was_chosen_by_who_is_logged_in_bears_no_notice(
    browser: Browser, stall: Stall, ada: Person
) -> None:
    to_the_checkout(browser, stall, small=2)
    assert NOTICE not in browser.page.text, "a guest sees their own basket"
    browser.log_in()
    to_the_checkout(browser, stall, eggs=1)
    assert NOTICE in browser.page.text
    buy(browser, stall)
    to_the_checkout(browser, stall, eggs=1)
    assert NOTICE not in browser.page.text
    browser.go("/account")
    browser.send("/logout")
    browser.log_in(a_member(stall, "packer", "bea@example.org"))
    to_the_checkout(browser, stall, eggs=1)
    assert NOTICE not in browser.page.text
