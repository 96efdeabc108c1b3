"""Has other instances told what has changed here, by jobs after the commit; `jobs` has what these do."""

from __future__ import annotations

from datetime import timedelta

from commensal import Transaction, enqueue

TELL, ASK, ASK_ALL = "transport.tell", "transport.ask", "transport.ask_all"
CONTACTS = "transport.fetch_contacts"
REPEAT = "transport.repeat"
PLAN = "transport.plan"
MEASURE = "transport.measure"


def tell_others(tx: Transaction, *, trip: str = "", booking: str = "") -> None:
    """Has other instances told about a trip of ours with its bookings, or about our booking with a trip elsewhere."""
    enqueue(tx, TELL, {"trip": trip, "booking": booking})


def ask_others(tx: Transaction, enterprise_id: str) -> None:
    """Enqueues the job that asks other instances what they charge to carry what the enterprise must bring."""
    enqueue(tx, ASK, {"enterprise": enterprise_id})


def ask_contacts(tx: Transaction, booking_id: str, *, after: timedelta = timedelta()) -> None:
    """Has fetched what other instances give for a booking: contacts of its other sides, its code, photographs."""
    enqueue(tx, CONTACTS, {"booking": booking_id}, due_at=tx.now + after)
