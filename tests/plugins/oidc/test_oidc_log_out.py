"""Logging out at the provider, too, and being logged out here because the provider says so."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc.jwk import RSAKey
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.people.one_time_codes import STEP, code_of, step_of
from commensal.people.people import Person

from ..conftest import PASSWORD
from .conftest import Traveller
from .provider import ADA, CLIENT, LOGOUT, Code, Provider
from .test_oidc_log_in import with_second_factor

LOGOUT_PATH = "/api/-/oidc/logout"


@pytest.fixture
def ada_at_coop(traveller: Traveller, ada: Person) -> Traveller:
    """Ada's browser, logged in here with the provider's account, in its session 7."""
    traveller.browser.log_in(ada.email)
    traveller.connect(PASSWORD)
    another = traveller.another()
    another.provider.user = {**ADA, "sid": "session-7"}
    another.log_in()
    assert another.is_in
    return another


def tell(traveller: Traveller, token: str) -> int:
    """The provider sends a logout token, without any cookie. Returns the status."""
    body = urlencode({"logout_token": token}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    server = TestClient(traveller.browser.client.app, raise_server_exceptions=False)
    return server.post(LOGOUT_PATH, content=body, headers=headers).status_code


# ------------------------------------------------------------------------------------------------ leaving here


@pytest.fixture
def end_session_endpoint(provider: Provider) -> None:
    provider.configured["end_session_endpoint"] = f"{provider.issuer}/end?theme=coop"


@pytest.mark.usefixtures("end_session_endpoint")
def test_who_logs_out_is_offered_to_log_out_there_too(ada_at_coop: Traveller, provider: Provider) -> None:
    browser = ada_at_coop.browser
    browser.post("/logout")
    assert browser.at == "/logged-out/oidc/main"
    (link,) = [link for link in browser.page.links() if link.startswith(f"{provider.issuer}/end?")]
    assert parse_qs(urlsplit(link).query) == {
        "theme": ["coop"],
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["http://testserver/"],
        "ui_locales": ["en"],
    }
    assert not ada_at_coop.is_in


def test_a_provider_without_log_out_is_named_all_the_same(ada_at_coop: Traveller) -> None:
    page = ada_at_coop.browser.post("/logout")
    assert "You may still be logged in at Coop de la Loire" in page.text
    assert "Log out at Coop" not in page.text


def test_who_came_by_password_is_not_sent_to_the_provider(traveller: Traveller, ada: Person) -> None:
    traveller.browser.log_in(ada.email)
    traveller.browser.post("/logout")
    assert traveller.browser.at == "/"


def test_the_page_leads_nowhere_that_a_link_to_it_names(traveller: Traveller, provider: Provider) -> None:
    """An open redirect: neither the address nor a header decides where one goes."""
    provider.configured["end_session_endpoint"] = f"{provider.issuer}/end"
    evil = "?back=https://evil.example/&post_logout_redirect_uri=https://evil.example/&url=https://evil.example/"
    page = traveller.browser.go(f"/logged-out/oidc/main{evil}")
    assert not [link for link in page.links() if "evil.example" in link and not link.startswith("/")]
    (link,) = [link for link in page.links() if link.startswith(provider.issuer)]
    assert parse_qs(urlsplit(link).query)["post_logout_redirect_uri"] == ["http://testserver/"]
    for unknown in ("oidc/other", "shop/main", "evil.example/main"):
        traveller.browser.go(f"/logged-out/{unknown}")
        assert traveller.browser.status == 404


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.example/end", "https://evil.example\n/", "data:text/html,x", 7, None]
)
def test_an_address_that_is_none_is_not_offered(traveller: Traveller, provider: Provider, address: object) -> None:
    provider.configured["end_session_endpoint"] = address
    page = traveller.browser.go("/logged-out/oidc/main")
    assert traveller.browser.status == 200
    assert "Log out at Coop" not in page.text


# ------------------------------------------------------------------------------------------------ told by the provider


@pytest.mark.parametrize("claims", [{}, {"sid": "session-7"}, {"sub": None, "sid": "session-7"}])
def test_who_logs_out_there_is_logged_out_here(
    ada_at_coop: Traveller, provider: Provider, claims: dict[str, Any]
) -> None:
    assert tell(ada_at_coop, provider.logout_token(**claims)) == 204
    assert not ada_at_coop.is_in


def test_it_ends_what_began_there_and_nothing_else(ada_at_coop: Traveller, provider: Provider, ada: Person) -> None:
    by_password, elsewhere = ada_at_coop.another(), ada_at_coop.another()
    by_password.browser.log_in(ada.email)
    provider.user = {**ADA, "sid": "session-8"}
    elsewhere.log_in()
    assert tell(ada_at_coop, provider.logout_token(sid="session-7")) == 204
    assert [each.is_in for each in (ada_at_coop, by_password, elsewhere)] == [False, True, True]
    assert tell(ada_at_coop, provider.logout_token(sub="somebody-else", sid="session-8")) == 204
    assert tell(ada_at_coop, provider.logout_token(sub=None, sid="")) == 422
    assert [each.is_in for each in (by_password, elsewhere)] == [True, True]


def test_a_session_with_a_second_factor_ends_too(
    ada_at_coop: Traveller, provider: Provider, ada: Person, instance: Instance, clock: ManualClock
) -> None:
    secret = with_second_factor(instance, clock, ada)
    clock.advance(seconds=STEP)
    other = ada_at_coop.another()
    other.log_in()
    other.browser.send("/login/code", code=code_of(secret, step_of(clock.now())))
    assert other.is_in
    assert tell(other, provider.logout_token(sub=None, sid="session-7")) == 204
    assert not other.is_in


def test_a_token_that_is_repeated_ends_no_later_session(
    ada_at_coop: Traveller, provider: Provider, clock: ManualClock
) -> None:
    token = provider.logout_token()
    assert tell(ada_at_coop, token) == 204
    clock.advance(minutes=2)
    again = ada_at_coop.another()
    again.log_in()
    assert tell(again, token) == 204
    assert again.is_in, "it ended what began before it was made"
    clock.advance(minutes=12)
    assert tell(again, token) == 422


@pytest.mark.parametrize(
    ("claims", "lie"),
    [
        ({"iss": "https://evil.example"}, "of another issuer"),
        ({"aud": "another client"}, "for another client"),
        ({"events": None}, "without an event"),
        ({"events": {"http://evil.example/event": {}}}, "of another event"),
        ({"events": {LOGOUT: True}}, "of an event that is not an object"),
        ({"events": [LOGOUT]}, "of events that are a list"),
        ({"nonce": "of an attempt"}, "that is an ID token"),
        ({"jti": None}, "without an id"),
        ({"iat": None}, "without a time"),
        ({"exp": 1}, "that has expired"),
        ({"sub": None}, "that names nobody"),
        ({"sub": 7}, "of a number"),
        ({"sub": None, "sid": ["session-7"]}, "of a list of sessions"),
    ],
    ids=str,
)
def test_a_forged_token_ends_nothing(
    ada_at_coop: Traveller, provider: Provider, claims: dict[str, Any], lie: str
) -> None:
    assert tell(ada_at_coop, provider.logout_token(**claims)) == 422, lie
    assert ada_at_coop.is_in, lie


def test_a_token_that_another_has_signed_ends_nothing(ada_at_coop: Traveller, provider: Provider) -> None:
    provider.lies.key = RSAKey.generate_key(2048, {"kid": "key-1"})
    assert tell(ada_at_coop, provider.logout_token()) == 422
    for nonsense in ("", "a.b.c", "x" * 20_000, "é", provider.id_token(Code({"nonce": "n"}, ADA), CLIENT)):
        assert tell(ada_at_coop, nonsense) == 422
    assert ada_at_coop.is_in


@pytest.mark.parametrize("oidc", [{"issuer": "", "client_id": "", "client_secret": ""}], indirect=True)
def test_without_a_provider_there_is_nothing_to_tell(traveller: Traveller, provider: Provider) -> None:
    assert tell(traveller, provider.logout_token()) == 404
