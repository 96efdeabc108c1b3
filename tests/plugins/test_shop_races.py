"""Clicks at the same moment, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from .conftest import CONTACT, SALE, Browser, Stall, buy, placed, to_the_checkout


def at_once(acts: Sequence[Callable[[], object]]) -> None:
    start = threading.Barrier(len(acts))

    def go(act: Callable[[], object]) -> None:
        start.wait()
        act()

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_two_clicks_at_once_are_one_order(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    clicks = [browser.another() for _ in range(3)]
    for one in clicks:
        one.client.cookies = browser.client.cookies
    at_once([lambda one=one: one.post(f"{SALE}/checkout", **form, then="order") for one in clicks])  # type: ignore[misc]
    assert len(placed(stall)) == 1
    (address,) = {one.at for one in clicks}
    assert address.startswith("/orders/guest/")


def test_two_at_the_checkout_for_the_last_piece_are_one_order_and_a_clear_no(browser: Browser, stall: Stall) -> None:
    stall.count(stall.nests, 1)
    visitors = [browser, browser.another()]
    for one in visitors:
        to_the_checkout(one, stall, eggs=1)
    at_once([lambda one=one: buy(one, stall) for one in visitors])  # type: ignore[misc]
    (winner,) = (one for one in visitors if one.at.startswith("/orders/"))
    (loser,) = (one for one in visitors if one is not winner)
    assert "sold out" in loser.page.text
    assert len(placed(stall)) == 1


def test_a_basket_saved_twice_at_once_is_one_basket(browser: Browser, stall: Stall) -> None:
    clicks = [browser.another() for _ in range(3)]
    for one in clicks:
        one.client.cookies.set("cart", "a-secret-of-this-browser-with-43-characters")
    at_once([lambda one=one: one.post(f"{SALE}/cart", **{f"items/{stall.eggs}": "2"}) for one in clicks])  # type: ignore[misc]
    for one in clicks:
        assert one.status == 200
        assert one.page.form("/cart").fields[f"items/{stall.eggs}"] == "2"
