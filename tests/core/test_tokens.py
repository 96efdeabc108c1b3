"""API tokens: what they may be given, what they can do, and how they end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Forbidden, Invalid, NotFound
from commensal.enterprises.access import demand_session
from commensal.enterprises.tables import enterprise_member
from commensal.enterprises.tokens import list_tokens, make_token, revoke_token
from commensal.people.logging_in import actor_of_token
from commensal.people.people import Person, disable_person
from commensal.people.tables import api_token
from commensal.storage.database import Store

Somebody = Callable[..., Person]


def test_a_token_acts_for_a_person_with_its_scopes_and_is_shown_once(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        token = make_token(tx, ada.id, name="till", scopes={"orders:read", "self"})
        assert token.secret.startswith("cml_")
        assert token.secret not in repr(token)
        assert token.secret not in map(str, tx.one(select(api_token)).values())
        actor = actor_of_token(tx, token.secret, "192.0.2.1")
        assert list_tokens(tx, ada.id) == [token.token]
    assert actor is not None
    assert (actor.person_id, actor.token_id, actor.token_enterprise) == (ada.id, token.token.id, None)
    assert actor.token_scopes == frozenset({"orders:read", "self"})
    with pytest.raises(Forbidden, match="log-in"):
        demand_session(actor)


def test_a_token_of_an_enterprise_has_at_most_what_the_person_may_do_there(
    store: Store, somebody: Somebody, village: Any
) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        row = {"enterprise_id": "hub", "person_id": ada.id, "role": "packer", "since": tx.now}
        tx.execute(insert(enterprise_member).values(**row))
        token = make_token(tx, ada.id, name="scales", scopes=["orders:pack"], enterprise_id="hub")
        actor = actor_of_token(tx, token.secret, "")
        assert actor is not None
        assert actor.token_enterprise == "hub"
        with pytest.raises(Invalid) as error:
            make_token(tx, ada.id, name="", scopes=["orders:write", "self", "orders:pack"], enterprise_id="hub")
        with pytest.raises(NotFound):
            make_token(tx, ada.id, name="x", scopes=["orders:pack"], enterprise_id="stranger")
    problems = [(problem.where, problem.values.get("scope")) for problem in error.value.problems]
    assert problems == [("/name", None), ("/scopes", "orders:write"), ("/scopes", "self")]


@pytest.mark.parametrize("scopes", [[], ["orders:eat"], ["public"], ["operator"]])
def test_scopes_that_mean_nothing_are_refused(store: Store, somebody: Somebody, scopes: list[str]) -> None:
    ada = somebody("Ada")
    with store.write() as tx, pytest.raises(Invalid):
        make_token(tx, ada.id, name="x", scopes=scopes)


def test_only_operators_make_tokens_that_operate(store: Store, somebody: Somebody) -> None:
    root = somebody("Root", operator=True)
    with store.write() as tx:
        assert make_token(tx, root.id, name="backup", scopes=["operator"]).token.scopes == {"operator"}


def test_an_address_that_is_only_claimed_makes_no_tokens(store: Store, somebody: Somebody) -> None:
    eve = somebody("Eve", confirmed=False)
    with store.write() as tx, pytest.raises(Forbidden, match="confirm"):
        make_token(tx, eve.id, name="x", scopes=["self"])


def test_a_token_ends_when_it_is_late_revoked_or_its_owner_locked_out(
    store: Store, clock: ManualClock, somebody: Somebody
) -> None:
    ada, eve = somebody("Ada"), somebody("Eve")
    with store.write() as tx:
        token = make_token(tx, ada.id, name="late", scopes=["self"], expires_at=tx.now + timedelta(days=1))
        revoked = make_token(tx, ada.id, name="gone", scopes=["self"])
        of_locked_out = make_token(tx, eve.id, name="locked", scopes=["self"])
        with pytest.raises(NotFound):
            revoke_token(tx, eve.id, revoked.token.id)
        revoke_token(tx, ada.id, revoked.token.id)
        with pytest.raises(NotFound):
            revoke_token(tx, ada.id, revoked.token.id)
        assert actor_of_token(tx, token.secret, "") is not None
        assert list_tokens(tx, ada.id) == [token.token]
        disable_person(tx, eve.id)
    clock.advance(days=1)
    with store.read() as tx:
        assert [actor_of_token(tx, token_made.secret, "") for token_made in (token, revoked, of_locked_out)] == [
            None
        ] * 3
        assert list_tokens(tx, ada.id) == []


@pytest.mark.parametrize("days", [0, -1, 4000])
def test_a_token_ends_within_ten_years(store: Store, somebody: Somebody, days: int) -> None:
    ada = somebody("Ada")
    with store.write() as tx, pytest.raises(Invalid) as error:
        make_token(tx, ada.id, name="x", scopes=["self"], expires_at=tx.now + timedelta(days=days))
    assert [problem.where for problem in error.value.problems] == ["/expires_at"]


def test_a_person_has_at_most_fifty_tokens(store: Store, somebody: Somebody) -> None:
    ada = somebody("Ada")
    with store.write() as tx:
        for number in range(50):
            make_token(tx, ada.id, name=str(number), scopes=["self"])
        with pytest.raises(Conflict, match="50"):
            make_token(tx, ada.id, name="one more", scopes=["self"])
