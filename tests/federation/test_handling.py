"""A stored message is handled once, whatever its handler does; what cannot be handled is kept and reported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from commensal.audit.trail import AuditFilter, audit_entries
from commensal.base.clock import ManualClock
from commensal.storage.database import Store
from commensal_federation.delivery.inbox import inbox
from commensal_federation.delivery.inbox.dispatch import PATIENCE, HandlingResult, give_up_parked
from commensal_federation.delivery.outbox.dead_letters import dead_letters, replay
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.messages import Handler
from commensal_federation.messages.envelope import multihash
from commensal_federation.peers import Limits
from commensal_federation.peers.changing import change_peer
from commensal_federation.signing import canonical, sign
from commensal_federation.testing import Region

Say = Callable[..., str]


def _count_stored(region: Region, name: str = "b") -> int:
    return _count(region[name].instance.store, federation_inbox)


def _count(store: Store, table: Any) -> int:
    with store.read() as tx:
        count: int = tx.value(select(func.count()).select_from(table))
        return count


def _change(region: Region, **values: Any) -> None:
    """Changes what b has set for its peer a."""
    with region["b"].instance.store.write() as tx:
        change_peer(tx, region.peer("b", "a").id, **values)


def test_a_message_that_came_too_early_waits_for_what_it_needs(forger: Any, notes: Any) -> None:
    b = forger.region["b"]
    assert forger.status(forger.signed("wait:first")) == (202, "parked")
    assert forger.status(forger.signed("wait:wait:first")) == (202, "parked")
    assert notes.at(b) == []
    assert forger.status(forger.signed("first"))[0] == 202
    assert notes.at(b) == ["first", "wait:first", "wait:wait:first"]


def test_who_waits_in_vain_is_a_dead_letter_after_ten_minutes(forger: Any, notes: Any, clock: ManualClock) -> None:
    b = forger.region["b"]
    forger.send(forger.signed("wait:never"))
    clock.advance(seconds=PATIENCE.total_seconds() + 1)
    with b.instance.store.write() as tx:
        give_up_parked(b, tx)
        (letter,) = dead_letters(tx, "in")
    assert letter.error.startswith("waited")


def test_a_refusal_undoes_what_the_handler_did_and_is_told_to_the_sender(region: Region, notes: Any, say: Say) -> None:
    id = say("a", "b", "refuse")
    region.work()
    assert notes.failed == [("refuse", "no")]
    with region["a"].instance.store.read() as tx:
        assert [dead_letter.id for dead_letter in dead_letters(tx, "out")] == [id]


def test_a_fault_of_ours_loses_no_message(
    region: Region, notes: Any, say: Say, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    b = region["b"]
    say("a", "b", "boom")
    region.work()
    with b.instance.store.read() as tx:
        (letter,) = dead_letters(tx, "in", state="parked")
    assert letter.error == "ZeroDivisionError: boom"
    clock.advance(minutes=11)
    with b.instance.store.write() as tx:
        give_up_parked(b, tx)
    region.work()
    with region["a"].instance.store.read() as tx:
        (sent,) = dead_letters(tx, "out")
    assert (notes.failed, "ZeroDivision" in sent.error) == ([("boom", "failed")], False), "why is not a peer's business"
    with b.instance.store.write() as tx:
        assert [(dead_letter.id, dead_letter.error) for dead_letter in dead_letters(tx, "in")] == [
            (letter.id, letter.error)
        ]
        monkeypatch.setattr(
            "commensal_federation.delivery.inbox.dispatch.handle", lambda *_, **__: HandlingResult("done")
        )
        assert replay(b, tx, "in", letter.id).state == "done"


def test_an_effect_and_its_answer_are_there_with_the_message_or_not_at_all(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker dies after the handler and before the commit: nothing has changed, and the message can come again."""
    body, stored_before = forger.signed("answer"), _count_stored(forger.region)

    def die(self: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(inbox.Inbox, "finish", die)
        forger.send(body)
    assert _count_stored(forger.region) == stored_before
    notes.done.clear()
    assert forger.status(body)[0] == 202
    assert notes.at(forger.region["b"]) == ["answer"]


def test_a_message_that_has_run_out_has_no_effect(forger: Any, notes: Any, clock: ManualClock) -> None:
    body = forger.signed(expires="2026-06-04T10:01:00Z")
    clock.advance(minutes=2)
    assert forger.status(body) == (202, "dead")
    assert notes.at(forger.region["b"]) == []


def test_the_audit_trail_names_the_peer_and_forgets_what_a_refusal_undid(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept message, a refused one and one that fails; each traces the same."""
    b = forger.region["b"]
    binding = b.messages["OrderNote"]

    def traced(federation: Any, tx: Any, received: Any) -> None:
        tx.trace("noted", "order_note", received.body.text)
        binding.handler.handle(federation, tx, received)

    monkeypatch.setitem(b.messages, "OrderNote", replace(binding, handler=Handler(traced)))
    for text in ("refuse", "boom", "hello"):
        forger.send(forger.signed(text))
    with b.instance.store.read() as tx:
        entries = audit_entries(tx, AuditFilter(object_kind="order_note"))
    assert [(entry.object_id, entry.actor, entry.client, entry.command) for entry in entries] == [
        ("hello", "peer", "https://a.example", "message OrderNote")
    ]


def test_one_bad_message_of_a_batch_leaves_the_others_alone(forger: Any, notes: Any) -> None:
    first_envelope = forger.envelope("first")
    now = forger.region["a"].instance.clock.now()
    good_body = canonical(sign(first_envelope, forger.key(), now))
    second_body = forger.signed("second", seq=first_envelope["seq"] + 1, prev=multihash(good_body))
    answer = forger.send(good_body, b"rubbish", second_body)
    assert answer.status == 202
    assert [part.split(b",")[0].split(b"}")[0] for part in answer.body.split(b'"status":')[1:]] == [
        b"202",
        b"422",
        b"202",
    ]


def test_limits_of_a_peer_are_the_usual_ones_but_for_what_was_set(forger: Any) -> None:
    _change(forger.region, limits={"lot_share": 30})
    assert forger.region.peer("b", "a").limits == Limits(lot_share=30)


def test_a_batch_has_fifty_messages_at_most(forger: Any) -> None:
    assert forger.send(*[b"{}"] * 51).status == 413
    assert forger.send().status == 413


def test_what_a_peer_may_not_ask_for_is_not_found(forger: Any) -> None:
    for path in ("inbox/x/y", "other", "messages/../inbox"):
        assert forger.send(b"{}", path=path).status in (401, 404)
    assert forger.send(b"{}", path="outbox").status == 405


def test_a_message_that_the_disk_has_no_room_for_is_not_half_kept(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite then rolls back the whole transaction: later writes stood alone, and the message was lost."""
    b = forger.region["b"]
    if b.instance.store.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL goes on with nothing after an error")

    def fill(federation: Any, tx: Any, received: Any) -> None:
        run = tx.connection.exec_driver_sql
        (pages,) = run("PRAGMA page_count").one()
        run(f"PRAGMA max_page_count={pages}")
        try:
            run("CREATE TABLE filled AS SELECT zeroblob(9000000) AS much")
        finally:
            run("PRAGMA max_page_count=1073741823")

    body, stored_before = forger.signed("hello"), _count_stored(forger.region)
    with monkeypatch.context() as patch:
        patch.setitem(b.messages, "OrderNote", replace(b.messages["OrderNote"], handler=Handler(fill)))
        assert forger.status(body)[0] == 503, "the peer sends it again"
    assert _count_stored(forger.region) == stored_before
    assert forger.status(body)[0] == 202
    assert notes.at(b) == ["hello"]
