"""The grantor's side: changed items are sent to every hub that may see them, each item with a revision."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from sqlalchemy import bindparam, select, update

from commensal import (
    Enterprise,
    Instance,
    Job,
    PluginFields,
    Row,
    StockLot,
    Transaction,
    enqueue,
    enterprise_by_id,
    insert_rows,
)
from commensal.catalogs import Listed, listed_for
from commensal.stock import lots_by_id

from ..authority.authority import is_frozen
from ..delivery import post
from ..dfc.described import description_of
from ..dfc.iris import enterprise_iri, item_iri, lot_iri, offer_iri, product_iri
from ..dfc.vocabulary import DfcItem, DfcLot, DfcOffer, DfcPrice, DfcProduct, DfcQuantity
from ..grants.questions import grants_between
from ..grants.sale_ends import TELL_LEVELS
from ..grants.tables import federation_grant, federation_told
from ..leases.recalling import obtainable
from ..messages.catalogue import CatalogueUpsert, CatalogueWithdraw, Grant, Hop, OfferedItem, WithdrawnItem
from ..messages.catalogue_upsert import MOST_HOPS
from ..messages.leases import StockLevel
from ..messages.offer_statement import name_of
from ..peers.peers import peer_by_id
from ..provenance.signers import statements_by_name
from ..runtime import Federation, federation_of
from .away import send_absences
from .stating import parts_of, sign_items
from .tables import federation_item

AT_ONCE = 200  # items in one message
_told = federation_told.c
_TOLD_LOTS = (
    select(_told.lot_id)
    .where(_told.lot_id > bindparam("after"), _told.digest != "")
    .distinct()
    .order_by(_told.lot_id)
    .limit(AT_ONCE)
)


def send_changed_items(federation: Federation, enterprise_id: str, item_ids: Sequence[str]) -> None:
    """Sends changed items, and changed absences, to the hubs that may see them, in a transaction for each grant."""
    store = federation.instance.store
    with store.read() as tx:
        grants = grants_between(tx, enterprise_id=enterprise_id, direction="given", state="accepted")
    for grant in grants:
        with store.write() as tx:
            send_items(federation, tx, grant, item_ids)
            send_absences(federation, tx, grant)


def send_stock_level(federation: Federation, tx: Transaction, lot: StockLot) -> None:
    """Sends hubs the obtainable stock as a hint, on which no sale relies."""
    for peer_id in _informed_peers(tx, lot.id):
        beyond = obtainable(tx, lot, but=peer_id)
        body = StockLevel(lot=lot_iri(federation.base, lot.id), unit=lot.unit, beyond=beyond)
        post(federation, tx, peer_id, "StockLevel", body)


def send_levels(instance: Instance, job: Job) -> None:
    """Job: sends the level of one lot, or of all that hubs have heard of, of some in each transaction."""
    federation, lot_id = federation_of(instance), job.payload.get("lot")
    with instance.store.write() as tx:
        ids = [lot_id] if lot_id else [row["lot_id"] for row in tx.all(_TOLD_LOTS, job.payload)]
        lots = lots_by_id(tx, ids)
        for id in ids:
            if id in lots:
                send_stock_level(federation, tx, lots[id])
        if len(ids) == AT_ONCE:
            enqueue(tx, TELL_LEVELS, {"after": ids[-1]})


def send_items(
    federation: Federation, tx: Transaction, grant: Grant, item_ids: Collection[str], *, again: bool = False
) -> None:
    """Sends the items that differ from those last sent, or all of them with `again`, and withdraws delisted ones."""
    ids = sorted(item_ids)
    for first in range(0, len(ids), AT_ONCE):
        _send_batch(federation, tx, grant, ids[first : first + AT_ONCE], again=again)


def send_catalogue(federation: Federation, tx: Transaction, grant: Grant, *, again: bool = False) -> None:
    """Sends the changes of the whole catalogue. With `again`, sends all items and repeats earlier withdrawals."""
    if again:
        _withdraw_again(federation, tx, grant)
    after = ""
    while page := listed_for(tx, grant.enterprise_id, grant.category_id, after=after, limit=AT_ONCE):
        after = page[-1].item_id
        _send_batch(federation, tx, grant, [entry.item_id for entry in page], page, again=again)
    query = select(_told.item_id).where(_told.grant_id == grant.id, _told.digest != "").order_by(_told.item_id)
    unlisted = {row["item_id"] for row in tx.all(query)}
    send_items(federation, tx, grant, unlisted)
    send_absences(federation, tx, grant, again=again)


def _withdraw_again(federation: Federation, tx: Transaction, grant: Grant) -> None:
    """Repeats withdrawals, for a hub that was away for longer than messages are kept."""
    if is_frozen(tx, grant.enterprise_id):
        return
    query = select(_told.item_id, _told.rev).where(_told.grant_id == grant.id, _told.digest == "")
    rows = tx.all(query.order_by(_told.item_id))
    for first in range(0, len(rows), AT_ONCE):
        _withdraw(federation, tx, grant, [(row["item_id"], row["rev"]) for row in rows[first : first + AT_ONCE]])


def _withdraw(federation: Federation, tx: Transaction, grant: Grant, withdrawn: Sequence[tuple[str, int]]) -> None:
    """Withdraws items, given by id, each with the revision that withdraws it."""
    ours = enterprise_iri(federation.base, grant.enterprise_id)
    items = tuple(WithdrawnItem(item_iri(federation.base, id), rev) for id, rev in withdrawn)
    body = CatalogueWithdraw(grantor=ours, hub=grant.other_iri, items=items)
    post(federation, tx, grant.peer_id, "CatalogueWithdraw", body, on_behalf_of=ours)


@dataclass(frozen=True)
class _GrantContext:
    """What all items of one grant share.

    provenances: for goods that the enterprise may resell, how they came, by product id
    """

    federation: Federation
    grant: Grant
    enterprise: Enterprise
    provenances: Mapping[str, _Provenance]
    declared: PluginFields


@dataclass(frozen=True)
class _Provenance:
    """How goods came to an enterprise that may resell them.

    hops:   the enterprises through which they came, the producer first
    origin: the producer's signed statement; empty where an older instance sent none
    """

    hops: tuple[Hop, ...] = ()
    origin: str = ""


def _send_batch(
    federation: Federation,
    tx: Transaction,
    grant: Grant,
    ids: Sequence[str],
    entries: Sequence[Listed] | None = None,
    *,
    again: bool = False,
) -> None:
    if is_frozen(tx, grant.enterprise_id):
        return  # the new home continues the revisions, or this one does when the move is off
    if entries is None:
        entries = listed_for(tx, grant.enterprise_id, grant.category_id, item_ids=ids, limit=len(ids))
    context = _context(federation, tx, grant, entries)
    previous = {
        row["item_id"]: row
        for row in tx.all(
            select(federation_told)
            .where(_told.grant_id == grant.id, _told.item_id.in_(ids))
            .order_by(_told.item_id)
            .with_for_update()
        )
    }
    offered, rows, changed = [], [], []
    for entry in entries:
        item = _offered_item(context, entry)
        last = previous.get(entry.item_id)
        if item is None or (last is not None and last["digest"] == item.digest and not again):
            continue
        rev = 1 if last is None else last["rev"] + (last["digest"] != item.digest)
        if last is None or rev != last["rev"]:
            changed.append(entry.item_id)
        offered.append((entry, replace(item, rev=rev)))
        rows.append({"item_id": entry.item_id, "rev": rev, "digest": item.digest, "lot_id": entry.lot.id})
    signed = sign_items(federation, tx, grant, context.enterprise, offered, changed)
    offered_ids = {entry.item_id for entry in entries if _may_offer(context, entry)}
    withdrawn = [previous[id] for id in ids if id in previous and id not in offered_ids and previous[id]["digest"]]
    for part in parts_of(signed):
        ours = enterprise_iri(federation.base, grant.enterprise_id)
        body = CatalogueUpsert(grantor=ours, hub=grant.other_iri, items=tuple(part))
        post(federation, tx, grant.peer_id, "CatalogueUpsert", body, on_behalf_of=ours)
    if withdrawn:
        _withdraw(federation, tx, grant, [(row["item_id"], row["rev"] + 1) for row in withdrawn])
        rows += [
            {"item_id": row["item_id"], "rev": row["rev"] + 1, "digest": "", "lot_id": row["lot_id"]}
            for row in withdrawn
        ]
    _write(tx, grant.id, rows, set(previous))


def _offered_item(context: _GrantContext, entry: Listed) -> OfferedItem | None:
    if not _may_offer(context, entry):
        return None
    base, product, lot = context.federation.base, entry.product, entry.lot
    hop = Hop(enterprise_iri(base, context.enterprise.id), context.enterprise.name)
    came = context.provenances.get(product.id, _Provenance())
    currency = context.enterprise.currency
    described = DfcProduct(
        iri=product_iri(base, product.id),
        enterprise=hop.iri,
        images=(f"{base}/api/images/{product.image_id}",) if product.image_id else (),
        lot=lot_iri(base, lot.id),
        **description_of(product, currency, context.declared, split_claims=False),
    )
    provenance = (*came.hops, hop)
    basis = (name_of(came.origin) if came.origin else "") if came.hops else "its own"
    price = DfcPrice(amount=entry.price, currency=currency, vat_rate=product.vat_rate)
    free = DfcQuantity(value=Decimal(0) if lot.unlimited else lot.free + lot.beyond, unit=lot.unit)
    return OfferedItem(
        rev=0,
        # The stock level changes all the time and is not a change of the item.
        digest=_digest(
            entry.name, described, lot.name, lot.unit, lot.per_unit, lot.unlimited, price, provenance, basis
        ),
        item=DfcItem(iri=item_iri(base, entry.item_id), name=entry.name, product=described.iri, enterprise=hop.iri),
        product=described,
        lot=DfcLot(
            iri=lot_iri(base, lot.id),
            name=lot.name,
            enterprise=hop.iri,
            quantity=free,
            per_unit=Decimal(lot.per_unit),
            unlimited=lot.unlimited,
        ),
        offer=DfcOffer(
            iri=offer_iri(base, f"{entry.item_id}.{context.grant.id}"), item=item_iri(base, entry.item_id), price=price
        ),
        provenance=provenance,
        origin=came.origin,
    )


def _may_offer(context: _GrantContext, entry: Listed) -> bool:
    """Whether this grant may offer the product: the enterprise's own, or one that it may resell.

    Goods are not offered to an enterprise through which they came, nor through more than `MOST_HOPS` enterprises.
    """
    if entry.product.enterprise_id != context.enterprise.id and entry.product.id not in context.provenances:
        return False
    through = context.provenances.get(entry.product.id, _Provenance()).hops
    return len(through) < MOST_HOPS - 1 and all(hop.iri != context.grant.other_iri for hop in through)


def _context(federation: Federation, tx: Transaction, grant: Grant, entries: Sequence[Listed]) -> _GrantContext:
    provenances = _provenances(tx, grant.enterprise_id, {entry.product.id for entry in entries})
    enterprise = enterprise_by_id(tx, grant.enterprise_id)
    return _GrantContext(federation, grant, enterprise, provenances, tx.plugin_fields.products)


def _provenances(tx: Transaction, enterprise_id: str, product_ids: Collection[str]) -> dict[str, _Provenance]:
    """Returns how resellable products came to this enterprise, by product id."""
    item = federation_item.c
    query = (
        select(item.product_id, item.provenance, item.statement)
        .join(federation_grant, federation_grant.c.id == item.grant_id)
        .where(item.product_id.in_(sorted(product_ids)), item.gone_at.is_(None))
        .where(federation_grant.c.enterprise_id == enterprise_id, federation_grant.c.resell)
    )
    rows = tx.all(query)
    statements = statements_by_name(tx, {row["statement"] for row in rows})
    return {
        row["product_id"]: _Provenance(
            tuple(Hop(*hop) for hop in row["provenance"]),
            _origin_of(statements, row["statement"], direct=len(row["provenance"]) == 1),
        )
        for row in rows
    }


def _origin_of(statements: Mapping[str, Row], name: str, *, direct: bool) -> str:
    """Returns the producer's statement: the one of this name, or the one that it is based on; empty if unknown."""
    statement = statements.get(name)
    if statement is None:
        return ""
    origin = statement if direct else statements.get(statement["origin"])
    return "" if origin is None else str(origin["text"])


def _digest(*values: object) -> str:
    return sha256(repr(values).encode()).hexdigest()


def _write(tx: Transaction, grant_id: str, rows: Sequence[Mapping[str, object]], existing: Collection[str]) -> None:
    insert_rows(tx, federation_told, [{"grant_id": grant_id, **row} for row in rows if row["item_id"] not in existing])
    changed = [{f"new_{name}": value for name, value in row.items()} for row in rows if row["item_id"] in existing]
    if changed:
        values: dict[str, object] = {name: bindparam(f"new_{name}") for name in ("rev", "digest", "lot_id")}
        matching = (_told.grant_id == grant_id, _told.item_id == bindparam("new_item_id"))
        tx.execute(update(federation_told).where(*matching).values(values), changed)


def _informed_peers(tx: Transaction, lot_id: str) -> list[str]:
    """Returns the active peers with a hub that has received an item of this lot."""
    query = (
        select(federation_grant.c.peer_id)
        .join(federation_told, _told.grant_id == federation_grant.c.id)
        .where(_told.lot_id == lot_id, _told.digest != "", federation_grant.c.state == "accepted")
        .distinct()
        .order_by(federation_grant.c.peer_id)
    )
    return [row["peer_id"] for row in tx.all(query) if peer_by_id(tx, row["peer_id"]).active]
