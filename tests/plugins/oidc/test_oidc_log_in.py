"""Logging in with the co-operative's own accounts: the way there and back, new accounts, connecting, disconnecting."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from commensal.audit.trail import AuditFilter, audit_entries
from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.parts.accounts.confirmations import reset_password
from commensal.parts.accounts.operators import add_operator
from commensal.parts.privacy.retention import forget_expired
from commensal.people.codes import mail_code
from commensal.people.one_time_codes import STEP, code_of, step_of
from commensal.people.passwords import hash_password
from commensal.people.people import Person, disable_person
from commensal.people.second_factor import begin_second_factor, confirm_second_factor
from commensal.people.tables import log_in_departure, person, person_identity

from ...mailed import code_in, waiting_mails
from ..conftest import PASSWORD
from .conftest import Traveller
from .provider import ADA, BACK, CLIENT, Provider

NEW = {"sub": "bob-at-coop", "email": "Bob@Example.org", "email_verified": True, "name": "Bob Le Goff"}


def people(instance: Instance) -> list[dict[str, Any]]:
    with instance.store.read() as tx:
        return [dict(row) for row in tx.all(select(person).order_by(person.c.created_at, person.c.id))]


def identities(instance: Instance) -> list[tuple[str, str]]:
    with instance.store.read() as tx:
        rows = tx.all(select(person_identity).order_by(person_identity.c.linked_at, person_identity.c.id))
        return [(row["person_id"], row["subject"]) for row in rows]


def mails(instance: Instance) -> list[str]:
    with instance.store.read() as tx:
        return [mail["kind"] for mail in waiting_mails(tx)]


def trail(instance: Instance) -> list[tuple[str, str]]:
    with instance.store.read() as tx:
        return [(entry.action, entry.object_kind) for entry in audit_entries(tx, AuditFilter(), 50)]


def with_second_factor(instance: Instance, clock: ManualClock, owner: Person) -> str:
    """Turns a second factor on, and returns its secret."""
    with instance.store.write() as tx:
        secret = begin_second_factor(tx, owner.id, place="Les Paniers").secret
    with instance.store.write() as tx:
        assert confirm_second_factor(tx, owner.id, code_of(secret, step_of(clock.now())), keep=None)
    return secret


def test_somebody_new_gets_an_account_by_a_verified_address(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    provider.user = NEW
    traveller.log_in("/orders")
    assert traveller.browser.at == "/orders", "the page from which they came"
    (bob,) = people(instance)
    assert (bob["email"], bob["name"], bob["language"]) == ("bob@example.org", "Bob Le Goff", "en")
    assert (bob["confirmed_at"] is not None, bob["password_hash"], bob["is_operator"]) == (True, None, False)
    assert traveller.is_in
    assert "You have no password here yet." in traveller.browser.page.text
    again = traveller.another()
    again.log_in()
    assert len(people(instance)) == 1
    assert again.is_in


def test_what_is_asked_of_the_provider_is_what_the_standard_says(traveller: Traveller, provider: Provider) -> None:
    first, second = (parse_qs(urlsplit(traveller.leave()).query) for _ in range(2))
    assert (first["response_type"], first["client_id"], first["redirect_uri"]) == (["code"], [CLIENT], [BACK])
    assert first["scope"] == ["openid email profile"]
    assert first["code_challenge_method"] == ["S256"]
    secrets = [asked[name][0] for asked in (first, second) for name in ("state", "nonce", "code_challenge")]
    assert len(set(secrets)) == 6, "each its own, and each time another"
    assert all(len(secret) == 43 for secret in secrets)


@pytest.mark.parametrize(
    "user",
    [
        {**NEW, "email_verified": False},
        {**NEW, "email_verified": "true"},
        {**NEW, "email": None},
        {"sub": "bob"},
        {**NEW, "email": "bob"},
    ],
)
def test_no_account_is_made_for_an_address_that_the_provider_has_not_verified(
    traveller: Traveller, provider: Provider, instance: Instance, user: dict[str, Any]
) -> None:
    provider.user = user
    traveller.log_in()
    assert (traveller.browser.status, people(instance)) == (422, [])
    assert "Your account at Coop de la Loire is not connected with one here." in traveller.browser.page.text
    assert not traveller.is_in


@pytest.mark.parametrize(
    ("oidc", "lets_in"),
    [
        ({"new_accounts": False}, False),
        ({"email_domains": ["coop.example"]}, False),
        ({"email_domains": ["coop.example", "example.org"]}, True),
    ],
    indirect=["oidc"],
)
def test_the_operator_says_who_gets_a_new_account(
    oidc: dict[str, Any], lets_in: bool, traveller: Traveller, instance: Instance, provider: Provider
) -> None:
    provider.user = NEW
    traveller.log_in()
    assert (traveller.is_in, len(people(instance))) == (lets_in, int(lets_in))


def test_an_address_that_somebody_has_here_opens_nothing(traveller: Traveller, ada: Person, instance: Instance) -> None:
    traveller.log_in()
    assert traveller.browser.status == 422
    assert "There is an account here with your address already." in traveller.browser.page.text
    assert (identities(instance), traveller.is_in) == ([], False)
    assert ("log-in failed", "person") in trail(instance)


def test_the_same_page_says_whether_there_is_an_account_only_to_who_owns_the_address(
    traveller: Traveller, ada: Person, provider: Provider
) -> None:
    provider.user = {**ADA, "email_verified": False}
    traveller.log_in()
    assert "already" not in traveller.browser.page.text


def test_an_owner_connects_an_account_with_their_password_and_is_told_by_mail(
    traveller: Traveller, ada: Person, instance: Instance
) -> None:
    traveller.browser.log_in()
    traveller.browser.go("/account")
    traveller.browser.send("/account/elsewhere", elsewhere_password="not the password")
    assert (traveller.browser.status, "This is not your password." in traveller.browser.page.text) == (422, True)
    traveller.connect(PASSWORD)
    assert traveller.browser.at == "/account?done=elsewhere"
    assert identities(instance) == [(ada.id, "ada-at-coop")]
    assert mails(instance) == ["identity_linked"]
    assert ("made", "person_identity") in trail(instance)
    elsewhere = traveller.another()
    elsewhere.log_in("/orders")
    assert elsewhere.browser.at == "/orders"
    assert trail(instance).count(("logged in", "person")) == 2


def test_an_address_that_changes_there_changes_nothing_here(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    provider.user = {**ADA, "email": "ada@elsewhere.example", "name": "Somebody else"}
    other = traveller.another()
    other.log_in()
    assert other.is_in
    assert [row["email"] for row in people(instance)] == ["ada@example.org"]


def test_what_is_connected_with_one_account_is_not_connected_with_another(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    provider.user = NEW
    traveller.log_in()
    thief = traveller.another()
    thief.browser.log_in()
    thief.connect(PASSWORD)
    assert thief.browser.status == 409
    assert "Somebody else's account here is connected with this one already." in thief.browser.page.text
    assert [subject for _, subject in identities(instance)] == ["bob-at-coop"]


def test_the_second_factor_is_asked_for_whichever_way_somebody_comes(
    traveller: Traveller, ada: Person, clock: ManualClock, instance: Instance
) -> None:
    secret = with_second_factor(instance, clock, ada)

    def code() -> str:
        clock.advance(seconds=STEP)
        return code_of(secret, step_of(clock.now()))

    browser = traveller.browser
    browser.log_in()
    browser.send("/login/code", code=code())
    browser.go("/account")
    browser.send("/account/elsewhere", elsewhere_password=PASSWORD, code="000000")
    assert (browser.status, "This code is not right" in browser.page.text) == (422, True)
    traveller.connect(PASSWORD, code=code())
    assert len(identities(instance)) == 1
    other = traveller.another()
    other.log_in("/orders")
    assert "One more step" in other.browser.page.text
    assert "session" not in other.browser.client.cookies
    other.browser.send("/login/code", code="000000")
    assert other.browser.status == 422
    other.browser.send("/login/code", code=code())
    assert other.browser.at == "/orders"


def test_who_disconnects_ends_what_began_there_and_gets_in_by_password(
    traveller: Traveller, ada: Person, instance: Instance
) -> None:
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    elsewhere = traveller.another()
    elsewhere.log_in()
    with instance.store.read() as tx:
        identity_id = tx.value(select(person_identity.c.id))
    stranger = traveller.another()
    stranger.browser.post(f"/account/elsewhere/{identity_id}")
    assert stranger.browser.at.startswith("/login")
    traveller.browser.go("/account")
    traveller.browser.send(f"/account/elsewhere/{identity_id}")
    assert identities(instance) == []
    assert traveller.is_in
    assert not elsewhere.is_in
    elsewhere.browser.log_in()
    assert elsewhere.is_in


def test_nobody_disconnects_what_is_anothers(
    traveller: Traveller, ada: Person, provider: Provider, instance: Instance
) -> None:
    provider.user = NEW
    traveller.log_in()
    with instance.store.read() as tx:
        identity_id = tx.value(select(person_identity.c.id))
    ada_herself = traveller.another()
    ada_herself.browser.log_in()
    ada_herself.browser.post(f"/account/elsewhere/{identity_id}")
    assert (ada_herself.browser.status, len(identities(instance))) == (404, 1)


def test_a_provider_that_vanishes_locks_nobody_out(
    traveller: Traveller, provider: Provider, instance: Instance, clock: ManualClock
) -> None:
    """Bob has never had a password here. He gets one by mail, and what somebody else may have connected is gone."""
    provider.user = NEW
    traveller.log_in()
    provider.down = True
    clock.advance(days=2)
    lost = traveller.another()
    lost.browser.go("/login")
    lost.browser.send("/login/with/oidc/main")
    assert (lost.browser.status, "does not answer at the moment" in lost.browser.page.text) == (422, True)
    with instance.store.write() as tx:
        mail_code(tx, "bob@example.org", "reset", kind="reset_password")
    with instance.store.write() as tx:
        (mail,) = waiting_mails(tx)
        code = code_in(tx, mail)
    lost.browser.go(f"/reset/{code}")
    lost.browser.send("", password=PASSWORD)
    lost.browser.log_in("bob@example.org")
    assert lost.is_in
    assert identities(instance) == []


def test_a_new_password_leaves_no_door_to_who_had_the_account(
    traveller: Traveller, ada: Person, instance: Instance
) -> None:
    """By mail, and from the operator's shell."""
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    with instance.store.write() as tx:
        mail_code(tx, ada.email, "reset", kind="reset_password")
    with instance.store.write() as tx:
        code = code_in(tx, waiting_mails(tx)[-1])
        reset_password(tx, code, hash_password(PASSWORD))
    assert identities(instance) == []
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    assert len(identities(instance)) == 1
    add_operator(instance.store, email=ada.email, name="Ada", password=PASSWORD, language="en", operator=False)
    assert identities(instance) == []


def test_without_a_password_nobody_proves_one_and_the_page_says_how_to_get_it(
    traveller: Traveller, provider: Provider
) -> None:
    provider.user = NEW
    traveller.log_in()
    traveller.browser.go("/account")
    traveller.browser.send("/account/forget", password=PASSWORD)
    assert "You have no password here yet. Get one by mail" in traveller.browser.page.text


def test_who_is_locked_stays_out(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    provider.user = NEW
    traveller.log_in()
    with instance.store.write() as tx:
        disable_person(tx, people(instance)[0]["id"])
    other = traveller.another()
    other.log_in()
    assert (other.browser.status, "This account is locked." in other.browser.page.text) == (403, True)
    assert not other.is_in


def test_an_address_that_nobody_has_confirmed_is_no_ground_to_connect(
    traveller: Traveller, ada: Person, instance: Instance
) -> None:
    """A stranger may have signed up with it: its owner would find them inside later."""
    with instance.store.write() as tx:
        tx.execute(person.update().values(confirmed_at=None))
    traveller.browser.log_in()
    traveller.connect(PASSWORD)
    assert (traveller.browser.status, identities(instance)) == (403, [])


def test_names_that_are_none_are_not_taken(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    provider.user = {**NEW, "name": "Win at https://evil.example"}
    traveller.log_in()
    assert people(instance)[0]["name"] == "bob"


def test_what_the_token_lacks_is_asked_for(traveller: Traveller, provider: Provider, instance: Instance) -> None:
    provider.user, provider.says_all_in_token = NEW, False
    traveller.log_in()
    assert [row["email"] for row in people(instance)] == ["bob@example.org"]
    assert ("GET", "/user") in provider.asked


def test_the_secret_is_sent_as_the_provider_wants_it(
    traveller: Traveller, provider: Provider, instance: Instance
) -> None:
    provider.configured = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    provider.user = NEW
    traveller.log_in()
    assert traveller.is_in


def test_departures_are_forgotten(traveller: Traveller, instance: Instance, clock: ManualClock) -> None:
    traveller.leave()
    clock.advance(minutes=11)
    with instance.store.write() as tx:
        assert forget_expired(tx) == 1
        assert tx.all(select(log_in_departure)) == []


def test_the_pages_speak_french(traveller: Traveller, ada: Person) -> None:
    browser = traveller.browser
    browser.reads("fr")
    browser.go("/login")
    assert "Se connecter avec Coop de la Loire" in browser.page.text
    browser.send("/login/with/oidc/main")
    assert "Vous vous y connectez, puis revenez ici." in browser.page.text
    browser.go(traveller.provider.go_on(traveller.way()))
    assert "Il existe déjà ici un compte avec votre adresse." in browser.page.text
    browser.log_in()
    browser.post("/language", language="fr", next="/account")
    assert "Se connecter avec un compte d’ailleurs" in browser.page.text
