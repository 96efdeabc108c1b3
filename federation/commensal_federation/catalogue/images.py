"""Images come by reference: fetched once from the peer, and kept like images of our own."""

from __future__ import annotations

from sqlalchemy import select, update

from commensal import Instance, Job, keep_picture, re_encode, show_image

from ..runtime import federation_of
from ..transport import Request
from .tables import federation_copy

_LARGEST = 9 * 1024 * 1024  # bytes
_PATIENCE = 20.0  # seconds
_copy = federation_copy.c


def fetch_image(instance: Instance, job: Job) -> None:
    """The job of `keeping.FETCH_IMAGE`. Raises `Unreachable`, and is tried again."""
    address, copy_id = job.payload["image"], job.payload["copy"]
    answer = federation_of(instance).transport.send(
        Request("GET", address, [("accept", "image/*")]), seconds=_PATIENCE, size=_LARGEST
    )
    if answer.status != 200:
        raise LookupError(f"{address} answered {answer.status}")
    picture = re_encode(answer.body)
    keep_picture(instance.images, picture)
    with instance.store.write() as tx:
        if tx.value(select(_copy.iri).where(_copy.local_id == copy_id)) is None:
            return
        show_image(tx, copy_id, picture)
        tx.execute(update(federation_copy).where(_copy.local_id == copy_id).values(image=address))
