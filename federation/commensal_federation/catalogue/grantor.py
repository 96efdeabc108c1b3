"""The grantor's side: what has changed is told to every hub that may see it, with a revision for each item."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from sqlalchemy import bindparam, select, update

from commensal import (
    Enterprise,
    Event,
    Instance,
    Listed,
    StockLot,
    Transaction,
    enterprise_by_id,
    hookimpl,
    insert_rows,
    listed_for,
)

from ..authority.authority import is_frozen
from ..delivery import post
from ..dfc.iris import enterprise_iri, item_iri, lot_iri, offer_iri, product_iri
from ..dfc.vocabulary import DfcItem, DfcLot, DfcOffer, DfcPrice, DfcProduct, DfcQuantity
from ..leases.recalling import obtainable
from ..messages.bodies.catalogue import CatalogueUpsert, CatalogueWithdraw, Grant, Hop, OfferedItem, StockLevel
from ..messages.documents import MOST_HOPS
from ..orders.tables import federation_told_price
from ..peers.peers import peer_by_id
from ..platforms.notifying import notify_of_change
from ..runtime import Federation, federation_of
from .grants import grants_between
from .tables import federation_grant, federation_item, federation_told

AT_ONCE = 200  # items in one message
_told = federation_told.c


@hookimpl
def listing_changed(instance: Instance, event: Event, item_ids: Sequence[str]) -> None:
    """Tells the hubs that may see these items, and platforms that they should look again."""
    federation = federation_of(instance)
    with instance.store.read() as tx:
        theirs = grants_between(tx, enterprise_id=event.enterprise_id, direction="given", state="accepted")
    for grant in theirs:
        with instance.store.write() as tx:
            tell_items(federation, tx, grant, item_ids)
    with instance.store.write() as tx:
        notify_of_change(federation, tx, event.enterprise_id)


@hookimpl
def stock_changed(instance: Instance, event: Event, lot: StockLot) -> None:
    """Hints to hubs what is free now, and to platforms that they should look. No sale relies on it."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        for peer_id in _told_of(tx, lot.id):
            beyond = obtainable(tx, lot, but=peer_id)
            body = StockLevel(lot=lot_iri(federation.base, lot.id), unit=lot.unit, beyond=beyond)
            post(federation, tx, peer_id, "StockLevel", body)
        notify_of_change(federation, tx, event.enterprise_id)


def tell_items(
    federation: Federation, tx: Transaction, grant: Grant, item_ids: Collection[str], *, again: bool = False
) -> None:
    """Tells of those items that are not as the hub was told, or `again` of all. Items that went are withdrawn."""
    ids = sorted(item_ids)
    for first in range(0, len(ids), AT_ONCE):
        _tell(federation, tx, grant, ids[first : first + AT_ONCE], again=again)


def tell_all(federation: Federation, tx: Transaction, grant: Grant, *, again: bool = False) -> None:
    """The whole catalogue, and what is not in it any more; `again` what went before, too."""
    if again:
        _withdraw_again(federation, tx, grant)
    after = ""
    while listed := listed_for(tx, grant.enterprise_id, grant.category_id, after=after, limit=AT_ONCE):
        after = listed[-1].item_id
        _tell(federation, tx, grant, [one.item_id for one in listed], listed, again=again)
    there = select(_told.item_id).where(_told.grant_id == grant.id, _told.digest != "").order_by(_told.item_id)
    gone = {row["item_id"] for row in tx.all(there)}
    tell_items(federation, tx, grant, gone)


def _withdraw_again(federation: Federation, tx: Transaction, grant: Grant) -> None:
    """Who was away for longer than messages are kept has never heard that these went."""
    if is_frozen(tx, grant.enterprise_id):
        return
    went = select(_told.item_id, _told.rev).where(_told.grant_id == grant.id, _told.digest == "")
    rows = tx.all(went.order_by(_told.item_id))
    for first in range(0, len(rows), AT_ONCE):
        _withdraw(federation, tx, grant, [(row["item_id"], row["rev"]) for row in rows[first : first + AT_ONCE]])


def _withdraw(federation: Federation, tx: Transaction, grant: Grant, went: Sequence[tuple[str, int]]) -> None:
    """Items by their ids, each with the revision in which it went."""
    ours = enterprise_iri(federation.base, grant.enterprise_id)
    items = tuple((item_iri(federation.base, id), rev) for id, rev in went)
    body = CatalogueWithdraw(grantor=ours, hub=grant.other_iri, items=items)
    post(federation, tx, grant.peer_id, "CatalogueWithdraw", body, on_behalf_of=ours)


@dataclass(frozen=True)
class _Place:
    """What all items of one grant have in common."""

    federation: Federation
    grant: Grant
    enterprise: Enterprise
    came: Mapping[str, tuple[Hop, ...]]  # by product: through whose hands those came that it may resell


def _tell(
    federation: Federation, tx: Transaction, grant: Grant, ids: Sequence[str], listed: Sequence[Listed] | None = None,
    *, again: bool = False,
) -> None:  # fmt: skip
    if is_frozen(tx, grant.enterprise_id):
        return  # revisions go on at the new home, or are told once it stays
    if listed is None:
        listed = listed_for(tx, grant.enterprise_id, grant.category_id, item_ids=ids, limit=len(ids))
    place = _place(federation, tx, grant, listed)
    known = {
        row["item_id"]: row
        for row in tx.all(
            select(federation_told)
            .where(_told.grant_id == grant.id, _told.item_id.in_(ids))
            .order_by(_told.item_id)
            .with_for_update()
        )
    }
    offered, rows, prices = [], [], []
    for one in listed:
        made = _offered(place, one)
        before = known.get(one.item_id)
        if made is None or (before is not None and before["digest"] == made.digest and not again):
            continue
        rev = 1 if before is None else before["rev"] + (before["digest"] != made.digest)
        if before is None or rev != before["rev"]:
            prices.append({"item_id": one.item_id, "rev": rev, "price": one.price, "at": tx.now})
        offered.append(replace(made, rev=rev))
        rows.append({"item_id": one.item_id, "rev": rev, "digest": made.digest, "lot_id": one.lot.id})
    told = {one.item_id for one in listed if _may_go(place, one)}
    gone = [known[id] for id in ids if id in known and id not in told and known[id]["digest"]]
    if offered:
        ours = enterprise_iri(federation.base, grant.enterprise_id)
        body = CatalogueUpsert(grantor=ours, hub=grant.other_iri, items=tuple(offered))
        post(federation, tx, grant.peer_id, "CatalogueUpsert", body, on_behalf_of=ours)
    if gone:
        _withdraw(federation, tx, grant, [(row["item_id"], row["rev"] + 1) for row in gone])
        rows += [
            {"item_id": row["item_id"], "rev": row["rev"] + 1, "digest": "", "lot_id": row["lot_id"]} for row in gone
        ]
    _write(tx, grant.id, rows, set(known))
    insert_rows(tx, federation_told_price, [{"grant_id": grant.id, **price} for price in prices])


def _offered(place: _Place, one: Listed) -> OfferedItem | None:
    if not _may_go(place, one):
        return None
    base, product, lot = place.federation.base, one.product, one.lot
    hop = Hop(enterprise_iri(base, place.enterprise.id), place.enterprise.name)
    through = place.came.get(product.id, ())
    currency = place.enterprise.currency
    said = DfcProduct(
        iri=product_iri(base, product.id),
        name=product.name,
        description=product.description,
        product_type=product.product_type,
        quantity=DfcQuantity(value=product.quantity, unit=product.unit),
        enterprise=hop.iri,
        images=(f"{base}/api/images/{product.image_id}",) if product.image_id else (),
        labels=product.labels,
        allergens=product.allergens,
        lot=lot_iri(base, lot.id),
        lot_quantity=Decimal(product.lot_quantity),
        weighed=product.weighed,
        deposit=DfcPrice(amount=product.deposit, currency=currency) if product.deposit else None,
        vat_rate=product.vat_rate,
    )
    provenance = (*through, hop)
    price = DfcPrice(amount=one.price, currency=currency, vat_rate=product.vat_rate)
    free = DfcQuantity(value=Decimal(0) if lot.unlimited else lot.free + lot.beyond, unit=lot.unit)
    return OfferedItem(
        rev=0,
        # How much there is changes all the time, and is no change of what is said.
        digest=_digest(one.name, said, lot.name, lot.unit, lot.per_unit, lot.unlimited, price, provenance),
        item=DfcItem(iri=item_iri(base, one.item_id), name=one.name, product=said.iri, enterprise=hop.iri),
        product=said,
        lot=DfcLot(
            iri=lot_iri(base, lot.id), name=lot.name, enterprise=hop.iri, quantity=free,
            per_unit=Decimal(lot.per_unit), unlimited=lot.unlimited,
        ),
        offer=DfcOffer(
            iri=offer_iri(base, f"{one.item_id}.{place.grant.id}"), item=item_iri(base, one.item_id), price=price
        ),
        provenance=provenance,
    )  # fmt: skip


def _may_go(place: _Place, one: Listed) -> bool:
    """Its own goods, and others' that it may resell: not back to where they came from, nor through too many hands."""
    if one.product.enterprise_id != place.enterprise.id and one.product.id not in place.came:
        return False
    through = place.came.get(one.product.id, ())
    return len(through) < MOST_HOPS - 1 and all(hop.iri != place.grant.other_iri for hop in through)


def _place(federation: Federation, tx: Transaction, grant: Grant, listed: Sequence[Listed]) -> _Place:
    came = _came(tx, grant.enterprise_id, {one.product.id for one in listed})
    return _Place(federation, grant, enterprise_by_id(tx, grant.enterprise_id), came)


def _came(tx: Transaction, enterprise_id: str, product_ids: Collection[str]) -> dict[str, tuple[Hop, ...]]:
    """Through whose hands products came to this enterprise that it was granted to resell."""
    row = federation_item.c
    found = (
        select(row.product_id, row.provenance)
        .join(federation_grant, federation_grant.c.id == row.grant_id)
        .where(row.product_id.in_(sorted(product_ids)), row.gone_at.is_(None))
        .where(federation_grant.c.enterprise_id == enterprise_id, federation_grant.c.resell)
    )
    return {one["product_id"]: tuple(Hop(*hop) for hop in one["provenance"]) for one in tx.all(found)}


def _digest(*said: Any) -> str:
    return sha256(repr(said).encode()).hexdigest()


def _write(tx: Transaction, grant_id: str, rows: Sequence[Mapping[str, Any]], known: Collection[str]) -> None:
    insert_rows(tx, federation_told, [{"grant_id": grant_id, **row} for row in rows if row["item_id"] not in known])
    old = [{f"new_{name}": value for name, value in row.items()} for row in rows if row["item_id"] in known]
    if old:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("rev", "digest", "lot_id")}
        mine = (_told.grant_id == grant_id, _told.item_id == bindparam("new_item_id"))
        tx.execute(update(federation_told).where(*mine).values(values), old)


def _told_of(tx: Transaction, lot_id: str) -> list[str]:
    """Peers of which a hub was told of something of this lot."""
    found = (
        select(federation_grant.c.peer_id)
        .join(federation_told, _told.grant_id == federation_grant.c.id)
        .where(_told.lot_id == lot_id, _told.digest != "", federation_grant.c.state == "accepted")
        .distinct()
        .order_by(federation_grant.c.peer_id)
    )
    return [row["peer_id"] for row in tx.all(found) if peer_by_id(tx, row["peer_id"]).active]
