"""A character that PostgreSQL cannot store is not an error of the server, wherever it stands in a request."""

from __future__ import annotations

import pytest

from .conftest import SALE, Browser, Stall

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


def test_a_nul_in_an_address_finds_nothing(browser: Browser, stall: Stall) -> None:
    searches = ("/?q=a%00b", f"{SALE}?q=a%00b", "/hubs/shop?%00=1")
    places = (
        "/hubs/a%00b",
        "/sales/a%00b",
        "/legal/versions/a%00b",
        "/tell/a%00b",
        "/orders/guest/a%00b",
        "/hubs/shop%00",
    )
    assert {path: browser.client.get(path).status_code for path in searches} == dict.fromkeys(searches, 200)
    assert {path: browser.client.get(path).status_code for path in places} == dict.fromkeys(places, 404)


def test_a_nul_in_a_body_is_no_error_of_the_server(browser: Browser, stall: Stall) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Idempotency-Key": "k"}
    sale, guest = "/api/sale-sessions/shop-session", {"name": "A", "email": "a@example.org"}
    for path, body in (
        ("/api/forgotten-password", {"email": "a\0b@example.org"}),
        (f"{sale}/quote", {"items": {"a\0b": 1}}),
        (f"{sale}/quote", {"items": {}, "codes": ["a\0b"]}),
        (f"{sale}/orders", {"items": {"x": 1}, **guest, "shipping": "a\0"}),
    ):
        assert browser.client.post(path, json=body, headers=headers).status_code < 500, path
