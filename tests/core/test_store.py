"""The store: exact types, snapshots, a single writer, and many rows in one statement."""

from __future__ import annotations

from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import Column, Table, Text, event, func, insert, select
from sqlalchemy.exc import DBAPIError

from commensal.base.clock import ManualClock
from commensal.base.errors import Busy
from commensal.base.ids import SeededIds
from commensal.parts.serving.serving import THREADS
from commensal.people.tables import person
from commensal.storage.database import Exact, Flag, Json, Store, Time, Whole, engine, insert_rows, metadata
from commensal.storage.database.savepoint import after_commit
from commensal.storage.jobs.tables import job

PERSON = {"email": "a@example.org", "name": "Ada", "phone": "", "language": "fr", "is_operator": False, "version": 1}


def test_what_is_committed_is_there_and_what_fails_is_not(store: Store) -> None:
    with store.write() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **PERSON))
    with pytest.raises(RuntimeError, match="stop"), store.write() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **{**PERSON, "email": "b@example.org"}))
        raise RuntimeError("stop")
    with store.read() as tx:
        assert [row["email"] for row in tx.all(select(person.c.email))] == ["a@example.org"]


def test_actions_run_after_the_commit_and_not_after_a_rollback(store: Store) -> None:
    events: list[str] = []

    def note(word: str) -> None:
        with store.read() as tx:
            events.append(f"{word} {tx.value(select(func.count()).select_from(person))}")

    after_commit(lambda: note("outside"))
    with store.write() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **PERSON))
        after_commit(lambda: events.append("committed"))
        events.append("inside")
    with pytest.raises(RuntimeError, match="stop"), store.write():
        after_commit(lambda: events.append("rolled back"))
        raise RuntimeError("stop")
    after_commit(lambda: note("afterwards"))
    assert events == ["outside 0", "inside", "committed", "afterwards 1"]


def test_an_action_that_fails_leaves_the_change_committed(store: Store) -> None:
    with pytest.raises(BrokenPipeError), store.write() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **PERSON))
        after_commit(_fail)
    with store.read() as tx:
        assert len(tx.all(select(person.c.id))) == 1


def _fail() -> None:
    raise BrokenPipeError


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(DBAPIError), store.read() as tx:
        tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **PERSON))


def test_a_reader_keeps_its_snapshot_while_a_writer_commits(store: Store) -> None:
    with store.read() as reader:
        assert reader.all(select(person.c.id)) == []
        with store.write() as tx:
            tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **PERSON))
        assert reader.all(select(person.c.id)) == []


def test_moments_come_back_aware_and_in_utc_and_naive_ones_are_refused(store: Store) -> None:
    with store.write() as tx:
        at = datetime(2026, 3, 29, 10, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))
        tx.execute(insert(person).values(id="x", created_at=at, **PERSON))
        assert tx.value(select(person.c.created_at)) == datetime(2026, 3, 29, 8, 0, 0, 5, tzinfo=UTC)
        with pytest.raises(Exception, match="no time zone"):
            tx.execute(insert(person).values(id="y", created_at=datetime(2026, 1, 1), **PERSON))  # noqa: DTZ001


def test_whoever_finds_no_connection_is_told_that_the_instance_is_busy(
    database_url: str, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool_options = {"pool_size": 2, "max_overflow": 0, "pool_timeout": 0.05}
    monkeypatch.setattr(engine, "_POOL", pool_options)
    monkeypatch.setattr(engine, "_POSTGRESQL_POOL", pool_options)
    with closing(Store(database_url, clock=clock, ids=SeededIds("few"))) as store:
        with store.read(), store.read(), pytest.raises(Busy, match="connections"), store.read():
            pass
        with store.read():
            pass


def test_there_is_a_connection_for_every_thread_that_answers(store: Store) -> None:
    with ExitStack() as open_readers:
        for _ in range(THREADS):
            open_readers.enter_context(store.read())


def test_many_rows_are_one_statement_and_keep_every_type(store: Store, clock: ManualClock) -> None:
    statements: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    with store.write() as tx:
        insert_rows(
            tx,
            job,
            [
                {
                    "id": f"j{n}",
                    "kind": "é'\"",
                    "payload": {"n": [n, "ü"]},
                    "state": "waiting",
                    "due_at": clock.now(),
                    "attempts": n,
                    "claimed_until": None,
                    "error": "",
                    "created_at": clock.now(),
                    "finished_at": None,
                }
                for n in range(50)
            ],
        )
    assert len([statement for statement in statements if "INSERT" in statement]) == 1
    with store.read() as tx:
        row = tx.one(select(job).where(job.c.id == "j7"))
    assert (row["kind"], row["payload"], row["attempts"], row["claimed_until"]) == ("é'\"", {"n": [7, "ü"]}, 7, None)
    assert row["due_at"] == clock.now()


def test_decimals_and_flags_survive_a_row_of_many(store: Store) -> None:
    probe = Table(
        "probe",
        metadata,
        Column("id", Text, primary_key=True),
        Column("rate", Exact),
        Column("yes", Flag),
        Column("at", Time),
        Column("n", Whole),
        Column("doc", Json),
        sqlite_strict=True,
    )
    try:
        probe.create(store.engine)
        with store.write() as tx:
            insert_rows(
                tx, probe, [{"id": "a", "rate": Decimal("5.50"), "yes": True, "at": None, "n": 2**53, "doc": []}]
            )
            row = tx.one(select(probe))
        assert (row["rate"], row["yes"], row["at"], row["n"], row["doc"]) == (Decimal("5.5"), True, None, 2**53, [])
    finally:
        metadata.remove(probe)


def test_marks_are_equal_until_something_is_committed_by_any_process(store: Store, clock: ManualClock) -> None:
    with closing(Store(store.url, clock=clock, ids=SeededIds(7))) as other_process:
        pairs = []
        for _ in range(50):  # a commit in another database of the same PostgreSQL changes the mark as well
            before = store.state_mark()
            with store.read() as tx:
                tx.all(select(person.c.id))
            pairs.append((before, store.state_mark()))
        marks = []
        for writer, email in ((store, "a@example.org"), (other_process, "b@example.org")):
            with writer.write() as tx:
                tx.execute(insert(person).values(id=tx.new_id(), created_at=tx.now, **{**PERSON, "email": email}))
            marks.append(store.state_mark())
    before, after, after_other = pairs[-1][1], *marks
    assert before is not None
    assert any(earlier == later for earlier, later in pairs)
    assert len({before, after, after_other}) == 3


def test_a_mark_is_told_again_after_its_connection_was_lost(store: Store) -> None:
    first = store.state_mark()
    store._marks._connection.close()
    assert store.state_mark() is None  # whoever asks works without one
    again = store.state_mark()
    assert None not in (first, again)
    assert first != again
