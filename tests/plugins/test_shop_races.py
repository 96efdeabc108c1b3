"""Simultaneous clicks, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine, event

from .conftest import CONTACT, SALE, Browser, Stall, buy, stored_orders, to_the_checkout


@contextmanager
def listening(engine: Engine, listener: Callable[..., None]) -> Iterator[None]:
    """Calls the listener before every statement."""
    event.listen(engine, "before_cursor_execute", listener)
    yield
    event.remove(engine, "before_cursor_execute", listener)


def at_once(actions: Sequence[Callable[[], object]]) -> None:
    start = threading.Barrier(len(actions))

    def run(action: Callable[[], object]) -> None:
        start.wait()
        action()

    threads = [threading.Thread(target=run, args=(act,)) for act in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_clicks_at_once_are_one_order(browser: Browser, stall: Stall) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    clicks = [browser.another() for _ in range(3)]
    for click in clicks:
        click.client.cookies = browser.client.cookies
    at_once([lambda click=click: click.post(f"{SALE}/checkout", **form, then="order") for click in clicks])  # type: ignore[misc]
    assert len(stored_orders(stall)) == 1
    (address,) = {click.at for click in clicks}
    assert address.startswith("/orders/guest/")


def test_a_click_that_is_priced_while_the_other_places_the_order_shows_the_order(
    browser: Browser, stall: Stall
) -> None:
    to_the_checkout(browser, stall, small=1)
    form = {**browser.page.form("").fields, **CONTACT, "shipping": stall.slots[0], "payment_method": "cash:cash"}
    first = browser.another()
    first.client.cookies = browser.client.cookies
    statements: list[str] = []

    def place_it_after_the_look_for_an_order(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)
        if len(statements) == 2:
            at_once([lambda: first.post(f"{SALE}/checkout", **form, then="order")])

    with listening(stall.instance.store.engine, place_it_after_the_look_for_an_order):
        browser.post(f"{SALE}/checkout", **form, then="order")
    assert "customer_order" in statements[0]
    assert browser.at == first.at
    assert browser.at.startswith("/orders/guest/")
    assert len(stored_orders(stall)) == 1


def test_two_at_the_checkout_for_the_last_piece_are_one_order_and_a_clear_no(browser: Browser, stall: Stall) -> None:
    stall.count(stall.nests, 1)
    visitors = [browser, browser.another()]
    for visitor in visitors:
        to_the_checkout(visitor, stall, eggs=1)
    at_once([lambda visitor=visitor: buy(visitor, stall) for visitor in visitors])  # type: ignore[misc]
    (winner,) = (visitor for visitor in visitors if visitor.at.startswith("/orders/"))
    (loser,) = (visitor for visitor in visitors if visitor is not winner)
    assert "sold out" in loser.page.text
    assert len(stored_orders(stall)) == 1


def test_a_basket_saved_twice_at_once_is_one_basket(browser: Browser, stall: Stall) -> None:
    clicks = [browser.another() for _ in range(3)]
    for click in clicks:
        click.client.cookies.set("cart", "a-secret-of-this-browser-with-43-characters")
    at_once([lambda click=click: click.post(f"{SALE}/cart", **{f"items/{stall.eggs}": "2"}) for click in clicks])  # type: ignore[misc]
    for click in clicks:
        assert click.status == 200
        assert click.page.form("/cart").fields[f"items/{stall.eggs}"] == "2"
