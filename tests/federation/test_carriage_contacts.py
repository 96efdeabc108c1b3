"""Telephone numbers and gate codes between instances: for the other side of a booking alone, and for a while."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from sqlalchemy import select

from commensal import Transaction
from commensal.hooks.failures import failures_by_plugin
from commensal.parts.pictures import Picture
from commensal_federation.messaging import Federation, Peer, PeerDocument, Unreadable, fetch_document, peer_by_id
from commensal_federation.peering.deciding import change_scopes
from commensal_federation.runtime import DocumentBinding, documents_of
from commensal_federation.testing import answer_of
from commensal_federation.transport import Request
from commensal_transport.bookings.mails import Contact
from commensal_transport.bookings.photos import add_photo, photo_for
from commensal_transport.bookings.states import REACHABLE
from commensal_transport.elsewhere import contacts, photos
from commensal_transport.tables import transport_contact

from .carrying import PLUGINS, Road, open_road
from .conftest import NewRegion
from .trading import Place, clock_of, minutes

FARM, MILL = Contact("+33 1 99 00 47 05", "Gate code 4711"), Contact("+33 6 39 98 00 01", "")
NAME = "transport.Contacts"


@pytest.fixture
def road(new_region: NewRegion) -> Road:
    road = open_road(new_region, others=("c",))
    road.settings(road.farm, is_farm=True, phone=FARM.phone, access=FARM.access)
    road.settings(road.mill, is_farm=True, phone=MILL.phone)
    return road


def test_each_side_reads_how_to_reach_the_other_until_two_days_after_the_trip(road: Road) -> None:
    trip = road.offer()
    iri = f"{road.region['a'].base}/-/transport/bookings/{road.book().id}"
    minutes(road.region, 2)
    assert [_stored(place) for place in (road.farm, road.mill)] == [[MILL], [FARM]]
    passed = str([request.body for _, request, _ in road.region.wires.passed])
    assert "Gate code" not in passed, "it stands in no message"
    clock_of(road.region).advance(seconds=(trip.ends_at + REACHABLE - clock_of(road.region).now()).total_seconds() - 1)
    assert _read_by(road, "b", "a", iri), "the last second"
    clock_of(road.region).advance(seconds=1)
    assert _read_by(road, "b", "a", iri) is None
    minutes(road.region, 10)
    assert [_stored(place) for place in (road.farm, road.mill)] == [[], []]


def test_a_photograph_is_read_by_sender_and_receiver_and_in_messages_is_a_digest(road: Road) -> None:
    trip = road.offer()
    sent = road.book()
    aboard = road.guest_of(trip)
    road.report(road.mill, aboard, "pick_up", crates=2)
    picture = Picture(content=b"RIFF of a broken crate", thumbnail=b"RIFF", width=4, height=3)
    with road.mill.write() as tx:
        digest = add_photo(tx, "mill", trip.id, aboard.id, picture)
    road.region.work()
    minutes(road.region, 2)
    with road.farm.read() as tx:
        assert photo_for(tx, "farm", sent.id, digest) == picture.content
    passed = str([request.body for _, request, _ in road.region.wires.passed])
    assert digest in passed
    assert b64encode(picture.content).decode() not in passed
    about = f"{road.region['a'].base}/-/transport/bookings/{sent.id}/photos/{digest}"
    assert fetch_document(road.region["a"], road.region.peer("a", "b"), photos.PHOTO, about) is not None
    assert fetch_document(road.region["c"], road.region.peer("c", "b"), photos.PHOTO, about) is None, "another peer"
    other = {"about": about, "picture": b64encode(b"another crate").decode()}
    assert photos.read_photo_document(other, about) is None, "it has another digest"


def test_nobody_else_reads_them_and_not_before_a_booking_or_after_its_end(road: Road) -> None:
    trip, a, b = road.offer(), road.region["a"], road.region["b"]
    ordered = road.order()
    iri = f"{a.base}/-/transport/bookings/{ordered.id}"
    assert _read_by(road, "b", "a", iri) is None, "it is ordered, and not confirmed"
    road.region.work()
    assert _read_by(road, "b", "a", iri) == [("farm", FARM.access)]
    assert _read_by(road, "a", "b", iri) == [("mill", "")], "the sender reads nothing of the receiver"
    assert [_read_by(road, "c", home, iri) for home in "ab"] == [None, None], "another peer"
    assert _read_by(road, "b", "a", f"{b.base}/-/transport/trips/{trip.id}") is None, "no booking"
    url = f"{a.base}/-/federation/documents/{NAME}?about={iri}"
    assert answer_of(a, Request("GET", url, []), "192.0.2.7").status == 401, "a stranger"
    _give_scopes(road, "order.place")
    assert _read_by(road, "b", "a", iri) is None, "the scope is withdrawn"
    _give_scopes(road, "order.place", "transport")
    assert _read_by(road, "b", "a", iri) is not None
    road.report(road.farm, road.bookings(road.farm)[0], "cancel")
    assert _read_by(road, "b", "a", iri) is None, "it is cancelled"


def test_without_its_checks_another_peer_reads_a_gate_code(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.offer()
    iri = f"{road.region['a'].base}/-/transport/bookings/{road.order().id}"
    monkeypatch.setattr(contacts, "may_meet", lambda booking, trip, now: True)
    monkeypatch.setattr(contacts, "_met_by", lambda home, booking, trip, homes: {booking.sender_id})
    assert _read_by(road, "c", "a", iri) == [("farm", FARM.access)]


def test_a_document_is_refused_by_name_and_a_fault_is_its_plugins(new_region: NewRegion) -> None:
    region = new_region("a", "b", plugins=PLUGINS)
    peer, _ = region.befriend("b", "a")

    def fail(federation: Federation, tx: Transaction, peer: Peer, about: str) -> Any:
        raise ZeroDivisionError("no such gate")

    broken = DocumentBinding("transport.Gate", PeerDocument(scope="transport", write=fail), "transport")
    region["a"].instance.state.replace(documents_of, {"transport.Gate": broken})
    assert fetch_document(region["b"], peer, "transport.Fence", "x") is None, "there is none of that name"
    with pytest.raises(Unreadable, match="answered 500"):
        fetch_document(region["b"], peer, "transport.Gate", "x")
    region["a"].instance.hooks.flush_failures()
    with region["a"].instance.store.read() as tx:
        assert "no such gate" in failures_by_plugin(tx)["transport"].what


@pytest.mark.parametrize("about", ["", "x" * 301, "https://a.example/-/transport/bookings/\x00"])
def test_what_cannot_name_a_thing_is_refused_and_no_fault_of_the_plugin(road: Road, about: str) -> None:
    with pytest.raises(Unreadable, match="answered 422"):
        fetch_document(road.region["b"], road.region.peer("b", "a"), NAME, about)


def test_a_home_that_answers_something_else_does_not_keep_the_next_from_being_asked(road: Road) -> None:
    road.offer()
    booking = road.book()
    minutes(road.region, 2)

    def fail(federation: Federation, tx: Transaction, peer: Peer, about: str) -> Any:
        raise ZeroDivisionError("no such gate")

    broken = DocumentBinding(NAME, PeerDocument(scope="transport", write=fail), "transport")
    road.region["b"].instance.state.replace(documents_of, {NAME: broken})
    contacts.fetch_contacts(road.farm.instance, booking.id)
    assert _stored(road.farm) == [MILL], "what was told before stays"


def _stored(place: Place) -> list[Contact]:
    """What this instance has fetched."""
    with place.read() as tx:
        return [Contact(row["phone"], row["access"]) for row in tx.all(select(transport_contact))]


def _read_by(road: Road, reader: str, home: str, booking: str) -> list[tuple[str, str]] | None:
    """The contacts about this booking that one instance reads at another: enterprises with their access."""
    document: Any = fetch_document(road.region[reader], road.region.peer(reader, home), NAME, booking)
    if document is None:
        return None
    return [(row["enterprise"].rpartition("/")[2], row["access"]) for row in document["contacts"]]


def _give_scopes(road: Road, *scopes: str) -> None:
    """What instance a lets b do."""
    federation = road.region["a"]
    with federation.instance.store.write() as tx:
        peer = peer_by_id(tx, road.region.peer("a", "b").id)
        change_scopes(federation, tx, peer.id, peer.version, scopes)
    road.region.work()
