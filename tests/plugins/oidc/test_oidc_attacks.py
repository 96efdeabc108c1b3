"""Attacks on logging in with a provider: each is refused, and without its defence it would succeed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import func, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.hooks.values import LogInAttempt, ProvenIdentity
from commensal.instance import Instance
from commensal.parts.accounts import log_in_elsewhere
from commensal.parts.accounts.confirmations import reset_password
from commensal.people.codes import fingerprint, mail_code
from commensal.people.passwords import hash_password
from commensal.people.people import Person, add_person, new_person
from commensal.people.sessions import begin_session
from commensal.people.tables import log_in_departure, person_identity, person_session
from commensal_oidc import log_in

from ...mailed import code_in, waiting_mails
from ..at_once import at_once
from ..conftest import PASSWORD
from .conftest import Traveller
from .provider import BACK, CLIENT, Lies, Provider

AGAIN = "This took too long. Please log in again from the start."
NOT_PROVEN = "Coop de la Loire has not told us who you are."


def sessions(instance: Instance) -> int:
    with instance.store.read() as tx:
        return int(tx.value(select(func.count()).select_from(person_session)))


def changed(url: str, **parameters: str) -> str:
    """The URL with other parameters."""
    parts = urlsplit(url)
    return parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **parameters})).geturl()


# ------------------------------------------------------------------------------------------------ on the way


def test_an_answer_counts_once(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    """Who reads the address in a history or a log has nothing of it."""
    provider.user = {"sub": "bob", "email": "bob@example.org", "email_verified": True}
    answer = provider.go_on(traveller.leave())
    traveller.browser.go(answer)
    assert sessions(instance) == 1
    for thief in (traveller, traveller.another()):
        thief.browser.go(answer)
        assert thief.browser.status == 422
    assert sessions(instance) == 1


def test_of_an_answer_that_comes_twice_at_once_one_counts(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    """Both carry the cookie of the departure, and the same state."""
    provider.user = {"sub": "bob", "email": "bob@example.org", "email_verified": True}
    answer, browsers = provider.go_on(traveller.leave()), [traveller.browser.another().client for _ in range(4)]
    statuses = Counter[int]()

    def come_back(client: TestClient) -> None:
        client.cookies.update(traveller.browser.client.cookies)
        statuses[client.get(answer, follow_redirects=False).status_code] += 1

    at_once(*(partial(come_back, client) for client in browsers))
    assert statuses == {303: 1, 422: 3}
    assert sessions(instance) == 1
    assert [path for _, path in provider.asked].count("/token") == 1


def test_two_who_connect_one_account_at_once_do_not_share_it(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    owners = [ada]
    with instance.store.write() as tx:
        bob = add_person(
            tx, new_person(email="bob@example.org", name="Bob", password=PASSWORD, language="en"), confirmed=True
        )
        assert bob is not None
        owners.append(bob)
    proven = ProvenIdentity(issuer=provider.issuer, subject="shared")

    def connect(owner: Person) -> None:
        with instance.store.write() as tx:
            session = fingerprint(begin_session(tx, owner).secret)
        departed = log_in_elsewhere.Departed(provider="oidc:main", person_id=owner.id, next_url="/")
        with instance.store.write() as tx:
            log_in_elsewhere.connect_identity(tx, instance, departed, proven, session_hash=session)

    assert at_once(*(partial(connect, owner) for owner in owners)) == {"done": 1, "identity_taken": 1}
    assert linked(instance) == 1


def test_a_code_that_was_used_is_refused_by_the_provider_too(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    first = provider.go_on(traveller.leave())
    code = dict(parse_qsl(urlsplit(first).query))["code"]
    traveller.browser.go(first)
    thief = traveller.another()
    second = provider.go_on(thief.leave())
    thief.browser.go(changed(second, code=code))
    assert NOT_PROVEN in thief.browser.page.text


def test_a_stolen_code_is_worth_nothing_without_its_verifier(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    """The code of Ada's browser, before it is used, put into an attempt of the thief's own (PKCE)."""
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    before = sessions(instance)
    stolen = dict(parse_qsl(urlsplit(provider.go_on(traveller.another().leave())).query))["code"]
    thief = traveller.another()
    thief.browser.go(changed(provider.go_on(thief.leave()), code=stolen))
    assert (NOT_PROVEN in thief.browser.page.text, sessions(instance)) == (True, before)


@pytest.mark.parametrize("state", ["", "another", "A" * 43, "é" * 43])
def test_another_state_is_refused(traveller: Traveller, provider: Provider, instance: Instance, state: str) -> None:
    traveller.browser.go(changed(provider.go_on(traveller.leave()), state=state))
    assert (AGAIN in traveller.browser.page.text, sessions(instance)) == (True, 0)


def test_nobody_is_logged_in_as_somebody_else_by_a_link(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    """Log-in CSRF: an attacker sends the answer for their own account to a victim."""
    answer = provider.go_on(traveller.leave())
    victim = traveller.another()
    victim.browser.go(answer)
    assert (AGAIN in victim.browser.page.text, sessions(instance)) == (True, 0)
    victim.leave()
    victim.browser.go(answer)
    assert (AGAIN in victim.browser.page.text, sessions(instance)) == (True, 0)


def test_without_the_look_at_the_state_such_a_link_would_log_in(
    traveller: Traveller, provider: Provider, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The canary: the victim's own departure, with the attacker's code. PKCE and nonce are then the only guards."""
    provider.user = {"sub": "mallory", "email": "mallory@example.org", "email_verified": True}
    answer = provider.go_on(traveller.leave())
    monkeypatch.setattr("hmac.compare_digest", lambda a, b: True)
    monkeypatch.setattr(log_in_elsewhere, "_attempt", _predictable)
    victim = traveller.another()
    url = victim.leave()
    asked = dict(parse_qsl(urlsplit(url).query))
    provider.codes = {code: replace(kept, values=asked) for code, kept in provider.codes.items()}
    victim.browser.go(answer)
    assert sessions(instance) == 1


def _predictable(secret: str, provider: str, back: str, language: str) -> LogInAttempt:
    return LogInAttempt(provider="main", back=back, state="s" * 43, nonce="n" * 43, verifier="v" * 43)


def test_ten_minutes_are_enough(
    traveller: Traveller, provider: Provider, instance: Instance, clock: ManualClock
) -> None:
    answer = provider.go_on(traveller.leave())
    clock.advance(minutes=10)
    traveller.browser.go(answer)
    assert (AGAIN in traveller.browser.page.text, sessions(instance)) == (True, 0)


def test_a_parameter_that_stands_there_twice_is_refused(traveller: Traveller, provider: Provider) -> None:
    traveller.browser.go(f"{provider.go_on(traveller.leave())}&code=another")
    assert AGAIN in traveller.browser.page.text


def test_what_is_endless_is_refused_before_the_provider_is_asked(traveller: Traveller, provider: Provider) -> None:
    answer = changed(provider.go_on(traveller.leave()), code="c" * 9000)
    provider.asked.clear()
    traveller.browser.go(answer)
    assert (AGAIN in traveller.browser.page.text, provider.asked) == (True, [])


@pytest.mark.parametrize("issuer", ["https://evil.example", ""])
def test_the_answer_of_another_issuer_is_refused(
    traveller: Traveller, provider: Provider, instance: Instance, issuer: str
) -> None:
    """The mix-up attack (RFC 9207): the answer of a provider that the attacker runs leads here."""
    provider.lies.issuer = "https://evil.example"
    answer = provider.go_on(traveller.leave())
    traveller.browser.go(answer if issuer else answer.partition("&iss=")[0])
    assert (NOT_PROVEN in traveller.browser.page.text, sessions(instance)) == (True, 0)
    assert ("POST", "/token") not in provider.asked, "the code goes nowhere"


def test_who_refuses_there_is_not_let_in_here(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    provider.denies = True
    traveller.log_in()
    assert (NOT_PROVEN in traveller.browser.page.text, sessions(instance)) == (True, 0)


@pytest.mark.parametrize(
    "next_url", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_site(traveller: Traveller, provider: Provider, next_url: str) -> None:
    provider.user = {"sub": "bob", "email": "bob@example.org", "email_verified": True}
    traveller.log_in(next_url)
    assert traveller.browser.at == "/"


def test_a_session_that_somebody_planted_is_not_the_one_that_is_logged_in(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    provider.user = {"sub": "bob", "email": "bob@example.org", "email_verified": True}
    client = traveller.browser.client
    client.cookies.set("session", "planted", domain="testserver.local", path="/")
    traveller.log_in()
    secrets = {cookie.value for cookie in client.cookies.jar if cookie.name == "session"}
    assert any(secret != "planted" for secret in secrets)
    thief = traveller.another()
    thief.browser.client.cookies.set("session", "planted", domain="testserver.local", path="/")
    assert not thief.is_in


def test_a_log_in_ends_the_session_that_the_browser_had(
    traveller: Traveller, ada: Person, instance: Instance, provider: Provider
) -> None:
    provider.user = {"sub": "bob", "email": "bob@example.org", "email_verified": True}
    url = traveller.leave()
    traveller.browser.post("/login", email=ada.email, password=PASSWORD, next="/")
    before = traveller.browser.client.cookies["session"]
    traveller.browser.go(provider.go_on(url))
    thief = traveller.another()
    thief.browser.client.cookies.set("session", before, domain="testserver.local", path="/")
    assert not thief.is_in


# ------------------------------------------------------------------------------------------------ connecting


def test_who_finds_a_browser_open_connects_nothing(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    traveller.browser.log_in()
    traveller.browser.post("/account/elsewhere", provider="oidc:main", elsewhere_password="")
    assert traveller.browser.status == 422
    assert provider.asked == []


def test_an_attempt_to_log_in_connects_nothing_with_who_is_logged_in(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    """And an answer for one person connects nothing with another who is logged in meanwhile."""
    provider.user = {"sub": "mallory"}
    answer = provider.go_on(traveller.leave())
    traveller.browser.log_in()
    traveller.browser.go(answer)
    assert linked(instance) == 0
    traveller.browser.go("/account")
    traveller.browser.send("/account/elsewhere", elsewhere_password=PASSWORD)
    answer = provider.go_on(traveller.way())
    traveller.browser.post("/logout")
    traveller.browser.go(answer)
    assert (AGAIN in traveller.browser.page.text, linked(instance)) == (True, 0)


def test_who_is_shut_out_while_the_provider_is_asked_connects_nothing(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    """Ada gets a new password by mail while the browser of who had the account is on its way back."""

    def set_new_password() -> None:
        with instance.store.write() as tx:
            mail_code(tx, ada.email, "reset", kind="reset_password")
        with instance.store.write() as tx:
            reset_password(tx, code_in(tx, waiting_mails(tx)[-1]), hash_password("another long password"))

    traveller.browser.log_in()
    provider.meanwhile = set_new_password
    traveller.connect(PASSWORD)
    assert linked(instance) == 0
    assert traveller.browser.at.startswith("/login")
    assert not traveller.is_in


def linked(instance: Instance) -> int:
    with instance.store.read() as tx:
        return int(tx.value(select(func.count()).select_from(person_identity)))


def test_another_site_begins_nothing(traveller: Traveller, provider: Provider) -> None:
    for path in ("/login/with/oidc/main", "/account/elsewhere"):
        response = traveller.browser.client.post(path, headers={"Origin": "https://evil.example"})
        assert response.status_code == 403
    assert traveller.browser.client.get("/login/with/oidc/main").status_code in (404, 405)
    assert provider.asked == []


# ------------------------------------------------------------------------------------------------ tokens

LIES: dict[str, Callable[[Provider], Lies]] = {
    "no signature": lambda _: Lies(algorithm="none"),
    "signed with the public key": lambda _: Lies(algorithm="HS256"),
    "an algorithm of RSA that is not agreed": lambda provider: Lies(algorithm="RS512"),
    "another key": lambda provider: Lies(key=RSAKey.generate_key(2048)),
    "another nonce": lambda provider: Lies(claims={"nonce": "n" * 43}),
    "no nonce": lambda provider: Lies(without=("nonce",)),
    "another issuer": lambda provider: Lies(claims={"iss": "https://evil.example"}),
    "another client": lambda provider: Lies(claims={"aud": "another"}),
    "several clients": lambda provider: Lies(claims={"aud": [CLIENT, "another"]}),
    "made for another of several": lambda provider: Lies(claims={"aud": [CLIENT, "another"], "azp": "another"}),
    "expired": lambda provider: Lies(claims={"exp": int(provider.clock.now().timestamp()) - 61}),
    "no end": lambda provider: Lies(without=("exp",)),
    "made long ago": lambda provider: Lies(claims={"iat": int(provider.clock.now().timestamp()) - 700}),
    "made tomorrow": lambda provider: Lies(claims={"iat": int(provider.clock.now().timestamp()) + 86_400}),
    "nobody": lambda provider: Lies(without=("sub",)),
    "an empty name": lambda provider: Lies(claims={"sub": ""}),
    "a name that is none": lambda provider: Lies(claims={"sub": ["ada-at-coop"]}),
    "very long": lambda provider: Lies(claims={"sub": "a" * 20_000}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_proves_nothing_opens_nothing(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance, lie: str
) -> None:
    """Ada has connected her account; then tokens come that should have said so."""
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    before = sessions(instance)
    provider.lies = LIES[lie](provider)
    liar = traveller.another()
    liar.log_in()
    assert (liar.browser.status in (422, 502), sessions(instance)) == (True, before)
    assert not liar.is_in
    provider.lies = Lies()
    liar.log_in()
    assert liar.is_in, "the truth still opens"


@pytest.mark.parametrize("lie", ["no signature", "another nonce", "another client", "another key"])
def test_without_the_checks_of_a_token_each_of_these_would_open(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance, lie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    traveller.browser.log_in()
    traveller.connect(PASSWORD)

    def believe(instance: Instance, settings: object, token: str, nonce: str) -> dict[str, Any]:
        return {"sub": "ada-at-coop", "email": "ada@example.org"}

    monkeypatch.setattr(log_in, "verified_claims", believe)
    provider.lies = LIES[lie](provider)
    liar = traveller.another()
    liar.log_in()
    assert liar.is_in


def test_what_the_provider_says_of_somebody_else_is_not_believed(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    provider.says_all_in_token, provider.lies.user = False, {"sub": "somebody else"}
    traveller.log_in()
    assert (NOT_PROVEN in traveller.browser.page.text, sessions(instance)) == (True, 0)


# ------------------------------------------------------------------------------------------------ the provider itself


@pytest.mark.parametrize(
    "configured",
    [
        {"issuer": "https://evil.example"},
        {"jwks_uri": "http://127.0.0.1:1/keys"},
        {"authorization_endpoint": "javascript:alert(1)"},
    ],
)
def test_a_configuration_that_leads_astray_leads_nowhere(
    traveller: Traveller, provider: Provider, instance: Instance, configured: dict[str, Any]
) -> None:
    provider.configured = configured
    traveller.browser.go("/login")
    traveller.browser.send("/login/with/oidc/main")
    assert traveller.browser.status in (422, 502)
    assert not [link for link in traveller.browser.page.links() if "evil" in link or "javascript" in link]


@pytest.mark.parametrize("endpoint", ["http://169.254.169.254/token", "http://127.0.0.1:1/token", "file:///etc/passwd"])
def test_an_inner_address_as_token_endpoint_is_not_asked(
    traveller: Traveller, provider: Provider, instance: Instance, endpoint: str
) -> None:
    provider.configured = {"token_endpoint": endpoint}
    traveller.log_in()
    assert "does not answer at the moment" in traveller.browser.page.text
    assert sessions(instance) == 0


def test_what_leaves_says_nothing_that_opens(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    """Neither the database nor the address has the cookie's secret, the verifier or the nonce's origin."""
    url = traveller.leave()
    secret = traveller.browser.client.cookies["departure"]
    attempt = log_in_elsewhere._attempt(secret, "oidc:main", BACK, "en")
    with instance.store.read() as tx:
        row = str(tx.all(select(log_in_departure)))
    for hidden in (secret, attempt.verifier):
        assert hidden not in url
        assert hidden not in row
    assert attempt.state not in row
    assert attempt.nonce not in row
    assert attempt.verifier not in repr(attempt)
