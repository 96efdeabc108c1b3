"""Transport between three instances: the carrier's, the sender's and the hub's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from commensal import Conflict
from commensal_federation.messaging import fetch_document
from commensal_transport.bookings.bookings import Booking
from commensal_transport.bookings.codes import codes_of, proof_of
from commensal_transport.bookings.statements import comparisons_of
from commensal_transport.elsewhere import codes
from commensal_transport.tables import transport_event

from .carrying import Road, open_road
from .conftest import NewRegion
from .trading import Place, minutes


def test_carrier_sender_and_hub_live_at_three_instances_and_read_one_statement(
    new_region: NewRegion, monkeypatch: pytest.MonkeyPatch
) -> None:
    road = open_road(new_region, others=("c",), mill_at="c")
    trip = road.offer()
    booking = road.book()
    assert [booking.state for booking in road.bookings(road.farm)] == ["confirmed"]
    arriving = road.bookings(road.hub)
    assert [booking.state for booking in arriving] == ["confirmed"]
    assert arriving[0].cap == 0, "what the farm pays is between it and the mill"
    with monkeypatch.context() as without_the_check:
        carrier = road.region.peer("a", "c").id
        without_the_check.setattr(codes, "_home_of", lambda federation, tx, enterprise_id: carrier)
        assert _document(road, "c", booking) is not None, "the check keeps the carrier's instance off"
    _shown_and_proven(road, booking, arriving[0], road.guest_of(trip))
    statement = road.drive(trip)
    copies = [road.statement(road.farm, booking.trip_id), road.statement(road.hub, arriving[0].trip_id)]
    assert [copy and copy.digest for copy in copies] == [statement.digest] * 2
    with road.mill.read() as tx:
        compared = comparisons_of(tx, trip.id)
    assert [(row.digest, list(row.mistakes)) for row in compared] == [(statement.digest, [])] * 2
    with road.hub.read() as tx:
        assert len(comparisons_of(tx, arriving[0].trip_id)) == 1, "the two readers compare too"


def _shown_and_proven(road: Road, sent: Booking, arriving: Booking, aboard: Booking) -> None:
    """The hub has its code before the goods come, the carrier's instance has none; each proves one end of the way."""
    minutes(road.region, 2)
    made, fetched, at_carrier = _secrets(road.farm, sent), _secrets(road.hub, arriving), _secrets(road.mill, aboard)
    assert fetched == {"deliver": made["deliver"]}
    assert at_carrier == {"pick_up": None, "deliver": None}
    passed = str([request.body for _, request, _ in road.region.wires.passed])
    assert not [secret for secret in made.values() if str(secret) in passed], "it stands in no message"
    assert _document(road, "c", sent) is None, "the carrier's instance"
    with pytest.raises(Conflict, match="another load"):
        road.report(road.mill, aboard, "pick_up", code=made["deliver"])
    road.report(road.mill, aboard, "pick_up", crates=2, code=made["pick_up"])
    with road.hub.read() as tx:
        short = codes_of(tx, [arriving.id])[arriving.id]["deliver"].short
    road.report(road.mill, aboard, "deliver", crates=2, code=short)
    assert _proofs(road.farm, sent) == ["code", "code"]
    assert _proofs(road.hub, arriving) == ["unknown_code", "code"], "where goods are loaded is the sender's to see"
    assert _proofs(road.mill, aboard) == ["code", "unknown_code"], "who has the secret says what a short code proves"
    assert _document(road, "b", sent) is None, "it is of no use any more"


def _secrets(place: Place, booking: Booking) -> dict[str, str | None]:
    with place.read() as tx:
        return {step: code.secret for step, code in codes_of(tx, [booking.id])[booking.id].items()}


def _proofs(place: Place, booking: Booking) -> list[str]:
    """What each event proves by what is known at this instance."""
    event = transport_event.c
    with place.read() as tx:
        rows = tx.all(select(transport_event).where(event.booking_id == booking.id).order_by(event.at, event.id))
        known = codes_of(tx, [booking.id])
        return [proof_of(known, booking.id, row["event"], row["code"]) for row in rows]


def _document(road: Road, reader: str, booking: Booking) -> Any:
    """The code of a booking of the farm, as another instance asks for it."""
    iri = f"{road.region['a'].base}/-/transport/bookings/{booking.id}"
    return fetch_document(road.region[reader], road.region.peer(reader, "a"), codes.CODE, iri)
