"""Grants between enterprises: nothing without one, and only what it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from commensal.base.errors import Invalid, NotFound
from commensal.enterprises.grants import ALL, grant, grantors, grants_given, grants_of, grants_received, revoke
from commensal.people.people import Person
from commensal.storage.database import Store


@pytest.fixture
def two_enterprises(village: Any) -> tuple[str, str]:
    """Two enterprises that have granted each other nothing."""
    return village.enterprise("grantor"), village.enterprise("grantee")


def test_without_a_grant_nothing_is_allowed_but_to_oneself(store: Store, two_enterprises: tuple[str, str]) -> None:
    grantor, grantee = two_enterprises
    with store.read() as tx:
        assert grants_of(tx, grantor, grantee) == frozenset()
        assert grants_of(tx, grantor, grantor) == ALL


def test_a_grant_is_given_once_in_one_direction(
    store: Store, two_enterprises: tuple[str, str], somebody: Callable[..., Person]
) -> None:
    grantor, grantee = two_enterprises
    ada = somebody("Ada")
    with store.write() as tx:
        grant_given = grant(tx, grantor, grantee, "WriteOrders", by=ada.id)
        assert grant(tx, grantor, grantee, "WriteOrders") == grant_given
        assert (grant_given.grantor_name, grant_given.grantee_name, grant_given.scope) == (
            grantor,
            grantee,
            "WriteOrders",
        )
        assert grants_given(tx, grantor) == grants_received(tx, grantee) == [grant_given]
        assert grants_given(tx, grantee) == grants_received(tx, grantor) == []
        assert grants_of(tx, grantor, grantee) == {"WriteOrders"}
        assert grants_of(tx, grantee, grantor) == frozenset()


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("WriteProducts", {"WriteProducts", "ReadProducts"}),
        ("WriteEnterprise", {"WriteEnterprise", "ReadEnterprise"}),
        ("ReadProducts", {"ReadProducts"}),
        ("WriteOrders", {"WriteOrders"}),  # selling somebody's goods does not show what else they sold
        ("ReadOrders", {"ReadOrders"}),
    ],
)
def test_who_may_change_products_or_profile_may_read_them(
    store: Store, two_enterprises: tuple[str, str], scope: str, expected: set[str]
) -> None:
    grantor, grantee = two_enterprises
    with store.write() as tx:
        grant(tx, grantor, grantee, scope)
        assert grants_of(tx, grantor, grantee) == expected
        assert {scope_read for scope_read in ALL if grantor in grantors(tx, grantee, scope_read)} == expected
        assert all(grantee in grantors(tx, grantee, scope_read) for scope_read in ALL)


def test_a_grant_that_is_taken_back_is_gone(store: Store, two_enterprises: tuple[str, str]) -> None:
    grantor, grantee = two_enterprises
    with store.write() as tx:
        grant(tx, grantor, grantee, "WriteOrders")
        with pytest.raises(NotFound):
            revoke(tx, grantee, grantor, "WriteOrders")
        revoke(tx, grantor, grantee, "WriteOrders")
        assert grants_of(tx, grantor, grantee) == frozenset()
        with pytest.raises(NotFound):
            revoke(tx, grantor, grantee, "WriteOrders")


def test_what_cannot_be_granted_is_refused(store: Store, two_enterprises: tuple[str, str]) -> None:
    grantor, _ = two_enterprises
    with store.write() as tx:
        with pytest.raises(Invalid) as error:
            grant(tx, grantor, grantor, "Everything")
        assert {problem.where for problem in error.value.problems} == {"/scope", "/grantee"}
        with pytest.raises(NotFound):
            grant(tx, grantor, "nobody", "ReadProducts")
