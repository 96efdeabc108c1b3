"""The inbox: a message without valid proof is not stored, and a stored message is handled once.

Each attack is tried twice: it is refused, and it succeeds once its defence is removed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from commensal.base.clock import ManualClock
from commensal.storage.database import Store
from commensal_federation.delivery import receive
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.inbox import admission, inbox, receiving, verification
from commensal_federation.delivery.lanes import change_lane
from commensal_federation.delivery.sync.sweeping import KEPT, forget_old, wake
from commensal_federation.delivery.tables import federation_inbox
from commensal_federation.peers.changing import change_peer
from commensal_federation.peers.tables import federation_nonce
from commensal_federation.serving.answer import serve
from commensal_federation.signing import canonical, sign
from commensal_federation.testing import Region

Say = Callable[..., str]

BOTH = True  # databases


def _count_stored(region: Region, name: str = "b") -> int:
    return _count(region[name].instance.store, federation_inbox)


def _count(store: Store, table: Any) -> int:
    with store.read() as tx:
        count: int = tx.value(select(func.count()).select_from(table))
        return count


def _alert_kinds(region: Region, name: str = "b") -> list[str]:
    with region[name].instance.store.read() as tx:
        return [alert.kind for alert in alerts(tx)]


def _change(region: Region, **values: Any) -> None:
    """Changes what b has set for its peer a."""
    with region["b"].instance.store.write() as tx:
        change_peer(tx, region.peer("b", "a").id, **values)


# ------------------------------------------------------------------------------------------------ attacks 12, 24 to 27


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"to": "https://c.example/.well-known/commensal"}, "to", id="26: a message for somebody else"),
        pytest.param({"onBehalfOf": "https://c.example/api/dfc/enterprises/1"}, "on_behalf_of", id="25: for another's"),
        pytest.param({"object": {"@id": "https://c.example/x", "text": "hello"}}, "object", id="25: another's object"),
        pytest.param({"published": "2026-06-04T10:05:00Z"}, "future", id="from the future"),
    ],
)
def test_an_instance_speaks_for_itself_and_to_its_reader(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], code: str
) -> None:
    body = forger.signed(**changes)
    assert forger.status(body)[1] == code
    assert notes.at(forger.region["b"]) == []
    guard = "refuse_foreign_object" if code == "object" else "refuse_other_places"
    monkeypatch.setattr(verification, guard, lambda *_: None)
    fresh = forger.signed(**changes)  # the number of the first message is used up if it was proven
    assert forger.status(fresh)[0] == 202
    assert notes.at(forger.region["b"]) == ["hello"]


def test_an_instance_cannot_speak_under_the_name_of_another(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attacks 12 and 24: c, also a peer, signs with its own key a request that carries a message of a's."""
    forger.region.befriend("c", "b")
    message = forger.signed()
    assert forger.status(message, by="c") == (403, "actor")
    assert notes.at(forger.region["b"]) == []
    monkeypatch.setattr(verification, "refuse_other_places", lambda *_: None)
    monkeypatch.setattr(verification, "pinned_keys", lambda peer: {forger.key().id: forger.key().public})
    assert forger.status(message, by="c")[0] == 202


def test_a_proof_by_somebody_else_within_the_object_proves_nothing(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 27."""
    inner = sign({"text": "hello"}, forger.key("c"), forger.region["c"].instance.clock.now())
    assert forger.status(forger.signed(object=inner)) == (422, "embedded")
    monkeypatch.setattr(verification, "canonical_unchecked", lambda _: b"")
    assert forger.status(forger.signed(object=inner))[0] == 202


# ------------------------------------------------------------------------------------------------ attacks 5, 13, 37


def test_a_request_that_comes_twice_has_no_second_effect(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 5: not even when it carries another message under the same nonce."""
    nonce = "n" * 32
    request = forger.request(forger.signed("one"), nonce=nonce)
    assert serve(forger.region["b"], request, "a").status == 202
    assert serve(forger.region["b"], request, "a").status == 401
    other_message = forger.signed("two")
    assert forger.send(other_message, nonce=nonce).status == 401
    assert notes.at(forger.region["b"]) == ["one"]
    monkeypatch.setattr(receiving, "keep_nonce", lambda *_: None)
    assert forger.send(other_message, nonce=nonce).status == 202


def test_a_stranger_causes_no_request_and_no_row(forger: Any) -> None:
    """Attack 13: the instance fetches nothing because a stranger named it."""
    region = forger.region
    region.wires.passed.clear()
    rows = _count_stored(region)
    for _ in range(5):
        assert forger.send(forger.signed(), by="c").status == 401
    region.work()
    assert region.wires.passed == []
    assert _count_stored(region) == rows
    assert _count(region["b"].instance.store, federation_nonce) == _count_of_peers_nonces(region)


def _count_of_peers_nonces(region: Region) -> int:
    with region["b"].instance.store.read() as tx:
        of_peer_a = federation_nonce.c.key_id.startswith(region["a"].iri)
        count: int = tx.value(select(func.count()).where(of_peer_a))
        return count


@pytest.mark.parametrize("state", ["suspended", "revoked"])
def test_what_a_peer_says_that_is_none_any_more_is_not_heard(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Attack 37."""
    _change(forger.region, state=state)
    assert forger.send(forger.signed()).status == 403
    assert receive(forger.region["b"], forger.signed()).status == 403
    assert notes.at(forger.region["b"]) == []
    monkeypatch.setattr(admission, "_refuse_ended", lambda peer: None)
    monkeypatch.setattr(receiving, "_current", lambda tx, peer: replace(peer, state="accepted"))
    assert forger.send(forger.signed()).status == 202


def test_a_peer_that_is_suspended_while_its_message_is_read_is_not_heard(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_all = receiving.check_all

    def suspend_while_reading(*args: Any) -> Any:
        result = check_all(*args)
        _change(forger.region, state="suspended")
        return result

    monkeypatch.setattr(receiving, "check_all", suspend_while_reading)
    assert forger.send(forger.signed()).status == 403
    assert notes.at(forger.region["b"]) == []


def test_a_peer_does_only_what_its_scopes_allow(forger: Any, notes: Any, say: Say) -> None:
    """Attack 37."""
    _change(forger.region, scopes_given=["catalogue.read"])
    assert forger.status(forger.signed()) == (403, "scope")
    say("a", "b", "mine", type="CatalogueNote")
    forger.region.work()
    assert notes.at(forger.region["b"]) == ["mine"]
    _change(forger.region, scopes_given=["catalogue.read", "order.place"])
    assert forger.status(forger.signed("allowed"))[0] == 202
    assert notes.at(forger.region["b"]) == ["mine", "allowed"]


# ------------------------------------------------------------------------------------------------ attack 28


@pytest.mark.parametrize(
    "corrupt",
    [
        lambda body: body.replace(b'"lane":"order"', b'"lane":"order","lane":"order"'),
        lambda body: body.replace(b'"seq":1', b'"seq":1.0'),
        lambda body: body.replace(b'"seq":1', b'"seq":9007199254740993'),
        lambda body: body.replace(b'"seq":1', b'"seq":NaN'),
        lambda body: body.replace(b'"text":"hello"', b'"text":"\\ud800"'),
        lambda body: body.replace(b'"text":"hello"', b'"text":' + b"[" * 2000 + b"]" * 2000),
        lambda body: body[:-1],
        lambda body: b"\xff" + body,
        lambda body: b"[]",
        lambda body: body.replace(b'"seq":1', b'"seq":0'),
        lambda body: body.replace(b'"seq":1', b'"seq":true'),
        lambda body: body.replace(b'"lane":"order"', b'"lane":"other"'),
    ],
)
def test_json_that_two_parsers_read_differently_is_not_read(
    forger: Any, notes: Any, corrupt: Callable[[bytes], bytes]
) -> None:
    body = corrupt(forger.signed())
    assert forger.status(body)[0] == 422
    assert receive(forger.region["b"], body).status in (403, 422)
    assert notes.at(forger.region["b"]) == []


def test_a_message_that_was_changed_is_not_taken(forger: Any, notes: Any) -> None:
    body = forger.signed()
    assert forger.status(body.replace(b"hello", b"hallo"))[0] == 422
    assert forger.status(body)[0] == 202


# ------------------------------------------------------------------------------------------------ attack 31


def test_the_same_message_again_has_no_effect_however_late(forger: Any, notes: Any, clock: ManualClock) -> None:
    """Attack 31: after a day, after the retries of a year, and after its row is deleted."""
    b, body = forger.region["b"], forger.signed()
    assert forger.status(body) == (202, "")
    assert forger.status(body) == (200, "known")
    clock.advance(days=2)
    assert receive(b, body).status == 200
    clock.advance(seconds=KEPT.total_seconds())
    with b.instance.store.write() as tx:
        forget_old(tx)
    assert _count_stored(forger.region) == 0
    assert receive(b, body).status == 200
    assert notes.at(b) == ["hello"]


def test_without_the_high_water_mark_a_forgotten_message_would_count_again(
    forger: Any, notes: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    b, body = forger.region["b"], forger.signed()
    assert forger.status(body) == (202, "")
    clock.advance(seconds=KEPT.total_seconds() + 1)
    with b.instance.store.write() as tx:
        forget_old(tx)
        change_lane(tx, forger.region.peer("b", "a").id, "order", "in", {"swept": 0})
    assert receive(b, body).status == 202
    assert notes.at(b) == ["hello", "hello"]


@pytest.mark.parametrize("repeated", ["id", "seq"])
def test_a_peer_that_contradicts_itself_is_refused_and_shown(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch, repeated: str
) -> None:
    """Attack 31: two messages with one id, or with one number."""
    first = forger.envelope("one")
    changes = {repeated: first[repeated]} if repeated == "id" else {"seq": first["seq"], "prev": None}
    now = forger.region["a"].instance.clock.now()
    assert forger.status(canonical(sign(first, forger.key(), now)))[0] == 202
    assert forger.status(forger.signed("two", **changes)) == (409, repeated)
    assert _alert_kinds(forger.region) == ["equivocation"]
    assert notes.at(forger.region["b"]) == ["one"]


def test_a_message_that_denies_what_came_before_it_is_refused_and_shown(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert forger.status(forger.signed("one"))[0] == 202
    other_message = forger.signed("two", prev="zQmOther")
    assert forger.status(other_message) == (409, "chain")
    assert _alert_kinds(forger.region) == ["equivocation"]
    monkeypatch.setattr(inbox.Inbox, "_follows", lambda *_: True)
    assert forger.status(other_message)[0] == 202


# ------------------------------------------------------------------------------------------------ attack 32


def test_a_gap_is_fetched_at_once_and_what_came_meanwhile_is_kept(
    region: Region, notes: Any, say: Say, forger: Any
) -> None:
    """Attack 32: b receives the third message first."""
    for text in ("one", "two", "three"):
        say("a", "b", text)
    with region["a"].instance.store.read() as tx:
        bodies = [row["body"].encode() for row in tx.all(select(_out()).where(_out().c.type == "OrderNote"))]
    assert forger.status(bodies[2])[0] == 202
    region.work("b")
    assert notes.at(region["b"]) == ["three", "one", "two"]
    region.work()
    assert sorted(notes.at(region["b"])) == ["one", "three", "two"], "nothing was done twice"


def _out() -> Any:
    from commensal_federation.delivery.tables import federation_outbox

    return federation_outbox


def test_a_number_from_the_future_leads_nowhere(forger: Any, notes: Any, region: Region) -> None:
    """Attack 32: the gap cannot be filled, and the lane continues."""
    assert forger.status(forger.signed("far", seq=10**12, prev=None))[0] == 202
    region.work("b")
    assert forger.status(forger.signed("next"))[0] == 202
    assert notes.at(region["b"]) == ["far", "next"]


def test_an_epoch_that_is_over_stays_over(
    forger: Any, notes: Any, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 32: numbers used before a restore are not used again."""
    epoch = region.peer("b", "a").epoch_seen
    old_message = forger.signed("old", epoch=epoch - 1, seq=7)
    assert forger.status(old_message) == (409, "epoch")
    assert _alert_kinds(region) == ["epoch"]
    monkeypatch.setattr(inbox.Inbox, "_begin_epoch", lambda *_: None)
    assert forger.status(old_message)[0] == 202


def test_an_epoch_begins_with_its_announcement_and_with_nothing_else(forger: Any, notes: Any, region: Region) -> None:
    epoch = region.peer("b", "a").epoch_seen + 1
    early_message = forger.signed("early", epoch=epoch, seq=1)
    assert forger.status(early_message) == (425, "epoch")
    start = {"type": "EpochStart", "object": {"type": "EpochStart", "epoch": epoch}, "seq": 1, "prev": None}
    assert forger.status(forger.signed(lane="peering", epoch=epoch, **start))[0] == 202
    assert forger.status(early_message)[0] == 202
    assert notes.at(region["b"]) == ["early"]


# ------------------------------------------------------------------------------------------------ attack 36


def test_a_peer_sends_no_more_in_a_minute_than_it_may(forger: Any, clock: ManualClock) -> None:
    _change(forger.region, limits={"messages": 3})
    statuses = [forger.send(forger.signed(str(number))).status for number in range(5)]
    assert statuses == [202, 202, 202, 429, 429]
    clock.advance(minutes=1)
    assert forger.send(forger.signed("later")).status == 202


def test_a_peer_sends_no_more_bytes_in_a_minute_than_it_may(forger: Any) -> None:
    _change(forger.region, limits={"size": 20_000})
    assert forger.send(forger.signed("x" * 10_000)).status == 202
    answer = forger.send(forger.signed("x" * 10_000))
    assert answer.status == 429
    assert 0 < int(answer.header("retry-after")) <= 61


def test_what_waits_of_a_peer_is_bounded(forger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 36."""
    _change(forger.region, limits={"kept_rows": 2})
    statuses = [forger.send(forger.signed("wait:never")).body.count(b"202") for _ in range(4)]
    assert [bool(status) for status in statuses] == [True, True, False, False]
    assert _count_stored(forger.region) - _peering(forger.region) == 2
    monkeypatch.setattr(inbox, "has_room", lambda *_: True)
    assert forger.status(forger.signed("wait:never"))[0] == 202


def _peering(region: Region) -> int:
    with region["b"].instance.store.read() as tx:
        count: int = tx.value(select(func.count()).where(federation_inbox.c.lane == "peering"))
        return count


def test_nonces_are_forgotten_when_their_signatures_have_run_out(forger: Any, clock: ManualClock) -> None:
    store = forger.region["b"].instance.store
    forger.send(forger.signed())
    assert _count(store, federation_nonce) > 0
    clock.advance(minutes=7)
    with store.write() as tx:
        wake(tx)
    assert _count(store, federation_nonce) == 0


def test_who_was_refused_again_and_again_is_not_listened_to(forger: Any, clock: ManualClock) -> None:
    """Rubbish at full speed is refused before any look-up or verification."""
    forged = replace(forger.request(b"rubbish"), body=b"other rubbish")
    b = forger.region["b"]
    statuses = [serve(b, forged, "192.0.2.1").status for _ in range(admission.REFUSED + 5)]
    assert statuses == [401] * admission.REFUSED + [429] * 5
    assert forger.send(forger.signed(), address="192.0.2.2").status == 202, "others are"
    clock.advance(minutes=1)
    assert serve(b, forged, "192.0.2.1").status == 401


def test_instances_behind_one_address_do_not_bar_each_other(forger: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who proves to be a peer is heard, whatever others send from there; their own refusals count for them."""
    b, shared = forger.region["b"], "192.0.2.1"
    request = forger.request(b"rubbish")
    headers = [(name, "sig1=:AAAA:" if name == "signature" else value) for name, value in request.headers]
    for _ in range(admission.REFUSED + 5):
        status = serve(b, replace(request, headers=headers), shared).status
    assert status == 429
    assert forger.send(forger.signed(), address=shared).status == 202
    for _ in range(admission.REFUSED + 5):
        status = serve(b, replace(request, body=b"other rubbish"), shared).status
    assert status == 429
    assert forger.send(forger.signed(), address=shared).status == 429, "this one has sent rubbish itself"
    monkeypatch.setattr(admission, "_is_signed", lambda *_: False)
    assert forger.send(forger.signed(), address="192.0.2.7").status == 202


def test_who_calls_in_the_name_of_a_peer_does_not_use_up_what_it_may_send(forger: Any) -> None:
    _change(forger.region, limits={"messages": 3})
    forged = replace(forger.request(b"rubbish"), body=b"other rubbish")
    for _ in range(20):
        serve(forger.region["b"], forged, "192.0.2.1")
    assert forger.send(forger.signed()).status == 202
