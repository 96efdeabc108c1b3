"""Pictures of goods that came in a document: each is fetched once, by a job, and kept like our own."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from commensal import Instance, Job, Transaction, enqueue, http_client
from commensal.parts.copies import show_image
from commensal.parts.pictures import keep_picture, re_encode
from commensal.products import products_by_id

FETCH_PICTURE = "federation.fetch_picture"  # a job: {"product": id, "address": where its picture is}
_LARGEST = 9 * 1024 * 1024  # bytes
_SECONDS = 20.0
_LONGEST = 2_000  # characters of an address


def enqueue_pictures(tx: Transaction, addresses: Mapping[str, str]) -> None:
    """Enqueues jobs that fetch the pictures of products that have none here. `addresses` of the pictures are by the ids
    of products; those that are not of the web are ignored."""
    products = products_by_id(tx, addresses)
    for product_id, address in addresses.items():
        is_fetchable = address.startswith(("https://", "http://")) and len(address) <= _LONGEST
        if is_fetchable and products[product_id].image_id is None:
            enqueue(tx, FETCH_PICTURE, {"product": product_id, "address": address})


def fetch_picture(instance: Instance, job: Job) -> None:
    """Fetches a picture within the limits that the operator sets for requests to others.

    Raises `httpx.HTTPError` and `LookupError`, and the job is tried again; `Refused` for what is not a picture.
    """
    product_id, address = job.payload["product"], job.payload["address"]
    try:
        with http_client(instance, seconds=_SECONDS, size=_LARGEST) as client:
            answer = client.get(address, headers={"Accept": "image/*"})
    except httpx.InvalidURL as error:
        raise LookupError(f"{address} is not an address of the web") from error
    if answer.status_code != 200:
        raise LookupError(f"{address} answered {answer.status_code}")
    picture = re_encode(answer.content)
    keep_picture(instance.images, picture)
    with instance.store.write() as tx:
        product = products_by_id(tx, [product_id]).get(product_id)
        if product is not None and product.image_id is None:  # somebody may have added one meanwhile
            show_image(tx, product_id, picture)
