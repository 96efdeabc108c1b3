"""Background work of the catalogue: pictures are fetched once from the peer and kept like our own; see `states`."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from commensal import Instance, Job, Periodic, Transaction, Work, enqueue
from commensal.parts.copies import show_image
from commensal.parts.pictures import Picture, keep_picture, re_encode

from ..grants.sale_ends import TELL_LEVELS
from ..runtime import federation_of
from ..transport import Request
from . import states as states  # registers the digests that are compared once a day
from .away import note_away_peers
from .copies import FETCH_IMAGE
from .enqueue import TELL, enqueue_statements
from .grantor import send_levels
from .grants import end_grants_over, grants_over
from .origins import ASK, ask_origin, refresh_origins
from .restored import resend_catalogue
from .tables import federation_copy

_LARGEST = 9 * 1024 * 1024  # bytes
END_OVER = "federation.end_grants_over"
_TIMEOUT = 20.0  # seconds
_copy = federation_copy.c


def fetch_picture(instance: Instance, address: str) -> Picture:
    """Fetches a picture and stores its files. Raises `Unreachable`, and `LookupError` for an answer without it."""
    request = Request("GET", address, [("accept", "image/*")])
    answer = federation_of(instance).transport.send(request, seconds=_TIMEOUT, size=_LARGEST)
    if answer.status != 200:
        raise LookupError(f"{address} answered {answer.status}")
    picture = re_encode(answer.body)
    keep_picture(instance.images, picture)
    return picture


def fetch_image(instance: Instance, job: Job) -> None:
    """Fetches the picture of a copied product. Raises `Unreachable` and `LookupError`; the job is tried again."""
    address, copy_id = job.payload["image"], job.payload["copy"]
    picture = fetch_picture(instance, address)
    with instance.store.write() as tx:
        if tx.value(select(_copy.iri).where(_copy.local_id == copy_id)) is None:
            return
        show_image(tx, copy_id, picture)
        tx.execute(update(federation_copy).where(_copy.local_id == copy_id).values(image=address))


def _enqueue_grants_over(tx: Transaction) -> None:
    if grants_over(tx):
        enqueue(tx, END_OVER, {})


def _end_over(instance: Instance, job: Job) -> None:
    federation = federation_of(instance)
    instance.store.transact(lambda tx: end_grants_over(federation, tx))


def work() -> Work:
    return Work(
        {
            FETCH_IMAGE: fetch_image,
            TELL: resend_catalogue,
            ASK: ask_origin,
            END_OVER: _end_over,
            TELL_LEVELS: send_levels,
        },
        (
            Periodic("federation.grants_over", timedelta(minutes=10), _enqueue_grants_over, irreversible=True),
            Periodic("federation.away", timedelta(minutes=10), note_away_peers),
            Periodic("federation.origins", timedelta(hours=1), refresh_origins),
            Periodic("federation.statements", timedelta(days=1), enqueue_statements),
        ),
    )
