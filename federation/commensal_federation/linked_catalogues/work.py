"""Work of this room: catalogues and pictures are read again, and due orders at platforms are sent or checked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commensal import Periodic, Problem, Transaction, Work

from .backorders.due import SEND, enqueue_due
from .backorders.sending import send_backorder
from .backorders.sums import compare_platform_sums
from .links import REFRESH, links_of
from .pictures import FETCH_PICTURE, fetch_picture
from .refreshing import refresh_due, refresh_link


def work() -> Work:
    handlers = {REFRESH: refresh_link, FETCH_PICTURE: fetch_picture, SEND: send_backorder}
    return Work(
        handlers,
        (
            Periodic("federation.links", timedelta(minutes=5), refresh_due),
            Periodic("federation.backorders", timedelta(minutes=1), enqueue_due),
            Periodic("federation.platform_sums", timedelta(days=1), compare_platform_sums),
        ),
    )


# Warnings about links for ``commensal check``; each one says what to do.

_OFTEN = 3  # failures in a row before a person is warned


def link_warnings(tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each link that cannot be read or that its platform has revoked."""
    for link in links_of(tx, limit=1_000):
        if link.state == "suspended":
            text = (
                "{url} was taken back by its platform, and is not sold; run `commensal dfc unlink {id}`, or "
                "`commensal dfc refresh {id}` when it is granted again."
            )
            yield Problem("link_suspended", text, values={"url": link.url, "id": link.id})
        elif link.failures >= _OFTEN:
            text = "{url} could not be read {failures} times: {error} Try `commensal dfc refresh {id}`."
            values = {"url": link.url, "failures": link.failures, "error": link.error, "id": link.id}
            yield Problem("link_failing", text, values=values)
