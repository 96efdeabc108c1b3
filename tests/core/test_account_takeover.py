"""What an attacker leaves behind in an account, and how its owner removes it by mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Forbidden
from commensal.enterprises.tokens import list_tokens, make_token
from commensal.parts.accounts.confirmations import reset_password
from commensal.parts.accounts.operators import add_operator
from commensal.people import second_factor
from commensal.people.codes import mail_code
from commensal.people.one_time_codes import code_of, step_of
from commensal.people.passwords import hash_password
from commensal.people.people import Person, person_by_email
from commensal.people.second_factor import begin_second_factor, confirm_second_factor, has_second_factor
from commensal.storage.database import Store

from .test_people_api import GOOD, HASH, HERE, code_in_last_mail, log_in

Somebody = Callable[..., Person]


def reset_by_mail(store: Store, email: str) -> None:
    """Resets the password as the owner of the address, by the link in the mail."""
    with store.write() as tx:
        mail_code(tx, email, "reset", kind="reset_password")
    code = code_in_last_mail(store)
    with store.write() as tx:
        reset_password(tx, code, HASH)


def test_a_new_password_by_mail_revokes_the_tokens_of_an_intruder(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    with store.write() as tx:
        make_token(tx, ada.id, name="intruder", scopes=["self"])
    reset_by_mail(store, ada.email)
    with store.read() as tx:
        assert list_tokens(tx, ada.id) == []


def test_a_new_password_from_the_shell_revokes_them_too(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada", password_hash=HASH)
    with store.write() as tx:
        make_token(tx, ada.id, name="intruder", scopes=["self"])
    add_operator(store, email=ada.email, name="Ada", password=GOOD, language="en", operator=False)
    with store.read() as tx:
        assert list_tokens(tx, ada.id) == []


def test_a_session_alone_makes_no_token(client: TestClient, somebody: Somebody) -> None:
    """Somebody who finds a browser logged in must not be able to stay."""
    ada = somebody("Ada", password_hash=HASH)
    log_in(client, ada.email)
    wish = {"name": "till", "scopes": ["self"]}
    response = client.post("/api/me/tokens", json=wish, headers=HERE)
    wrong_password = client.post("/api/me/tokens", json={**wish, "password": "not the password"}, headers=HERE)
    assert (response.status_code, wrong_password.status_code) == (422, 422)
    assert wrong_password.json()["errors"][0]["pointer"] == "/password"
    assert client.post("/api/me/tokens", json={**wish, "password": GOOD}, headers=HERE).status_code == 201


def test_only_operators_make_enterprises_unless_they_let_everybody(client: TestClient, somebody: Somebody) -> None:
    ada, root = somebody("Ada", password_hash=HASH), somebody("Root", operator=True, password_hash=HASH)
    log_in(client, ada.email)
    response = client.post("/api/enterprises", json={"name": "La Ferme"}, headers=HERE)
    assert (response.status_code, response.json()["code"]) == (403, "new_enterprises")
    client.cookies.clear()
    log_in(client, root.email)
    assert client.post("/api/enterprises", json={"name": "La Ferme"}, headers=HERE).status_code == 201


def test_a_token_without_the_right_of_operators_makes_no_enterprise(
    client: TestClient, store: Store, somebody: Somebody
) -> None:
    root = somebody("Root", operator=True)
    with store.write() as tx:
        without_right, with_right = (
            make_token(tx, root.id, name="x", scopes=scopes) for scopes in (["self"], ["self", "operator"])
        )
    responses = [
        client.post("/api/enterprises", json={"name": "F"}, headers={"Authorization": f"Bearer {token.secret}"})
        for token in (without_right, with_right)
    ]
    assert [response.status_code for response in responses] == [403, 201]


def test_only_a_proved_address_gets_a_second_factor(store: Store, somebody: Somebody) -> None:
    eve = somebody("Ada", confirmed=False, password_hash=HASH)
    with store.write() as tx, pytest.raises(Forbidden, match="confirm"):
        begin_second_factor(tx, eve.id, place="Val")


def test_who_signed_up_with_an_address_of_another_keeps_nothing_once_its_owner_comes(
    store: Store, clock: ManualClock, somebody: Somebody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Accounts of earlier releases may have a second factor without a proved address."""
    eve = somebody("Ada", confirmed=False, password_hash=hash_password("the password of Eve"))
    monkeypatch.setattr(second_factor, "refuse_unconfirmed", lambda person: None, raising=False)
    with store.write() as tx:
        secret = begin_second_factor(tx, eve.id, place="Val").secret
        assert confirm_second_factor(tx, eve.id, code_of(secret, step_of(clock.now())), keep=None)
        assert has_second_factor(tx, eve.id)
    reset_by_mail(store, eve.email)
    with store.read() as tx:
        assert person_by_email(tx, eve.email).confirmed_at is not None
        assert not has_second_factor(tx, eve.id), "the stranger's telephone would be needed for ever"
