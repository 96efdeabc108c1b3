"""Pictures of products that came here are fetched from the old home, and kept as our own."""

from __future__ import annotations

from commensal import Instance, Job, NotFound, keep_picture, re_encode, show_image

from ..runtime import federation_of
from ..transport import Request

_LARGEST = 9 * 1024 * 1024  # bytes
_PATIENCE = 20.0  # seconds


def fetch_moved_image(instance: Instance, job: Job) -> None:
    """The job of `bringing.FETCH_IMAGE`. Raises `Unreachable`, and is tried again."""
    address, product_id = job.payload["image"], job.payload["product"]
    answer = federation_of(instance).transport.send(
        Request("GET", address, [("accept", "image/*")]), seconds=_PATIENCE, size=_LARGEST
    )
    if answer.status != 200:
        raise LookupError(f"{address} answered {answer.status}")
    picture = re_encode(answer.body)
    keep_picture(instance.images, picture)
    with instance.store.write() as tx:
        try:
            show_image(tx, product_id, picture)
        except NotFound:  # it was removed meanwhile
            return
