"""JSON API of transport: what is to be carried, trips, prices, bookings, what happened to them, and statements.

Moments are UTC; money is in cents of euros; loads are crates of 600 × 400 mm, and kilograms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Literal

import msgspec

from commensal import Body, Call, Endpoint, Routes, hookimpl, say

from .driving import CarrierEvent, Noted, take_note

_routes = Routes("transport")
_HERE = "/enterprises/{enterprise}"
_FUTURE = timedelta(minutes=5)  # by which the clock of a telephone may be ahead

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class AtStop(Body, frozen=True, kw_only=True):
    """What happened to a booking at a stop. `crates` were counted, `celsius` was measured, with one decimal at most;
    `at` is the moment by the clock of the telephone."""

    booking_id: Id
    event: CarrierEvent
    crates: Annotated[int, msgspec.Meta(ge=0, le=10_000)] | None = None
    celsius: Decimal | None = None
    note: Annotated[str, msgspec.Meta(max_length=500)] = ""
    at: Moment


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """`conflict`: this cannot have happened by what is known here; `text` says why. The run sheet lists it for people
    to decide."""

    outcome: Literal["done", "conflict"]
    text: str = ""


@hookimpl
def endpoints() -> Sequence[Endpoint]:
    return _routes.endpoints


@_routes.post(f"{_HERE}/trips/{{trip}}/events", scope="transport:drive", needs_key=True)
def report_at_stop(call: Call, enterprise: str, trip: str, body: AtStop) -> Outcome:
    """Writes down what the carrier reports about a booking, also hours later."""
    noted = Noted(
        booking_id=body.booking_id, event=body.event, crates=body.crates, celsius=body.celsius, note=body.note,
        at=min(body.at.astimezone(UTC), call.tx.now + _FUTURE),
    )  # fmt: skip
    error = take_note(call.tx, enterprise, trip, noted, by=call.person_id)
    return Outcome(outcome="conflict", text=say(call.language, error)) if error else Outcome(outcome="done")
