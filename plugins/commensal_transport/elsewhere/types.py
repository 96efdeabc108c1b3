"""All types of message of transport, each with what it does: the one place that binds bodies to their handlers."""

from __future__ import annotations

from collections.abc import Mapping

from commensal_federation.messaging import Handler, MessageType

from . import bodies, carrier, comparing, guest, places, restored, work
from .codec import reader, writer
from .sending import SCOPE

LARGEST = 64 * 1024  # bytes; a statement of a hundred participants has about 8,000


def _type(name: str, body: type[object], *, catalogue: bool = False, fades: bool = False) -> MessageType:
    name = f"transport.{name}"
    return MessageType(
        name=name,
        lane="catalogue" if catalogue else "order",
        scope=SCOPE,
        body=body,
        write=writer(name),
        read=reader(body),
        largest=LARGEST,
        fades=fades,
    )


TYPES: Mapping[MessageType, Handler] = {
    _type("TripOffer", bodies.TripOffer, catalogue=True): Handler(
        guest.handle_trip_offer, recover=restored.recover_number
    ),
    _type("PlaceRequest", bodies.PlaceRequest, catalogue=True): Handler(
        places.handle_place_request, recover=restored.recover_number
    ),
    _type("PlaceAnswer", bodies.PlaceAnswer, catalogue=True): Handler(
        places.handle_place_answer, recover=restored.recover_number
    ),
    _type("QuoteRequest", bodies.QuoteRequest, fades=True): Handler(
        carrier.handle_quote_request, failed=guest.take_refused_request
    ),
    _type("QuoteAnswer", bodies.QuoteAnswer): Handler(guest.handle_quote_answer),
    _type("BookingOrder", bodies.BookingOrder): Handler(
        carrier.handle_booking_order, failed=guest.take_refused_order, recover=restored.recover_order
    ),
    _type("BookingState", bodies.BookingState): Handler(guest.handle_booking_state, recover=restored.recover_state),
    _type("ReceiverReport", bodies.ReceiverReport): Handler(
        carrier.handle_receiver_report, recover=restored.recover_number
    ),
    _type("CountReport", bodies.CountReport): Handler(work.handle_count_report, recover=restored.recover_count),
    _type("Statement", bodies.StatementCopy): Handler(comparing.handle_statement, recover=restored.recover_number),
    _type("StatementAnswer", bodies.StatementAnswer): Handler(
        comparing.handle_statement_answer, recover=restored.recover_number
    ),
}
