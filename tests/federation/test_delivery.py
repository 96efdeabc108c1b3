"""Messages arrive once and in order, whatever happens to the wires."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select, update

from commensal.base.clock import ManualClock
from commensal.storage.database import Store
from commensal_federation.catalogue.away import away_peers
from commensal_federation.delivery import ask, post
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.lanes import change_lane, enqueue_pull, enqueue_push, lane_row, open_lane
from commensal_federation.delivery.outbox import breaker, pushing
from commensal_federation.delivery.outbox.breaker import GIVEN_UP, LONGEST, delay, judge, retry_after
from commensal_federation.delivery.outbox.dead_letters import dead_letters, discard, replay
from commensal_federation.delivery.sync import pulling
from commensal_federation.delivery.sync.pulling import pull_lane
from commensal_federation.delivery.sync.sweeping import wake
from commensal_federation.delivery.tables import federation_inbox, federation_lane, federation_outbox
from commensal_federation.messages.envelope import multihash
from commensal_federation.peers.tables import federation_peer
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request, Unreachable

Say = Callable[..., str]

BOTH = True  # databases


def _rows(store: Store, table: Any, *conditions: Any) -> list[Any]:
    with store.read() as tx:
        return list(tx.all(select(table).where(*conditions).order_by(table.c.id)))


def _notes(region: Region, name: str, table: Any) -> list[Any]:
    return _rows(region[name].instance.store, table, table.c.type.in_(["OrderNote", "CatalogueNote"]))


def _pushes(region: Region) -> list[Request]:
    return [request for _, request, _ in region.wires.passed if request.url.endswith("/inbox")]


def test_two_operators_agree_and_are_peers(region: Region) -> None:
    assert region.peer("a", "b").state == region.peer("b", "a").state == "accepted"


def test_a_message_is_delivered_and_both_sides_keep_the_bytes(region: Region, notes: Any, say: Say) -> None:
    id = say("a", "b", "hello")
    region.work()
    assert notes.at(region["b"]) == ["hello"]
    (sent,), (received,) = _notes(region, "a", federation_outbox), _notes(region, "b", federation_inbox)
    assert sent["id"] == received["id"] == id
    assert sent["body"] == received["body"]
    assert (sent["state"], received["state"]) == ("delivered", "done")


def test_what_a_clock_that_was_ahead_has_signed_goes_out_minutes_later_however_often_it_was_tried(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    """The peer answers, and takes it as soon as its moment has come."""
    clock.advance(minutes=6)
    say("a", "b", "ahead")
    clock.advance(minutes=-6)
    for _ in range(12):
        with region["a"].instance.store.write() as tx:
            enqueue_push(tx, region.peer("a", "b").id)
        region.work()
    assert notes.at(region["b"]) == []
    for _ in range(8):
        clock.advance(minutes=1)
        region.work()
    assert notes.at(region["b"]) == ["ahead"]


def test_what_a_clock_that_was_ahead_has_signed_is_fetched_again_within_minutes_however_often_it_was_tried(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    b, peer = region["b"], region.peer("b", "a")
    clock.advance(minutes=6)
    region.cut("a", "b")
    say("a", "b", "ahead")
    region.work()
    region.mend()
    clock.advance(minutes=-6)
    with b.instance.store.write() as tx:
        open_lane(tx, peer.id, "order", "in", peer.epoch_seen)
    for _ in range(12):
        with b.instance.store.write() as tx:
            change_lane(tx, peer.id, "order", "in", {"due_at": None})
        assert not pull_lane(b, peer.id, "order")
    with b.instance.store.read() as tx:
        row = lane_row(tx, peer.id, "order", "in")
    assert row is not None
    assert row["due_at"] <= clock.now() + timedelta(minutes=2)
    clock.advance(minutes=8)
    assert pull_lane(b, peer.id, "order")
    assert notes.at(b) == ["ahead"]


def test_a_job_goes_on_fetching_what_its_dead_process_had_begun(region: Region, notes: Any, say: Say) -> None:
    """Another job leaves the lane to it."""
    b, peer = region["b"], region.peer("b", "a")
    region.cut("a", "b")
    say("a", "b", "hello")
    region.work()
    region.mend()
    with b.instance.store.write() as tx:
        open_lane(tx, peer.id, "order", "in", peer.epoch_seen)
        claim = {"worked_until": tx.now + timedelta(minutes=3), "worked_by": "its job"}
        change_lane(tx, peer.id, "order", "in", claim)
    assert not pull_lane(b, peer.id, "order", by="another")
    assert not pull_lane(b, peer.id, "order")
    assert pull_lane(b, peer.id, "order", by="its job")
    assert notes.at(b) == ["hello"]


def test_who_fetches_a_message_that_it_will_not_take_says_so(region: Region, notes: Any, say: Say) -> None:
    """A fetched message gets no answer, so it would count as delivered."""
    b, peer = region["b"], region.peer("b", "a")
    region.cut("a", "b")
    say("a", "b", "hello")
    region.work()
    with b.instance.store.write() as tx:
        tx.execute(update(federation_peer).where(federation_peer.c.id == peer.id).values(scopes_given=[]))
    region.mend()
    assert pull_lane(b, peer.id, "order")
    region.work()
    (sent,) = _notes(region, "a", federation_outbox)
    assert (sent["state"], sent["error"].partition(":")[0]) == ("dead", "scope")
    assert notes.at(b) == []


def test_a_message_goes_out_only_if_the_change_it_tells_of_commits(region: Region, notes: Any, say: Say) -> None:
    a = region["a"]
    with pytest.raises(RuntimeError), a.instance.store.write() as tx:
        post(a, tx, region.peer("a", "b").id, "OrderNote", notes.type("OrderNote", "order", "").body("never"))
        raise RuntimeError
    say("a", "b", "after")
    region.work()
    assert notes.at(region["b"]) == ["after"]
    assert [row["seq"] for row in _notes(region, "b", federation_inbox)] == [1], "the lane has no gap"


def test_messages_of_a_lane_are_numbered_and_name_the_one_before_them(region: Region, say: Say) -> None:
    for number in range(3):
        say("a", "b", str(number))
    say("a", "b", "apart", type="CatalogueNote")
    rows = _notes(region, "a", federation_outbox)
    assert [(row["lane"], row["seq"]) for row in rows] == [("order", 1), ("order", 2), ("order", 3), ("catalogue", 1)]
    for previous, row in pairwise(rows[:3]):
        assert f'"prev":"{multihash(previous["body"].encode())}"' in row["body"]


def test_many_messages_travel_in_batches_by_one_job(region: Region, notes: Any, say: Say) -> None:
    a, peer = region["a"], region.peer("a", "b")
    region.wires.passed.clear()
    with a.instance.store.write() as tx:
        for number in range(120):
            post(a, tx, peer.id, "OrderNote", notes.type("OrderNote", "order", "").body(str(number)))
    assert region.work("a") == 1
    assert [len(push.body.split(b"\n")) for push in _pushes(region)] == [50, 50, 20]
    assert notes.at(region["b"]) == [str(number) for number in range(120)]


def test_a_cut_wire_is_tried_again_and_again_and_nothing_is_lost_or_done_twice(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    region.cut("b", "a", one_way=True)  # b hears a, but its answers get lost
    say("a", "b", "hello")
    region.work()
    assert notes.at(region["b"]) == ["hello"]
    assert _notes(region, "a", federation_outbox)[0]["state"] == "waiting"
    region.mend()
    clock.advance(seconds=6)
    region.work()
    assert notes.at(region["b"]) == ["hello"], "the second time it had no effect"
    assert _notes(region, "a", federation_outbox)[0]["state"] == "delivered"


def test_a_cut_of_an_hour_heals_within_one_catch_up(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    region.cut("a", "b")
    for minute in range(60):
        say("a", "b", f"a{minute}")
        say("b", "a", f"b{minute}", type="CatalogueNote")
        region.work()
        clock.advance(minutes=1)
    assert region.peer("a", "b").breaker == "open"
    region.mend()
    clock.advance(minutes=31)  # no later than the next probe
    region.work()
    assert notes.at(region["b"]) == [f"a{minute}" for minute in range(60)]
    assert notes.at(region["a"]) == [f"b{minute}" for minute in range(60)]
    assert region.peer("a", "b").breaker == region.peer("b", "a").breaker == "closed"


def test_delays_double_to_an_hour_and_are_spread() -> None:
    assert delay(0, 0.5) == timedelta(seconds=2)
    assert delay(3, 0.5) == timedelta(seconds=16)
    assert delay(3, 0.0) == timedelta(seconds=8)
    assert delay(50, 0.5) == LONGEST
    assert delay(50, 0.999) < LONGEST * 1.5


def test_retry_after_is_kept_to_an_hour(clock: ManualClock) -> None:
    now = clock.now()
    assert retry_after("120", now) == now + timedelta(minutes=2)
    assert retry_after("999999", now) == now + LONGEST
    assert [retry_after(header, now) for header in ("", "-1", "soon", "1" * 30, "²")] == [None] * 5


@pytest.mark.parametrize("status", [400, 405, 409, 410, 413, 415, 422])
def test_a_refusal_is_never_a_success(status: int, clock: ManualClock) -> None:
    """Attack 40: a 4xx that counts as delivered loses the message without a trace."""
    verdict = judge(Answer(status, (), b'{"code":"no"}'), ["one"], "", clock.now())
    assert not verdict.delivered
    assert [refusal.id for refusal in verdict.refused] == ["one"]


@pytest.mark.parametrize("status", [301, 302, 401, 403, 404, 408, 425, 429, 500, 503])
def test_an_answer_that_is_not_about_the_message_has_it_sent_again(status: int, clock: ManualClock) -> None:
    verdict = judge(Answer(status, [("retry-after", "60")], b"<html>"), ["one", "two"], "", clock.now())
    assert not verdict.delivered
    assert not verdict.refused
    assert verdict.again == ["one", "two"]


def test_an_answer_that_does_not_name_every_message_delivers_none(clock: ManualClock) -> None:
    for body in (b"", b"{}", b'{"messages":[]}', b'{"messages":[{"status":202}]}', b'{"messages":[1,2]}'):
        verdict = judge(Answer(202, (), body), ["one", "two"], "", clock.now())
        assert not verdict.delivered
        assert verdict.again == ["one", "two"]


def test_a_refused_message_is_a_dead_letter_that_its_type_is_told_of(region: Region, notes: Any, say: Say) -> None:
    region.wires.before = lambda origin, request: (
        Answer(202, (), b'{"messages":[{"status":422,"code":"no","text":"not this"}]}')
        if "inbox" in request.url
        else None
    )
    id = say("a", "b", "hello")
    region.work("a")
    with region["a"].instance.store.read() as tx:
        (letter,) = dead_letters(tx, "out")
        assert [alert.kind for alert in alerts(tx)] == ["dead_letter"]
    assert (letter.id, letter.error) == (id, "no: not this")
    assert notes.failed == [("hello", "no")]


def test_a_dead_letter_is_sent_again_or_put_away(region: Region, notes: Any, say: Say) -> None:
    refuse = Answer(202, (), b'{"messages":[{"status":422}]}')
    region.wires.before = lambda origin, request: refuse if "inbox" in request.url else None
    first_id = say("a", "b", "first")
    region.work("a")
    second_id = say("a", "b", "second")
    region.work("a")
    region.wires.before = lambda origin, request: None
    a = region["a"]
    with a.instance.store.write() as tx:
        replay(a, tx, "out", first_id)
        discard(tx, "out", second_id)
    region.work("a")
    assert notes.at(region["b"]) == ["first"]
    assert [row["state"] for row in _notes(region, "a", federation_outbox)] == ["delivered", "discarded"]


def test_what_was_not_delivered_in_a_week_is_a_dead_letter(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    region.cut("a", "b")
    say("a", "b", "hello")
    region.work()
    clock.advance(seconds=GIVEN_UP.total_seconds() + 1)
    region.work("a")
    assert notes.failed == [("hello", "given_up")]


def test_what_has_lost_its_sense_is_not_sent(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    region.cut("a", "b")
    say("a", "b", "hello", expires=clock.now() + timedelta(minutes=1))
    region.work()
    region.mend()
    clock.advance(minutes=2)
    region.work()
    assert notes.at(region["b"]) == []
    assert notes.failed == [("hello", "expired")]


def test_a_peer_that_does_not_answer_is_asked_by_one_message_now_and_then(
    region: Region, say: Say, clock: ManualClock
) -> None:
    region.cut("a", "b")
    region.wires.before = lambda origin, request: Answer(503, (), b"")
    region.mend()
    for number in range(20):
        say("a", "b", str(number))
    batch_sizes = []
    for _ in range(180):
        region.wires.passed.clear()
        region.work("a")
        batch_sizes.append([len(push.body.split(b"\n")) for push in _pushes(region)])
        clock.advance(seconds=20)
    assert region.peer("a", "b").breaker == "open"
    assert sum(map(len, batch_sizes)) <= 5 + 8, "an hour costs a dozen requests"
    assert all(sizes == [1] for sizes in batch_sizes[1:] if sizes)


def test_only_our_own_delivery_closes_the_breaker(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    """Attack 40: a peer that can send and cannot receive must not look healthy."""
    region.cut("a", "b", one_way=True)
    say("a", "b", "hello")
    for _ in range(12):
        region.work("a")
        clock.advance(minutes=30)
    assert region.peer("a", "b").breaker == "open"
    region.wires.cut = set()
    blocked = region["b"].base
    region.wires.before = lambda origin, request: Answer(503) if request.url.startswith(blocked) else None
    say("b", "a", "I am here")
    region.work("b")
    region.work("a")
    assert "I am here" in notes.at(region["a"])
    assert region.peer("a", "b").breaker == "open"
    assert region.peer("a", "b").failures > breaker.FAILURES, "it was tried at once, and that failed too"
    region.wires.before = lambda origin, request: None
    clock.advance(minutes=31)
    region.work()
    assert region.peer("a", "b").breaker == "closed"


def test_a_peer_to_which_nothing_is_left_to_say_does_not_count_as_away(
    region: Region, notes: Any, clock: ManualClock
) -> None:
    a, note = region["a"], notes.type("OrderNote", "order", "").body
    region.cut("a", "b")
    with a.instance.store.write() as tx:
        peer_id = region.peer("a", "b").id
        post(a, tx, peer_id, "OrderNote", note("for an hour"), expires=clock.now() + timedelta(hours=1))
    for _ in range(20):
        region.work("a")
        clock.advance(minutes=2)
    assert region.peer("a", "b").breaker == "open"
    region.mend()
    clock.advance(minutes=61)
    region.work()
    assert region.peer("a", "b").breaker == "closed"
    with a.instance.store.read() as tx:
        assert away_peers(tx) == []


def test_a_question_is_answered_while_one_waits(region: Region, notes: Any) -> None:
    a, note = region["a"], notes.type("OrderNote", "order", "").body
    answer = ask(a, region.peer("a", "b").id, "OrderNote", note("answer"), 2.0)
    assert answer is not None
    assert answer.body == note("thanks")
    assert notes.at(a) == ["thanks"], "the answer was handled like any other"
    region.work()
    assert notes.at(a) == ["thanks"], "also when it comes once more by the usual way"
    assert notes.at(region["b"]) == ["answer"]


def test_a_question_whose_answer_is_lost_is_answered_by_the_usual_way(
    region: Region, notes: Any, clock: ManualClock
) -> None:
    a, note = region["a"], notes.type("OrderNote", "order", "").body
    region.cut("b", "a", one_way=True)
    with pytest.raises(Unreachable):
        ask(a, region.peer("a", "b").id, "OrderNote", note("answer"), 2.0)
    region.mend()
    clock.advance(seconds=10)
    region.work()
    assert notes.at(a) == ["thanks"]
    assert notes.at(region["b"]) == ["answer"]


def test_a_push_whose_worker_died_is_promised_again(
    region: Region, notes: Any, say: Say, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("a", "b", "hello")
    a = region["a"].instance.store
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pushing, "_deliver", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
        region.work("a")
    clock.advance(minutes=3)
    with a.write() as tx:
        wake(tx)
    region.work("a")
    assert notes.at(region["b"]) == ["hello"]


def test_a_pull_whose_worker_died_is_promised_again(
    region: Region, notes: Any, say: Say, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    say("a", "b", "hello")
    region.work()
    say("a", "b", "are you there?")  # from now on a has no worker
    b = region["b"].instance.store
    with b.write() as tx:
        enqueue_pull(tx, region.peer("b", "a").id, "order")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(pulling, "fetch", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
        region.work("b")
    clock.advance(minutes=4)
    with b.write() as tx:
        wake(tx)
    region.work("b")
    assert notes.at(region["b"]) == ["hello", "are you there?"], "sooner than a silent peer is asked"


def test_a_silent_peer_is_asked_for_what_it_may_have_said(
    region: Region, notes: Any, say: Say, clock: ManualClock
) -> None:
    say("a", "b", "hello")  # a has no worker
    clock.advance(minutes=20)
    with region["b"].instance.store.write() as tx:
        wake(tx)
    region.work("b")
    assert notes.at(region["b"]) == ["hello"]
    clock.advance(minutes=20)
    with region["b"].instance.store.write() as tx:
        wake(tx)
    region.work("b")  # fetches from a, which confirms the receipt
    assert _notes(region, "a", federation_outbox)[0]["state"] == "delivered"
    with region["a"].instance.store.read() as tx:
        lane = tx.one(select(federation_lane).where(federation_lane.c.lane == "order"))
    assert lane["seq"] == 1
