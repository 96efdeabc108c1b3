"""Jobs that tell other instances what has changed here, after the commit; nothing happens without the federation."""

from __future__ import annotations

from datetime import timedelta

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue, hookimpl

from .forgetting import forget_contacts, forget_old

TELL, ASK, ASK_ALL = "transport.tell", "transport.ask", "transport.ask_all"
CONTACTS = "transport.fetch_contacts"
REPEAT = "transport.repeat"
PLAN = "transport.plan"
MEASURE = "transport.measure"
OFTEN = timedelta(minutes=10)


def tell_others(tx: Transaction, *, trip: str = "", booking: str = "") -> None:
    """Has other instances told about a trip of ours with its bookings, or about our booking with a trip elsewhere."""
    enqueue(tx, TELL, {"trip": trip, "booking": booking})


def ask_others(tx: Transaction, enterprise_id: str) -> None:
    """Enqueues the job that asks other instances what they charge to carry what the enterprise must bring."""
    enqueue(tx, ASK, {"enterprise": enterprise_id})


def tell(instance: Instance, job: Job) -> None:
    if "federation" in instance.hooks.plugins():
        from .elsewhere.work import tell_peers

        tell_peers(instance, trip_id=job.payload["trip"], booking_id=job.payload["booking"])


def ask(instance: Instance, job: Job) -> None:
    if "federation" in instance.hooks.plugins():
        from .elsewhere.work import ask_peers

        ask_peers(instance, job.payload.get("enterprise"))


def ask_contacts(tx: Transaction, booking_id: str, *, after: timedelta = timedelta()) -> None:
    """Has fetched what other instances give for a booking: contacts of its other sides, its code, photographs."""
    enqueue(tx, CONTACTS, {"booking": booking_id}, due_at=tx.now + after)


def fetch(instance: Instance, job: Job) -> None:
    if "federation" in instance.hooks.plugins():
        from .elsewhere import codes, photos
        from .elsewhere.contacts import ask_due, fetch_contacts

        if "booking" in job.payload:
            fetch_contacts(instance, job.payload["booking"])
            codes.fetch_code(instance, job.payload["booking"])
            photos.fetch_photos(instance, job.payload["booking"])
        else:
            ask_due(instance)
            codes.ask_missing(instance)
            photos.ask_missing(instance)


def repeat(instance: Instance, job: Job) -> None:
    from .recurring import offer_due  # which offers trips, and they have others told by this module

    offer_due(instance)


def _ask_all(tx: Transaction) -> None:
    enqueue(tx, REPEAT, {})
    enqueue(tx, ASK, {})
    enqueue(tx, MEASURE, {})
    forget_contacts(tx)
    enqueue(tx, CONTACTS, {})


def plan(instance: Instance, job: Job) -> None:
    from .proposals import make_plan  # which books, and bookings have others told by this module

    make_plan(instance, job)


def measure_roads(instance: Instance, job: Job) -> None:
    from .roads import measure  # which asks a service, and most instances have none

    measure(instance, job)


@hookimpl
def jobs() -> Work:
    daily = Periodic("transport.forget", timedelta(days=1), forget_old, irreversible=True)
    return Work(
        {TELL: tell, ASK: ask, CONTACTS: fetch, REPEAT: repeat, PLAN: plan, MEASURE: measure_roads},
        (Periodic(ASK_ALL, OFTEN, _ask_all), daily),
    )
