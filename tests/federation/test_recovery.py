"""An instance is restored from a backup: peers return what it has forgotten, and no number is used twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal_federation.delivery import ask, post
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.restore.epochs import past_epochs
from commensal_federation.delivery.restore.restored import MARKER, notice_restore, restored
from commensal_federation.delivery.sync.states import MIRRORED, Mirrored, state_digest
from commensal_federation.delivery.sync.sweeping import KEPT_CATALOGUE, forget_old, send_digests
from commensal_federation.delivery.tables import federation_inbox, federation_outbox
from commensal_federation.peers import Peer
from commensal_federation.runtime import Federation
from commensal_federation.serving.answer import serve
from commensal_federation.signing import sign_request
from commensal_federation.testing import Region
from commensal_federation.transport import Request

Say = Callable[..., str]


class Backup:
    """A backup of a's SQLite database, copied while it is open."""

    def __init__(self, region: Region, folder: Path) -> None:
        self._live, self._copy = region["a"].instance.folder / "commensal.db", folder / "backup.db"

    def take(self) -> None:
        _copy_database(self._live, self._copy)

    def restore(self) -> None:
        _copy_database(self._copy, self._live)


def _copy_database(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as source_database, closing(sqlite3.connect(target)) as target_database:
        source_database.backup(target_database)


@pytest.fixture
def backup(region: Region, tmp_path: Path) -> Backup:
    if region["a"].instance.store.engine.dialect.name != "sqlite":
        pytest.skip("a file is copied")
    return Backup(region, tmp_path)


def _epochs(region: Region, name: str) -> int:
    with region[name].instance.store.read() as tx:
        return len(past_epochs(tx))


def _sent(region: Region) -> list[Any]:
    with region["a"].instance.store.read() as tx:
        box = federation_outbox.c
        return list(tx.all(select(federation_outbox).where(box.lane == "order").order_by(box.epoch, box.seq)))


def _back_up_then_trade(region: Region, say: Say, backup: Backup, clock: ManualClock) -> None:
    """Takes a backup, and lets a day pass after it."""
    say("a", "b", "before")
    region.work()
    backup.take()
    clock.advance(hours=1)
    say("a", "b", "forgotten by a")
    say("b", "a", "answer")  # a answers with thanks
    region.work()
    clock.advance(hours=23)


def test_what_was_said_and_heard_since_the_backup_is_taken_up(
    region: Region, notes: Any, say: Say, backup: Backup, clock: ManualClock
) -> None:
    _back_up_then_trade(region, say, backup, clock)
    (thanks,) = [row for row in _sent(region) if '"thanks"' in row["body"]]
    backup.restore()
    notes.done.clear()
    a = region["a"]
    (a.instance.folder / MARKER).write_text("2026-06-05T10:00:00Z")
    assert notice_restore(a)
    assert not notice_restore(a), "once for each restore"
    region.work()
    assert sorted(notes.recovered) == ["forgotten by a", "thanks"], "what it had said itself has its effect again"
    assert notes.at(a) == ["answer"], "what it had heard is handled again"
    assert notes.at(region["b"]) == [], "and b sees none of it twice: the answer was known"
    assert thanks["id"] in {row["id"] for row in _sent(region)}
    say("a", "b", "after")
    region.work()
    assert notes.at(region["b"]) == ["after"]
    assert [row["seq"] for row in _sent(region)][-1] == 1
    assert len({row["epoch"] for row in _sent(region)}) == 2
    assert not region.peer("a", "b").recovering


def test_a_message_of_a_clock_that_was_ahead_goes_out_before_the_new_epoch(
    region: Region, notes: Any, say: Say, backup: Backup, clock: ManualClock
) -> None:
    """The peer took it as coming too early; then it fetched on from the new epoch, and the message was lost."""
    a = region["a"]
    clock.advance(minutes=6)
    say("a", "b", "of a clock that is ahead")
    clock.advance(minutes=-6)
    backup.take()
    backup.restore()
    (a.instance.folder / MARKER).write_text("2026-06-05T10:00:00Z")
    assert notice_restore(a)
    region.work()
    assert (notes.at(region["b"]), region.peer("a", "b").recovering) == ([], True)
    clock.advance(minutes=7)
    region.work()
    assert (notes.at(region["b"]), region.peer("a", "b").recovering) == (["of a clock that is ahead"], False)


def test_nothing_goes_out_until_the_peer_has_answered(
    region: Region, notes: Any, say: Say, backup: Backup, clock: ManualClock
) -> None:
    _back_up_then_trade(region, say, backup, clock)
    backup.restore()
    notes.done.clear()
    a = region["a"]
    region.cut("a", "b")
    a.instance.store.transact(lambda tx: restored(a, tx, "said by hand"))
    say("a", "b", "after")
    for _ in range(5):
        region.work()
        clock.advance(minutes=2)
    region.wires.passed.clear()
    region.mend()
    region.work()
    posts = [request for origin, request, _ in region.wires.passed if request.method == "POST" and origin == a.base]
    assert b"EpochStart" in posts[0].body
    assert notes.at(region["b"]) == ["after"]


def test_a_restore_that_nobody_has_told_of_is_noticed_by_what_peers_know(
    region: Region, notes: Any, say: Say, backup: Backup, clock: ManualClock
) -> None:
    """Attack 32: it would give the same number to another message."""
    _back_up_then_trade(region, say, backup, clock)
    backup.restore()
    notes.done.clear()
    say("a", "b", "unaware")
    region.work()
    clock.advance(minutes=5)
    region.work()
    assert _epochs(region, "a") == 2
    assert "forgotten by a" in notes.recovered
    with region["a"].instance.store.read() as tx:
        assert "rolled_back" in {alert.kind for alert in alerts(tx)}
        assert "future_cursor" not in {alert.kind for alert in alerts(tx)}
    with region["b"].instance.store.read() as tx:
        assert {alert.kind for alert in alerts(tx)} == {"equivocation", "restored"}
    say("a", "b", "after")
    region.work()
    assert notes.at(region["b"])[-1] == "after"


def test_a_peer_that_only_claims_to_know_more_changes_nothing(region: Region, say: Say, forger: Any) -> None:
    b, a = region["b"], region["a"]
    url = f"{b.base}/-/federation/outbox?lane=order&after=9999999999.7"
    request = sign_request(Request("GET", url, [("accept", "x")]), forger.key("a"), a.instance.clock.now(), "n" * 22)
    assert serve(b, request, "a").status == 409
    region.work()
    assert _epochs(region, "b") == 1
    with b.instance.store.read() as tx:
        assert [alert.kind for alert in alerts(tx)] == ["future_cursor"]


def test_an_instance_that_has_never_spoken_needs_no_new_epoch(region: Region) -> None:
    c = region["c"]
    assert not c.instance.store.transact(lambda tx: restored(c, tx, "first"))
    assert _epochs(region, "c") == 1


# ------------------------------------------------------------------------------------------------ states


class Shelf:
    """A mirrored room whose state is a list of words, sent as notes."""

    def __init__(self, notes: Any, say: Say, region: Region) -> None:
        self.words: dict[str, list[str]] = {"a": ["apple", "pear"], "b": []}
        self._notes, self._region = notes, region

    def mirrored(self) -> Mirrored:
        return Mirrored(name="shelf", lane="catalogue", digests=self._digests, seen=self._seen, send=self._send)

    def _digests(self, federation: Federation, tx: Any, peer: Peer) -> dict[str, str]:
        return {"all": state_digest(self.words["a"])} if federation.iri == self._region["a"].iri else {}

    def _seen(self, federation: Federation, tx: Any, peer: Peer, name: str) -> str:
        return state_digest(self._notes.at(federation))

    def _send(self, federation: Federation, tx: Any, peer: Peer, name: str) -> None:
        for word in self.words["a"]:
            note = self._notes.type("CatalogueNote", "catalogue", "").body(word)
            post(federation, tx, peer.id, "CatalogueNote", note)


@pytest.fixture
def shelf(region: Region, notes: Any, say: Say, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(notes, say, region)
    monkeypatch.setitem(MIRRORED, "shelf", shelf.mirrored())
    return shelf


def test_what_has_drifted_apart_heals_within_a_day(region: Region, notes: Any, shelf: Shelf) -> None:
    a = region["a"]
    a.instance.store.transact(lambda tx: send_digests(a, tx))
    region.work()
    assert notes.at(region["b"]) == ["apple", "pear"]
    region.wires.passed.clear()
    a.instance.store.transact(lambda tx: send_digests(a, tx))
    region.work()
    assert notes.at(region["b"]) == ["apple", "pear"], "what is alike is not sent"


def test_who_was_away_for_longer_than_history_is_kept_gets_the_state(
    region: Region, notes: Any, say: Say, shelf: Shelf, clock: ManualClock
) -> None:
    a = region["a"]
    say("a", "b", "first", type="CatalogueNote")
    region.work()
    region.cut("a", "b")
    say("a", "b", "lost", type="CatalogueNote")
    clock.advance(days=8)
    region.work("a")
    clock.advance(hours=2)
    region.work("a")
    assert notes.failed == [("lost", "given_up")]
    clock.advance(seconds=KEPT_CATALOGUE.total_seconds())
    say("a", "b", "last", type="CatalogueNote")
    with a.instance.store.write() as tx:
        forget_old(tx)
    region.mend()
    clock.advance(hours=2)
    region.work()
    assert notes.at(region["b"])[0] == "first"
    assert set(notes.at(region["b"])) == {"first", "last", "apple", "pear"}


def test_what_was_said_can_be_asked_for_again(region: Region, notes: Any) -> None:
    a = region["a"]
    answer = ask(a, region.peer("a", "b").id, "OrderNote", notes.type("OrderNote", "order", "").body("answer"), 1.0)
    assert answer is not None
    with region["b"].instance.store.read() as tx:
        rows = tx.all(select(federation_inbox.c.id).where(federation_inbox.c.type == "OrderNote"))
    assert [row["id"] for row in rows] == [answer.in_reply_to]
