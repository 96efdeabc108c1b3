"""An instance whose clock has jumped ahead ends nothing between instances until somebody vouches for the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.storage.jobs.clock import trust_clock
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.runtime import Federation
from commensal_federation.testing import Region

Say = Callable[..., str]

BOTH = True  # databases
JUMP = timedelta(days=10)


def _vouch(federation: Federation) -> None:
    """A person says that the clock of the instance is right."""
    with federation.instance.store.write() as tx:
        trust_clock(tx, vouched=True)


def _state_of(federation: Federation, table: Any, id: str) -> str:
    with federation.instance.store.read() as tx:
        state: str = tx.value(select(table.c.state).where(table.c.id == id))
    return state


@pytest.mark.parametrize("limit", ["a week of trials", "its own time"])
def test_a_message_is_not_given_up(region: Region, notes: Any, say: Say, clock: ManualClock, limit: str) -> None:
    a = region["a"]
    _vouch(a)
    region.cut("a", "b")
    expires = clock.now() + timedelta(days=1) if limit == "its own time" else None
    id = say("a", "b", "hello", expires=expires)
    region.work()
    clock.advance(days=JUMP.days)
    region.work("a")
    assert (_state_of(a, federation_outbox, id), notes.failed) == ("waiting", [])
    _vouch(a)
    clock.advance(hours=6)
    region.work("a")
    assert _state_of(a, federation_outbox, id) == "dead"


def test_a_message_that_seems_to_come_too_late_waits_until_the_clock_is_right(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    a, b, right = region["a"], region["b"], clock.now()
    _vouch(a)
    _vouch(b)
    region.cut("a", "b")
    id = say("a", "b", "hello", expires=right + timedelta(hours=1))
    region.work()
    region.mend()
    clock.advance(days=JUMP.days)
    region.work()
    assert (_state_of(b, federation_inbox, id), notes.at(b), notes.failed) == ("parked", [], [])
    clock.set(right + timedelta(minutes=2))
    say("a", "b", "world")
    region.work()
    assert sorted(notes.at(b)) == ["hello", "world"]
