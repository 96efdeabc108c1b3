"""Ids sort as they were made, and the same seed makes the same ones."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from commensal.base.clock import ManualClock
from commensal.base.ids import Ids, RandomIds, SeededIds


@pytest.mark.parametrize("ids", [RandomIds(), SeededIds(1)])
def test_ids_are_uuids_of_version_7_that_sort_as_they_were_made(ids: Ids, clock: ManualClock) -> None:
    ids_made = [ids.new(clock.now() + timedelta(milliseconds=n // 100)) for n in range(1000)]
    assert ids_made == sorted(set(ids_made))
    assert {uuid.UUID(id_made).version for id_made in ids_made} == {7}
    assert {uuid.UUID(id_made).variant for id_made in ids_made} == {uuid.RFC_4122}


def test_the_same_seed_makes_the_same_ids_and_another_does_not(clock: ManualClock) -> None:
    first, same, other = SeededIds("a"), SeededIds("a"), SeededIds("b")
    assert [first.new(clock.now()), first.secret()] == [same.new(clock.now()), same.secret()]
    assert first.secret() != other.secret()


def test_secrets_are_long_and_never_alike() -> None:
    ids = RandomIds()
    assert len({ids.secret() for _ in range(1000)}) == 1000
    assert all(len(ids.secret()) == 43 for _ in range(10))
