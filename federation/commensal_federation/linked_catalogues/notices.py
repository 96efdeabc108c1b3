"""Notices of a platform about its own goods: they have changed, or it revokes them.

A notice proves only that something has happened: the goods are read again at the linked address. A platform may send
notices about things of its own host only.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import or_, select, update

from commensal import Forbidden, NotFound, Transaction

from ..dfc.vocabulary import DfcEvent
from .backorders.due import check_soon
from .delisting import delist, delist_all
from .links import enqueue_refresh, links_of, set_state
from .refreshing import CLAIM
from .tables import federation_link, federation_linked_producer, federation_linked_product
from .values import Link, host_of

_PAUSE = timedelta(minutes=1)  # a link that was read within this time is not read again for a notice
_row, _product, _producer = federation_link.c, federation_linked_product.c, federation_linked_producer.c
_MOST = 10_000  # links


def take_notices(tx: Transaction, host: str, events: Collection[DfcEvent]) -> int:
    """Handles the notices of the platform at `host`. Returns the number of affected links.

    Raises `Forbidden` for things of another host, `NotFound` when none of its goods are linked here.
    """
    for event in events:
        named = [iri for iri in (event.enterprise, *event.objects) if iri]
        if foreign := [iri for iri in named if host_of(iri) != host]:
            text = "Only its own host may say anything about {iri}."
            raise Forbidden("foreign_host", text, iri=foreign[0][:200])
    active_links = [link for link in links_of(tx, state="active", limit=_MOST) if host_of(link.url) == host]
    affected = set[str]()
    for event in events:
        for link in active_links:
            if event.objects and check_soon(tx, link.id, event.objects):
                affected.add(link.id)
            if _concerns(tx, link, event):
                affected.add(link.id)
                _handle(tx, link, event)
    if not affected:
        raise NotFound("nothing_linked", "Nothing of this platform is linked here.")
    return len(affected)


def _handle(tx: Transaction, link: Link, event: DfcEvent) -> None:
    if event.kind != "revoke":
        _read_soon(tx, link)
        return
    products = _products_named(tx, link, event.objects)
    if products and not _names_whole(tx, link, event):
        delist(tx, link.id, products)
        tx.execute(update(federation_link).where(_row.id == link.id).values(etag="", digest=""))
    else:
        delist_all(tx, link.id)
        set_state(tx, link.id, "suspended", etag="", digest="", error="Its platform has taken it back.")


def _read_soon(tx: Transaction, link: Link) -> None:
    """Reads the link now, or within minutes by the schedule if it was read a moment ago. Many notices count as one."""
    if CLAIM - _PAUSE < link.due_at - tx.now <= CLAIM:
        return  # it was enqueued a moment ago
    just_now = link.refreshed_at is not None and link.refreshed_at > tx.now - _PAUSE
    due = tx.now if just_now else tx.now + CLAIM
    tx.execute(update(federation_link).where(_row.id == link.id).values(due_at=due))
    if not just_now:
        enqueue_refresh(tx, link.id)


def _concerns(tx: Transaction, link: Link, event: DfcEvent) -> bool:
    return _names_whole(tx, link, event) or bool(_products_named(tx, link, event.objects))


def _names_whole(tx: Transaction, link: Link, event: DfcEvent) -> bool:
    """Whether an event names the link itself, an enterprise above it, the producer of its goods, or nothing at all."""
    named = [iri for iri in (event.enterprise, *event.objects) if iri]
    if not named or any(_is_below(link.url, iri) for iri in named):
        return True
    query = select(_producer.iri).where(_producer.enterprise_id == link.enterprise_id)
    producers = [row["iri"] for row in tx.all(query) if host_of(row["iri"]) == host_of(link.url)]
    return any(_is_below(producer, iri) for producer in producers for iri in named)


def _is_below(url: str, above: str) -> bool:
    """Whether `url` is the address `above`, or below it."""
    return url == above or url.startswith(f"{above.rstrip('/')}/")


def _products_named(tx: Transaction, link: Link, iris: Collection[str]) -> list[str]:
    named = sorted(iris)
    if not named:
        return []
    matching = or_(_product.iri.in_(named), _product.item_iri.in_(named), _product.offer_iri.in_(named))
    conditions = (_product.link_id == link.id, _product.gone_at.is_(None), matching)
    return [row["iri"] for row in tx.all(select(_product.iri).where(*conditions).order_by(_product.iri))]
