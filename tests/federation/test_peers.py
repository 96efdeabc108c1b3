"""Two persons agree that their instances trade; nothing happens before, and either of them can end it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Conflict, Invalid
from commensal.enterprises.tokens import make_token
from commensal.parts.accounts.operators import add_operator
from commensal.parts.serving.app import make_app
from commensal.people.actor import OPERATOR
from commensal_federation.delivery import post
from commensal_federation.delivery.alerts import alerts
from commensal_federation.delivery.sync import refreshing
from commensal_federation.delivery.sync.refreshing import enqueue_refresh
from commensal_federation.delivery.tables import federation_outbox
from commensal_federation.delivery.work import _wake
from commensal_federation.identity import instance_document, read_document
from commensal_federation.identity.keys import root_key, sign_key_set
from commensal_federation.identity.rotation import revoke as revoke_key
from commensal_federation.messages.peering import LARGEST
from commensal_federation.peering import accept, fingerprint, invite, requests, resume, revoke, suspend, waiting
from commensal_federation.peering.deciding import change_scopes
from commensal_federation.peering.requests import receive_request
from commensal_federation.peering.waiting import make_room
from commensal_federation.peering.work import enqueue_key_updates
from commensal_federation.peers import peers
from commensal_federation.peers.changing import new_peer
from commensal_federation.runtime import Federation
from commensal_federation.signing import canonical
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .posing import document_with_keys_of

NewRegion = Callable[..., Region]
Say = Callable[..., str]
SCOPES = ["catalogue.read", "order.place"]


@pytest.fixture
def strangers(new_region: NewRegion) -> Region:
    return new_region("a", "b")


def _request_of(region: Region) -> bytes:
    """Returns the request of a to b as it was sent."""
    invite(region["a"], region["b"].base, SCOPES)
    sent: list[bytes] = []

    def note(origin: str, request: Request) -> Answer | None:
        if request.url.endswith("/requests"):
            sent.append(request.body)
            return Answer(429)
        return None

    previous, region.wires.before = region.wires.before, note
    region.work("a")
    region.wires.before = previous
    return sent[0]


def test_an_invitation_shows_the_same_fingerprint_on_both_sides(strangers: Region) -> None:
    invitation = invite(strangers["a"], "https://b.example/", SCOPES)
    strangers.work("a")
    request_at_b = strangers.peer("b", "a")
    assert (invitation.state, request_at_b.state) == ("invited", "requested")
    accept(strangers["b"], request_at_b.id, ["stock.lease"], fingerprint=fingerprint(request_at_b))
    strangers.work()
    a, b = strangers.peer("a", "b"), strangers.peer("b", "a")
    assert a.state == b.state == "accepted"
    assert a.scopes_given == b.scopes_received == set(SCOPES)
    assert b.scopes_given == a.scopes_received == {"stock.lease"}


def test_another_fingerprint_than_the_one_on_the_telephone_ends_it(strangers: Region) -> None:
    with pytest.raises(Conflict, match="another fingerprint"):
        invite(strangers["a"], strangers["b"].base, SCOPES, fingerprint="00000 " * 8)
    assert strangers.work() == 0


def test_a_request_causes_one_look_at_the_sender_s_own_document(strangers: Region) -> None:
    """Attack 13: whoever asks causes no other request of ours, and none once it is known."""
    body = _request_of(strangers)
    strangers.wires.passed.clear()
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 202
    strangers.work("b")
    assert [request.url for _, request, _ in strangers.wires.passed] == [strangers["a"].iri]
    assert strangers.peer("b", "a").state == "requested"
    accept(strangers["b"], strangers.peer("b", "a").id, SCOPES)
    strangers.work("b")
    strangers.wires.passed.clear()
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 200
    assert strangers.wires.passed == []


def test_nobody_asks_in_the_name_of_another_instance(new_region: NewRegion) -> None:
    """Attack 37: c makes a whole and well signed request of a's address with keys of its own. It would hold a's place,
    so that a itself could never ask."""
    region = new_region("a", "b", "c")
    b = region["b"]
    assert receive_request(b, _forged_request(region, "c", posing_as="a", to="b"), "192.0.2.9").status == 403
    with b.instance.store.read() as tx:
        assert peers(tx) == []


def test_a_request_of_an_address_that_does_not_answer_leaves_no_row_and_may_come_again(strangers: Region) -> None:
    body = _request_of(strangers)
    strangers.cut("b", "a")
    receipt = receive_request(strangers["b"], body, "192.0.2.1")
    assert (receipt.status, receipt.code) == (425, "origin")
    assert strangers["a"].base not in receipt.text, "the answer is no means to look into our network"
    with strangers["b"].instance.store.read() as tx:
        assert peers(tx) == []
    strangers.mend()
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 202


def test_slow_addresses_of_strangers_take_no_more_than_a_few_threads(
    strangers: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = _request_of(strangers)
    monkeypatch.setattr(requests, "_fetching", threading.BoundedSemaphore(1))
    with requests._fetching:
        assert receive_request(strangers["b"], body, "192.0.2.1").code == "busy"
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 202


def test_addresses_of_one_site_are_called_a_few_times_a_minute(strangers: Region, clock: ManualClock) -> None:
    body = _request_of(strangers)
    strangers.cut("b", "a")
    codes = [receive_request(strangers["b"], body, f"192.0.2.{number}").code for number in range(8)]
    assert codes == ["origin"] * requests.MOST_OF_SITE + ["too_many"] * 2
    clock.advance(minutes=1)
    assert receive_request(strangers["b"], body, "192.0.2.1").code == "origin"


def _forged_request(region: Region, name: str, *, posing_as: str, to: str) -> bytes:
    own = region[name]
    settings = replace(own.instance.settings, base_url=region[posing_as].base)
    posing = Federation(replace(own.instance, settings=settings), own.transport, own.messages)
    with own.instance.store.write() as tx:
        root = root_key(posing, tx)
        assert root is not None
        sign_key_set(posing, tx, root)
    invite(posing, region[to].base, SCOPES)
    with own.instance.store.read() as tx:
        body: str = tx.value(select(federation_outbox.c.body).where(federation_outbox.c.type == "PeerRequest"))
    return body.encode()


# ------------------------------------------------------------------------------------------------ requests that wait


def _wait_for_answer(region: Region, *places: tuple[str, str]) -> None:
    """Stores requests, each a minute later, of these hosts and from these networks."""
    b = region["b"]
    with region["a"].instance.store.read() as tx:
        document = read_document(canonical(instance_document(region["a"], tx)), region["a"].iri, tx.now)
    for number, (host, network) in enumerate(places):
        with b.instance.store.write() as tx:
            iri, requested_at = f"https://{host}/.well-known/commensal", tx.now + timedelta(minutes=number)
            assert make_room(tx, iri, network)
            values = {"nonce": "n", "requested_at": requested_at, "network": network}
            new_peer(tx, replace(document, iri=iri), "{}", state="requested", **values)


def _hosts(region: Region) -> list[str]:
    with region["b"].instance.store.read() as tx:
        return sorted(peer.base.removeprefix("https://") for peer in peers(tx))


def test_whoever_floods_displaces_its_own_requests_first(strangers: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack 36."""
    monkeypatch.setattr(waiting, "MOST_OF_NETWORK", 2)
    monkeypatch.setattr(waiting, "MOST_OF_SITE", 2)
    honest = ("val.example.org", "198.51.100.0/24")
    _wait_for_answer(strangers, honest, *((f"evil{number}.example", "192.0.2.0/24") for number in range(5)))
    assert _hosts(strangers) == ["evil3.example", "evil4.example", "val.example.org"]
    _wait_for_answer(strangers, *((f"n{number}.evil.example", f"203.0.{number}.0/24") for number in range(5)))
    assert _hosts(strangers) == [
        "evil3.example",
        "evil4.example",
        "n3.evil.example",
        "n4.evil.example",
        "val.example.org",
    ]


def test_the_oldest_unanswered_request_gives_way_to_a_new_one(
    strangers: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MOST", 3)
    _wait_for_answer(strangers, *((f"s{number}.test{number}", f"n{number}") for number in range(5)))
    assert _hosts(strangers) == ["s2.test2", "s3.test3", "s4.test4"]


def test_a_request_expires_on_both_sides(strangers: Region, clock: ManualClock) -> None:
    invite(strangers["a"], strangers["b"].base, SCOPES)
    strangers.work()
    a, b = _operator(strangers, "a"), _operator(strangers, "b")
    (peer_of_a,), (peer_of_b,) = (client.get("/api/-/federation/peers").json()["items"] for client in (a, b))
    assert (peer_of_a["state"], peer_of_b["state"]) == ("invited", "requested")
    assert peer_of_a["expires_at"] == peer_of_b["expires_at"]
    clock.advance(days=30)
    (peer_of_a,), (peer_of_b,) = (client.get("/api/-/federation/peers").json()["items"] for client in (a, b))
    assert (peer_of_a["state"], peer_of_b["state"]) == ("expired", "expired")
    late = b.post(
        f"/api/-/federation/peers/{peer_of_b['id']}/accept",
        json={"scopes": SCOPES, "fingerprint": peer_of_b["fingerprint"]},
    )
    assert (late.status_code, late.json()["code"]) == (409, "peer_expired")
    invite(strangers["a"], strangers["b"].base, SCOPES)
    strangers.work()
    assert (strangers.peer("b", "a").state, len(_hosts(strangers))) == ("requested", 1)
    accept(strangers["b"], strangers.peer("b", "a").id, SCOPES)
    strangers.work()
    assert strangers.peer("a", "b").state == "accepted"


def test_a_request_to_whom_invited_it_long_ago_waits_for_its_operator(strangers: Region, clock: ManualClock) -> None:
    invite(strangers["b"], strangers["a"].base, SCOPES)
    clock.advance(days=31)
    with strangers["b"].instance.store.write() as tx:  # b's request never came
        tx.execute(delete(federation_outbox))
    body = _request_of(strangers)
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 202
    assert strangers.peer("b", "a").state == "requested"


def test_requests_that_expired_long_ago_are_forgotten_and_peers_are_not(strangers: Region, clock: ManualClock) -> None:
    invite(strangers["a"], strangers["b"].base, SCOPES)
    strangers.work()
    clock.advance(seconds=waiting.FORGOTTEN_AFTER.total_seconds() + 60)
    for name in ("a", "b"):
        with strangers[name].instance.store.write() as tx:
            waiting.forget_expired(tx)
    assert _hosts(strangers) == []
    assert strangers.peer("a", "b").shown_state(clock.now()) == "expired", "its own operator sees what became of it"


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://hub.val.example.org/x", "example.org"),
        ("https://val.co.uk", "val.co.uk"),
        ("https://a.b.val.co.uk", "val.co.uk"),
        ("https://val.fr", "val.fr"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("https://[2001:db8::1]", "2001:db8::1"),
    ],
)
def test_a_site_is_what_one_owner_usually_holds(url: str, site: str) -> None:
    assert waiting.site_of(url) == site


def test_before_both_have_agreed_nothing_else_is_heard(strangers: Region, notes: Any) -> None:
    invite(strangers["a"], strangers["b"].base, SCOPES)
    strangers.work("a")
    a = strangers["a"]
    with pytest.raises(Conflict, match="have not agreed"), a.instance.store.write() as tx:
        post(a, tx, strangers.peer("a", "b").id, "OrderNote", notes.type("OrderNote", "order", "").body("early"))


def test_two_who_invite_each_other_have_agreed(strangers: Region) -> None:
    invite(strangers["a"], strangers["b"].base, SCOPES)
    invite(strangers["b"], strangers["a"].base, SCOPES)
    strangers.work()
    assert strangers.peer("a", "b").state == strangers.peer("b", "a").state == "accepted"


def test_a_flood_of_requests_is_stopped_before_it_is_read(
    strangers: Region, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack 37."""
    b, body = strangers["b"], _request_of(strangers)
    requests_read: list[int] = []
    actual = requests._read

    def count_read(*args: Any) -> Any:
        requests_read.append(1)
        return actual(*args)

    monkeypatch.setattr(requests, "_read", count_read)
    statuses = [receive_request(b, body, "192.0.2.1").status for _ in range(20)]
    assert statuses.count(429) == 20 - requests.MOST_OF_ADDRESS
    assert len(requests_read) == requests.MOST_OF_ADDRESS
    clock.advance(minutes=1)
    assert receive_request(b, body, "192.0.2.1").status in (200, 202)


def test_junk_of_many_networks_keeps_nobody_out(strangers: Region) -> None:
    """Of all together only what is signed by a key counts, and nobody's first request."""
    b, body = strangers["b"], _request_of(strangers)
    for number in range(40 * requests.MOST_OF_ADDRESS):
        assert receive_request(b, b"{}", f"198.51.100.{number % 40}").status in (422, 429)
    assert receive_request(b, body, "192.0.2.1").status == 202
    for number in range(40 * requests.MOST_OF_ADDRESS):
        receive_request(b, body, f"198.51.100.{number % 40}")
    assert receive_request(b, body, "192.0.2.2").status == 202, "as the first one of a network"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body.replace(b"order.place", b"stock.lease"),
        lambda body: body.replace(b'"type":"PeerRequest"', b'"type":"PeerAccept"'),
        lambda body: body.replace(b"https://b.example/.well-known", b"https://c.example/.well-known"),
        lambda body: body + b" " * LARGEST,
        lambda body: b"{}",
    ],
)
def test_a_request_must_prove_itself(strangers: Region, spoil: Callable[[bytes], bytes]) -> None:
    body = spoil(_request_of(strangers))
    assert receive_request(strangers["b"], body, "192.0.2.1").status in (403, 413, 422)
    with strangers["b"].instance.store.read() as tx:
        assert peers(tx) == []


def test_an_old_request_is_not_taken(strangers: Region, clock: ManualClock) -> None:
    body = _request_of(strangers)
    clock.advance(days=9)
    assert receive_request(strangers["b"], body, "192.0.2.1").status == 422


def test_an_address_that_was_taken_over_between_request_and_consent_is_not_accepted(region: Region) -> None:
    """Attack 15."""
    invite(region["c"], region["b"].base, SCOPES)
    region.work("c")
    other_document = document_with_keys_of("a", region, at="c")
    region.wires.before = lambda origin, request: other_document if request.url == region["c"].iri else None
    with pytest.raises(Conflict, match="another document") as refused:
        accept(region["b"], region.peer("b", "c").id, SCOPES)
    assert refused.value.code == "peer_changed"
    assert region.peer("b", "c").state == "requested"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, [("location", "https://evil.example/doc")]),
        Answer(200, [("content-type", "text/html")], b"<html>"),
        Answer(200, [("content-type", "application/ld+json")], b"{"),
        Answer(200, [("content-type", "application/ld+json")], b"x" * 65_537),
        Answer(404),
    ],
)
def test_only_the_document_itself_is_pinned(strangers: Region, answer: Answer) -> None:
    """Attacks 17 and 19: redirects, users' uploads, rubbish and endless answers."""
    strangers.wires.before = lambda origin, request: answer
    with pytest.raises(Conflict):
        invite(strangers["a"], strangers["b"].base, SCOPES)
    with strangers["a"].instance.store.read() as tx:
        assert peers(tx) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://b.example",
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[::ffff:127.0.0.1]",
        "https://[64:ff9b::7f00:1]",
        "https://0x7f000001",
        "https://2130706433",
        "https://b.example:22",
        "https://user:secret@b.example",
        "file:///etc/passwd",
    ],
)
def test_addresses_that_lead_inside_are_not_called(strangers: Region, url: str) -> None:
    """Attack 18. The guard of outbound requests checks again when it connects."""
    with pytest.raises(Invalid):
        invite(strangers["a"], url, SCOPES)
    assert strangers.wires.passed == []


def test_a_suspended_peer_is_not_heard_and_nothing_goes_out_until_it_is_resumed(
    region: Region, notes: Any, say: Say
) -> None:
    b = region["b"]
    with b.instance.store.write() as tx:
        suspend(tx, region.peer("b", "a").id)
    say("a", "b", "from a")
    say("b", "a", "from b")
    region.work()
    assert notes.at(b) == notes.at(region["a"]) == []
    with b.instance.store.write() as tx:
        resume(tx, region.peer("b", "a").id)
    region.work()
    assert notes.at(b) == ["from a"]
    assert notes.at(region["a"]) == ["from b"]


def test_who_is_revoked_is_told_and_both_stop(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    say("a", "b", "too late")
    a = region["a"]
    with a.instance.store.write() as tx:
        revoke(a, tx, region.peer("a", "b").id, reason="We close.")
    region.work()
    assert region.peer("a", "b").state == region.peer("b", "a").state == "revoked"
    assert notes.at(region["b"]) == []
    with region["b"].instance.store.read() as tx:
        assert [alert.text for alert in alerts(tx)] == ["It has ended the trade. We close."]
    with pytest.raises(Conflict):
        say("b", "a", "hello?")


def test_whom_we_revoked_may_be_invited_anew(region: Region, notes: Any, say: Say, clock: ManualClock) -> None:
    a, b = region["a"], region["b"]
    with a.instance.store.write() as tx:
        revoke(a, tx, region.peer("a", "b").id)
    region.work()
    clock.advance(minutes=1)
    invite(b, a.base, SCOPES)
    invite(a, b.base, SCOPES)
    clock.advance(minutes=1)
    region.work()
    assert region.peer("a", "b").state == region.peer("b", "a").state == "accepted"
    say("a", "b", "again")
    region.work()
    assert notes.at(b) == ["again"]


def test_what_a_peer_may_do_is_changed_and_told(region: Region) -> None:
    a, peer = region["a"], region.peer("a", "b")
    with a.instance.store.write() as tx:
        change_scopes(a, tx, peer.id, peer.version, ["stock.lease"])
    region.work()
    assert region.peer("b", "a").scopes_received == {"stock.lease"}


def test_a_key_that_is_revoked_is_told_and_counts_no_more(region: Region, notes: Any, say: Say, forger: Any) -> None:
    """Attack 16: also for messages that claim an earlier time."""
    a, stolen = region["a"], forger.key()
    with a.instance.store.write() as tx:
        revoke_key(a, tx, "k1", "stolen")
        _wake(enqueue_key_updates, tx)
    region.work()
    forger.key = lambda name="a": stolen
    assert forger.send(forger.signed()).status == 401
    say("a", "b", "by the new key")
    region.work()
    assert notes.at(region["b"]) == ["by the new key"]


def test_an_unknown_key_has_the_document_looked_at_once_in_ten_minutes(
    region: Region, forger: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.advance(minutes=11)
    region.wires.passed.clear()
    unknown_key = replace(forger.key(), id=f"{region['a'].iri}#k99")
    forger.key = lambda name="a": unknown_key
    for _ in range(10):
        assert forger.send(forger.signed()).status == 401
        region.work("b")
    assert len(region.wires.passed) == 1
    clock.advance(minutes=11)
    forger.send(forger.signed())
    region.work("b")
    assert len(region.wires.passed) == 2


def test_a_document_that_the_pinned_root_key_has_not_signed_suspends_the_peer(
    region: Region, clock: ManualClock
) -> None:
    """Attack 15: an attacker who has taken over the address has another root key."""
    clock.advance(hours=1)
    other_document = document_with_keys_of("c", region, at="a")
    region.wires.before = lambda origin, request: other_document if request.url == region["a"].iri else None
    b = region["b"]
    with b.instance.store.write() as tx:
        enqueue_refresh(tx, region.peer("b", "a"))
    region.work("b")
    assert region.peer("b", "a").state == "suspended"
    with b.instance.store.read() as tx:
        assert [alert.kind for alert in alerts(tx)] == ["document"]


def test_refreshing_is_asked_for_daily(region: Region, clock: ManualClock) -> None:
    clock.advance(seconds=refreshing.USUALLY.total_seconds() + 60)
    with region["b"].instance.store.write() as tx:
        _wake(enqueue_key_updates, tx)
    region.wires.passed.clear()
    region.work("b")
    assert [request.url for _, request, _ in region.wires.passed if "well-known" in request.url] == [region["a"].iri]


def test_operators_do_it_all_over_the_api(new_region: NewRegion) -> None:
    region = new_region("a", "b")
    a, b = _operator(region, "a"), _operator(region, "b")
    digits = b.get("/api/-/federation/keys").json()["fingerprint"]
    body = {"url": "https://b.example", "scopes": SCOPES}
    for unheard in ({}, {"fingerprint": ""}, {"fingerprint": "12345"}):
        assert a.post("/api/-/federation/peers", json={**body, **unheard}).status_code == 422
    invitation = a.post("/api/-/federation/peers", json={**body, "fingerprint": digits})
    assert invitation.status_code == 201
    region.work()
    (peer,) = b.get("/api/-/federation/peers").json()["items"]
    assert (peer["state"], peer["url"]) == ("requested", "https://a.example")
    acceptance = b.post(
        f"/api/-/federation/peers/{peer['id']}/accept", json={"scopes": SCOPES, "fingerprint": peer["fingerprint"]}
    )
    assert acceptance.json()["state"] == "accepted"
    region.work()
    peer_at_a = a.get(f"/api/-/federation/peers/{invitation.json()['id']}")
    assert peer_at_a.json()["state"] == "accepted"
    limits = f"/api/-/federation/peers/{invitation.json()['id']}/limits"
    changed_limits = a.patch(limits, json={"lot_share": 30}, headers={"If-Match": peer_at_a.headers["etag"]})
    assert changed_limits.json()["limits"]["lot_share"] == 30
    assert a.patch(limits, json={"lot_share": 31}, headers={"If-Match": peer_at_a.headers["etag"]}).status_code == 412
    assert (
        a.patch(limits, json={"lot_share": 101}, headers={"If-Match": changed_limits.headers["etag"]}).status_code
        == 422
    )
    for step, state in (("suspend", "suspended"), ("resume", "accepted")):
        assert a.post(f"/api/-/federation/peers/{peer_at_a.json()['id']}/{step}").json()["state"] == state
    revocation = a.post(f"/api/-/federation/peers/{peer_at_a.json()['id']}/revoke", json={})
    assert revocation.json()["state"] == "revoked"


def test_only_operators_may(new_region: NewRegion) -> None:
    region = new_region("a")
    with TestClient(make_app(region["a"].instance)) as client:
        for path in ("peers", "alerts", "letters", "message?id=x"):
            assert client.get(f"/api/-/federation/{path}").status_code == 401


def _operator(region: Region, name: str) -> TestClient:
    instance = region[name].instance
    email = f"{name}@example.org"
    person = add_operator(instance.store, email=email, name=name, password="a long enough one", language="en")
    with instance.store.write() as tx:
        token = make_token(tx, person.id, name="Tests", scopes=frozenset({OPERATOR}))
    return TestClient(make_app(instance), headers={"Authorization": f"Bearer {token.secret}"})
