"""Jobs of transport. Those that concern other instances do nothing without the federation."""

from __future__ import annotations

from datetime import timedelta

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue, hookimpl

from .bookings.recurring import offer_due
from .forgetting import forget_contacts, forget_old
from .news import ASK, ASK_ALL, CONTACTS, MEASURE, PLAN, REPEAT, TELL
from .planning.proposals import make_plan

OFTEN = timedelta(minutes=10)


def tell(instance: Instance, job: Job) -> None:
    if "federation" in instance.hooks.plugins():
        from .elsewhere.work import tell_peers

        tell_peers(instance, trip_id=job.payload["trip"], booking_id=job.payload["booking"])


def ask(instance: Instance, job: Job) -> None:
    if "federation" in instance.hooks.plugins():
        from .elsewhere.work import ask_peers

        ask_peers(instance, job.payload.get("enterprise"))


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
    offer_due(instance)


def _ask_all(tx: Transaction) -> None:
    enqueue(tx, REPEAT, {})
    enqueue(tx, ASK, {})
    enqueue(tx, MEASURE, {})
    forget_contacts(tx)
    enqueue(tx, CONTACTS, {})


def plan(instance: Instance, job: Job) -> None:
    make_plan(instance, job)


def measure_roads(instance: Instance, job: Job) -> None:
    from .places.roads import measure  # which asks a service, and most instances have none

    measure(instance, job)


@hookimpl
def jobs() -> Work:
    daily = Periodic("transport.forget", timedelta(days=1), forget_old, irreversible=True)
    return Work(
        {TELL: tell, ASK: ask, CONTACTS: fetch, REPEAT: repeat, PLAN: plan, MEASURE: measure_roads},
        (Periodic(ASK_ALL, OFTEN, _ask_all), daily),
    )
