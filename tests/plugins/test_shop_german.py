"""The shop in a third language, whose catalogue was only dropped in."""

from __future__ import annotations

import pytest

from .conftest import SALE, Browser, Stall, buy, stored_orders, to_the_checkout

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def test_somebody_buys_in_german(browser: Browser, stall: Stall) -> None:
    browser.reads("de-AT, de;q=0.9, en;q=0.5")
    page = browser.go(SALE)
    assert ("html", {"lang": "de", "dir": "ltr"}) in page.elements
    names = [attributes["lang"] for tag, attributes in page.elements if attributes.get("name") == "language"]
    assert names == ["de", "en", "fr"]
    for words in ("Gemüse", "2,40 €", "Eier", "Bestellen", "Deutsch"):
        assert words in page.text.replace("\xa0", " "), words
    to_the_checkout(browser, stall, small=1)
    assert "Zahlungspflichtig bestellen" in browser.page.text
    buy(browser, stall)
    assert "Danke für Ihre Bestellung." in browser.page.text
    assert [row["language"] for row in stored_orders(stall)] == ["de"]
