"""What is the same for all members is read once while nothing changes, and anew as soon as something was committed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import func, insert, select

from commensal.base.clock import ManualClock
from commensal.parts.pages.cached_reads import CachedReads
from commensal.people.tables import person
from commensal.storage.database import Store, Transaction

PERSON = {"name": "Ada", "phone": "", "language": "fr", "is_operator": False, "version": 1}


def _count(tx: Transaction, questions: list[str]) -> int:
    questions.append("how many?")
    number: int = tx.value(select(func.count(person.c.id)))
    return number


@pytest.fixture
def ask(store: Store, clock: ManualClock) -> Callable[[], tuple[int, bool]]:
    """The number of people as a visit is told it, and whether the database was asked for it."""
    reads = CachedReads(store, clock)

    def count() -> tuple[int, bool]:
        questions = list[str]()
        unchanged = reads.of_this_moment()
        with store.read() as tx:
            number = unchanged.get("people", lambda: _count(tx, questions))
        return number, bool(questions)

    return count


def add_somebody(store: Store, email: str) -> None:
    with store.write() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **{**PERSON, "email": email}))


def test_nothing_is_read_again_before_something_is_committed(store: Store, ask: Callable[[], tuple[int, bool]]) -> None:
    assert ask() == (0, True)
    repeated = [ask() for _ in range(20)]  # a commit in another database of the same PostgreSQL is one as well
    assert (0, False) in repeated
    add_somebody(store, "ada@example.org")
    assert ask() == (1, True)


def test_what_depends_on_the_clock_is_a_second_old_at_most(
    clock: ManualClock, ask: Callable[[], tuple[int, bool]]
) -> None:
    ask()
    clock.advance(seconds=1)
    assert ask() == (0, True)


def test_a_commit_after_the_mark_is_never_hidden_by_what_was_read_before_it(store: Store, clock: ManualClock) -> None:
    reads = CachedReads(store, clock)
    early = reads.of_this_moment()
    add_somebody(store, "ada@example.org")
    assert early.get("x", lambda: "read after the commit") == "read after the commit"
    assert reads.of_this_moment().get("x", lambda: "read anew") == "read anew", "marks differ, so nothing is reused"


def test_the_least_recent_values_go_first(store: Store, clock: ManualClock) -> None:
    reads = CachedReads(store, clock)
    for number in range(100):
        reads.of_this_moment().get(number, lambda: "kept")
    assert len(reads._kept) <= 32
