"""What a platform says of its own goods: that they have changed, or that it takes them back.

Nothing of a notice is believed but that something has happened: what there is now is read where it was linked. And a
platform is heard about its own host only.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import or_, select, update

from commensal import Forbidden, NotFound, Transaction

from ..dfc.vocabulary import DfcEvent
from .backorders.due import look_soon
from .links import links_of, promise_refresh, set_state
from .refreshing import CLAIM
from .tables import federation_link, federation_linked_producer, federation_linked_product
from .taking_off import take_off, take_off_all
from .values import Link, host_of

_PAUSE = timedelta(minutes=1)  # within which a link that was read is not read again for a notice
_row, _product, _producer = federation_link.c, federation_linked_product.c, federation_linked_producer.c
_MOST = 10_000  # links


def hear(tx: Transaction, host: str, events: Collection[DfcEvent]) -> int:
    """Does what the platform at `host` says. Returns how many links it was about.

    Raises `Forbidden` where it speaks of things of another host, `NotFound` where nothing of it is linked here.
    """
    for one in events:
        named = [iri for iri in (one.enterprise, *one.objects) if iri]
        if foreign := [iri for iri in named if host_of(iri) != host]:
            text = "Only its own host may say anything about {iri}."
            raise Forbidden("foreign_host", text, iri=foreign[0][:200])
    there = [one for one in links_of(tx, state="active", limit=_MOST) if host_of(one.url) == host]
    met = set[str]()
    for event in events:
        for link in there:
            if event.objects and look_soon(tx, link.id, event.objects):
                met.add(link.id)
            if _is_about(tx, link, event):
                met.add(link.id)
                _act(tx, link, event)
    if not met:
        raise NotFound("nothing_linked", "Nothing of this platform is linked here.")
    return len(met)


def _act(tx: Transaction, link: Link, event: DfcEvent) -> None:
    if event.kind != "revoke":
        _read_soon(tx, link)
        return
    products = _products_named(tx, link, event.objects)
    if products and not _names_whole(tx, link, event):
        take_off(tx, link.id, products)
        tx.execute(update(federation_link).where(_row.id == link.id).values(etag="", digest=""))
    else:
        take_off_all(tx, link.id)
        set_state(tx, link.id, "suspended", etag="", digest="", error="Its platform has taken it back.")


def _read_soon(tx: Transaction, link: Link) -> None:
    """Now; or by the schedule, within minutes, where it was read just now. Many notices at once are one."""
    if CLAIM - _PAUSE < link.due_at - tx.now <= CLAIM:
        return  # it was promised a moment ago
    just_now = link.refreshed_at is not None and link.refreshed_at > tx.now - _PAUSE
    due = tx.now if just_now else tx.now + CLAIM
    tx.execute(update(federation_link).where(_row.id == link.id).values(due_at=due))
    if not just_now:
        promise_refresh(tx, link.id)


def _is_about(tx: Transaction, link: Link, event: DfcEvent) -> bool:
    return _names_whole(tx, link, event) or bool(_products_named(tx, link, event.objects))


def _names_whole(tx: Transaction, link: Link, event: DfcEvent) -> bool:
    """Whether it names the link itself, an enterprise above it, or the producer of its goods; or nothing at all."""
    named = [iri for iri in (event.enterprise, *event.objects) if iri]
    if not named or any(_is_below(link.url, iri) for iri in named):
        return True
    theirs = select(_producer.iri).where(_producer.enterprise_id == link.enterprise_id)
    producers = [row["iri"] for row in tx.all(theirs) if host_of(row["iri"]) == host_of(link.url)]
    return any(_is_below(producer, iri) for producer in producers for iri in named)


def _is_below(url: str, above: str) -> bool:
    """The address itself, or one below it."""
    return url == above or url.startswith(f"{above.rstrip('/')}/")


def _products_named(tx: Transaction, link: Link, iris: Collection[str]) -> list[str]:
    named = sorted(iris)
    if not named:
        return []
    any_of = or_(_product.iri.in_(named), _product.item_iri.in_(named), _product.offer_iri.in_(named))
    mine = (_product.link_id == link.id, _product.gone_at.is_(None), any_of)
    return [row["iri"] for row in tx.all(select(_product.iri).where(*mine).order_by(_product.iri))]
