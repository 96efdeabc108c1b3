"""A second factor by forms alone: set up, required at the log-in, turned off, in both languages."""

from __future__ import annotations

import pytest

from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.people.one_time_codes import STEP, code_of, step_of
from commensal.people.people import Person

from .conftest import PASSWORD, Browser

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the rooms are tested on both


def secret_on(browser: Browser) -> str:
    """Returns the secret in the page's link for this telephone."""
    uri = next(link for link in browser.page.links() if link.startswith("otpauth://"))
    return uri.partition("secret=")[2].partition("&")[0]


def test_somebody_sets_it_up_logs_in_with_it_and_turns_it_off(
    browser: Browser, ada: Person, clock: ManualClock, instance: Instance
) -> None:
    browser.go("/account/second-factor")
    assert browser.at == "/login?next=/account/second-factor"
    browser.log_in()
    assert "/account" in browser.page.links(), "the menu leads there"
    browser.go("/account")
    assert "/account/second-factor" in browser.page.links()
    browser.go("/account/second-factor")
    browser.send("/account/second-factor", password="not the password")
    assert (browser.status, "This is not your password." in browser.page.text) == (422, True)
    browser.send("/account/second-factor", password=PASSWORD)
    pictures = [attributes["src"] for tag, attributes in browser.page.elements if tag == "img"]
    secret = secret_on(browser)
    assert any(picture.startswith("data:image/svg+xml") for picture in pictures)
    assert secret in browser.page.text.replace(" ", "")

    def code() -> str:
        clock.advance(seconds=STEP)
        return code_of(secret, step_of(clock.now()))

    browser.send("/account/second-factor/confirm", code="000000")
    assert (browser.status, secret_on(browser)) == (422, secret), "the same secret again"
    browser.send("/account/second-factor/confirm", code=code())
    assert "The second factor is on" in browser.page.text
    recovery = browser.page.text.partition("shown this once.")[2].split()[:10]
    assert len({code for code in recovery if len(code) == 29}) == 10

    other_browser = browser.another()
    other_browser.log_in()
    assert "One more step" in other_browser.page.text
    assert "session" not in other_browser.client.cookies
    other_browser.send("/login/code", code="000000")
    assert (other_browser.status, "not right" in other_browser.page.text) == (422, True)
    other_browser.send("/login/code", code=code())
    other_browser.go("/account/second-factor")
    assert "You have 10 recovery codes left." in other_browser.page.text
    assert not any("otpauth" in link for link in other_browser.page.links())
    other_browser.send("/account/second-factor/off", password=PASSWORD, code="000000")
    assert other_browser.status == 422
    other_browser.send("/account/second-factor/off", password=PASSWORD, code=recovery[0])
    assert "The second factor is off" in other_browser.page.text
    third = browser.another()
    third.log_in()
    third.go("/account")
    assert third.at == "/account"


def test_the_pages_speak_french(browser: Browser, ada: Person) -> None:
    browser.log_in()
    browser.post("/language", language="fr", next="/account/second-factor")
    assert "Il vous faut une application" in browser.page.text
    browser.send("/account/second-factor", password=PASSWORD)
    assert "Scannez ceci" in browser.page.text
    browser.send("/account/second-factor/confirm", code="000000")
    assert "Ce code n’est pas le bon" in browser.page.text
