"""The hub's side: received items become copies here, each by its newest revision."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from commensal import MEASURES, Row, Transaction, enqueue, enterprise_by_id, insert_rows
from commensal.parts.copies import LotCopy, ProductCopy, forget_copies, keep_lots, keep_products, tell_beyonds

from ..delivery.alerts import alert
from ..delivery.restore.restored import recover_rest_soon
from ..dfc.described import description_in
from ..dfc.iris import ResourceKind, local_id
from ..grants.questions import find_grant, mirror_of
from ..leases.restored import recover_opened_leases
from ..leases.row import open_leases
from ..messages.catalogue import CatalogueUpsert, CatalogueWithdraw, Grant, OfferedItem
from ..messages.types import Refuse, refuse_leap
from ..notices import note_for_enterprise
from ..peers.limits import refuse_over_quota
from ..peers.peers import Peer
from ..provenance.signers import KeysMissing, NotProved, VerifiedStatement, keep_statements
from ..provenance.verification import OfferCheck
from ..runtime import Federation
from .enqueue import enqueue_catalogue
from .listings import list_automatically
from .origins import wait_for_origin
from .tables import federation_copy, federation_item

FETCH_IMAGE = "federation.fetch_image"  # a job: {"copy": the id of a product, "image": an address}
MAX_GRAINS = 1_000_000  # grains of one unit
MOST_EARLIER = 50  # prices of an item that are remembered: what was ordered at one of them keeps it
_item, _copy = federation_item.c, federation_copy.c


def store_items(federation: Federation, tx: Transaction, peer: Peer, upsert: CatalogueUpsert) -> None:
    """Copies the items whose revision is newer than the stored one, and ignores older ones. Raises `Refuse`."""
    grant = _grant(federation, tx, peer, upsert.grantor, upsert.hub)
    _refuse_foreign(peer, upsert.items)
    existing = {row["iri"]: row for row in _items(tx, grant.id, [offered.item.iri for offered in upsert.items])}
    for offered in upsert.items:
        row = existing.get(offered.item.iri)
        refuse_leap("Revision", offered.rev, row["rev"] if row is not None else 0)
    fresh = [
        offered
        for offered in upsert.items
        if offered.item.iri not in existing or offered.rev > existing[offered.item.iri]["rev"]
    ]
    levels = [
        offered
        for offered in upsert.items
        if offered.item.iri in existing and offered.rev >= existing[offered.item.iri]["rev"]
    ]
    proved = _prove_items(federation, tx, peer, grant, upsert, fresh, existing)
    producer = _ProducerCopies(federation, tx, peer, mirror_of(tx, upsert.grantor), _copies(tx, fresh))
    left_out = producer.store([offered for offered in fresh if offered.item.iri in proved])
    for iri, reason in left_out.items():
        _note_left_out(tx, peer, grant, "item", iri, reason)
    stored = [offered for offered in fresh if offered.item.iri in proved.keys() - left_out.keys()]
    new = sum(offered.item.iri not in existing for offered in stored)
    refuse_over_quota(tx, peer, federation_item, new, _item.grant_id == grant.id)
    if new:
        recover_rest_soon(tx, peer)
    includes_vat = enterprise_by_id(tx, producer.mirror).prices_include_vat
    statements = {offered.item.iri: proved[offered.item.iri] for offered in stored}
    keep_statements(tx, itertools.chain(*statements.values()))
    names = {iri: entries[0].name if entries else "" for iri, entries in statements.items()}
    _write(tx, grant.id, producer.copies, stored, names, existing, includes_vat)
    _set_levels(tx, producer.copies | _copies(tx, levels), [*stored, *levels])
    list_automatically(federation, tx, grant, [offered.item.iri for offered in stored])
    if any(iri not in existing or existing[iri]["statement"] != name for iri, name in names.items()):
        enqueue_catalogue(tx, grant.enterprise_id)  # to the hubs to which this one sells on


def withdraw_items(federation: Federation, tx: Transaction, peer: Peer, withdrawal: CatalogueWithdraw) -> None:
    """Archives withdrawn items, except those of which a newer revision is stored. Raises `Refuse`."""
    grant = _grant(federation, tx, peer, withdrawal.grantor, withdrawal.hub)
    revs = {item.iri: item.rev for item in withdrawal.items}
    rows = _items(tx, grant.id, list(revs))
    for row in rows:
        refuse_leap("Revision", revs[row["iri"]], row["rev"])
    gone = [row for row in rows if revs[row["iri"]] > row["rev"]]
    if not gone:
        return
    matching = (_item.grant_id == grant.id, _item.iri == bindparam("gone_iri"))
    tx.execute(
        update(federation_item).where(*matching).values(gone_at=tx.now, digest="", rev=bindparam("gone_rev")),
        [{"gone_iri": row["iri"], "gone_rev": revs[row["iri"]]} for row in gone],
    )
    forget_unlisted(tx, mirror_of(tx, withdrawal.grantor), [row["product_id"] for row in gone])


def forget_unlisted(tx: Transaction, mirror: str, product_ids: Collection[str]) -> None:
    """Archives the copies that no hub here may list any more."""
    query = select(_item.product_id).where(_item.product_id.in_(sorted(product_ids)), _item.gone_at.is_(None))
    still_listed = {row["product_id"] for row in tx.all(query.distinct())}
    forget_copies(tx, mirror, sorted(set(product_ids) - still_listed))


@dataclass
class _ProducerCopies:
    """The copies of one producer's products and lots. `mirror`: the producer's copy; `copies`: ids here by IRI."""

    federation: Federation
    tx: Transaction
    peer: Peer
    mirror: str
    copies: dict[str, str]

    def store(self, fresh: Sequence[OfferedItem]) -> dict[str, str]:
        """Writes copies of all valid items. Returns the reasons for the items left out, by the item's IRI."""
        left_out = {offered.item.iri: why for offered in fresh if (why := _problem(offered))}
        valid = {offered.product.iri: offered for offered in fresh if offered.item.iri not in left_out}
        existing = set(self.copies)
        for iri in sorted({*valid, *(offered.lot.iri for offered in valid.values())} - existing):
            self.copies[iri] = self.tx.new_id()
        lots = {offered.lot.iri: offered.lot for offered in valid.values()}
        keep_lots(self.tx, self.mirror, [self._lot(lot, iri not in existing) for iri, lot in lots.items()])
        copies = [self._product(offered, iri not in existing) for iri, offered in valid.items()]
        problems = keep_products(self.tx, self.mirror, copies)
        by_copy = {self.copies[offered.product.iri]: offered.item.iri for offered in valid.values()}
        left_out |= {by_copy[id]: "; ".join(map(str, reasons)) for id, reasons in problems.items()}
        added = [iri for iri in valid if iri not in existing and self.copies[iri] not in problems]
        refuse_over_quota(self.tx, self.peer, federation_copy, len(added))
        self._record_copies(added, "product")
        self._record_copies([iri for iri in lots if iri not in existing], "lot")
        self._open_leases([lot for iri, lot in lots.items() if iri not in existing])
        self._fetch_images([offered for offered in valid.values() if self.copies[offered.product.iri] not in problems])
        return left_out

    def _lot(self, lot: Any, new: bool) -> LotCopy:
        return LotCopy(
            id=self.copies[lot.iri],
            name=lot.name[:200] or "?",
            unit=lot.quantity.unit,
            per_unit=int(lot.per_unit),
            unlimited=lot.unlimited,
            new=new,
        )

    def _product(self, offered: OfferedItem, new: bool) -> ProductCopy:
        product = offered.product
        assert product.quantity is not None
        assert product.lot_quantity is not None
        return ProductCopy(
            id=self.copies[product.iri],
            lot_id=self.copies[offered.lot.iri],
            lot_quantity=int(product.lot_quantity),
            vat_rate=product.vat_rate if product.vat_rate is not None else _vat_rate(offered),
            new=new,
            **description_in(product, self.tx.plugin_fields.products)
            | {
                "name": _name(offered),
                "description": product.description + _origin(offered),
                "quantity": product.quantity.value,
                "unit": product.quantity.unit,
            },
        )

    def _record_copies(self, iris: Iterable[str], kind: str) -> None:
        rows = [
            {"iri": iri, "peer_id": self.peer.id, "kind": kind, "local_id": self.copies[iri], "image": ""}
            for iri in iris
        ]
        insert_rows(self.tx, federation_copy, rows)

    def _open_leases(self, lots: Sequence[Any]) -> None:
        """Opens empty leases for new lots: their units arrive by grants."""
        open_leases(self.tx, "holder", self.peer.id, self.mirror, {self.copies[lot.iri]: lot.iri for lot in lots})
        recover_opened_leases(self.federation, self.tx, self.peer, {lot.iri for lot in lots})

    def _fetch_images(self, offered: Sequence[OfferedItem]) -> None:
        """Enqueues jobs that fetch new pictures, only from addresses of the peer."""
        addresses = {
            item.product.iri: item.product.images[0]
            for item in offered
            if item.product.images and item.product.images[0].startswith(f"{self.peer.base}/")
        }
        rows = self.tx.all(select(_copy.iri, _copy.image).where(_copy.iri.in_(sorted(addresses))))
        for row in rows:
            if row["image"] != addresses[row["iri"]]:
                enqueue(self.tx, FETCH_IMAGE, {"copy": self.copies[row["iri"]], "image": addresses[row["iri"]]})


def _grant(federation: Federation, tx: Transaction, peer: Peer, grantor: str, hub_iri: str) -> Grant:
    hub = local_id(federation.base, hub_iri, "enterprises") or ""
    grant = find_grant(tx, "received", hub, grantor)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        raise Refuse("no_grant", "There is no such grant, or nobody has taken it here.")
    return grant


def _refuse_foreign(peer: Peer, items: Iterable[OfferedItem]) -> None:
    """An instance may send things of its own host only (compare CVE-2024-23832)."""
    kinds: tuple[tuple[str, ResourceKind], ...] = (
        ("item", "catalog_items"),
        ("product", "supplied_products"),
        ("lot", "stocks"),
        ("offer", "offers"),
    )
    for offered in items:
        for name, kind in kinds:
            if local_id(peer.base, getattr(offered, name).iri, kind) is None:
                raise Refuse("authority", f"{getattr(offered, name).iri[:200]} is not a thing of {peer.base}.")


def _problem(offered: OfferedItem) -> str:
    """Returns why an item cannot be stored; empty when it can."""
    lot, product, price = offered.lot, offered.product, offered.offer.price
    if lot.quantity is None or lot.quantity.unit not in MEASURES:
        return "its stock has no unit that is known here"
    if lot.per_unit is None or not 1 <= lot.per_unit <= MAX_GRAINS or lot.per_unit != int(lot.per_unit):
        return "its stock is counted in parts that cannot be"
    if product.quantity is None or product.lot_quantity is None or product.lot_quantity != int(product.lot_quantity):
        return "it does not say how much a piece is"
    if price is None or price.amount < 0 or not price.currency:
        return "its price cannot be"
    return ""


def _vat_rate(offered: OfferedItem) -> Any:
    price = offered.offer.price
    return price.vat_rate if price is not None and price.vat_rate is not None else 0


def _origin(offered: OfferedItem) -> str:
    """Returns the enterprises through which the goods came, as HTML for customers; sanitised with the description."""
    if len(offered.provenance) < 2:
        return ""
    return f"<p>{' → '.join(hop.name.replace('<', '').replace('&', '') for hop in offered.provenance)}</p>"


def _name(offered: OfferedItem) -> str:
    """Returns the name for customers: the seller's, or the producer's where the producer has signed it."""
    return offered.product.name if offered.origin else offered.item.name or offered.product.name


def _items(tx: Transaction, grant_id: str, iris: Sequence[str]) -> Sequence[Row]:
    query = select(federation_item).where(_item.grant_id == grant_id, _item.iri.in_(sorted(iris)))
    return tx.all(query.order_by(_item.iri).with_for_update())


def _copies(tx: Transaction, offered: Sequence[OfferedItem]) -> dict[str, str]:
    iris = {iri for item in offered for iri in (item.product.iri, item.lot.iri)}
    return {row["iri"]: row["local_id"] for row in tx.all(select(federation_copy).where(_copy.iri.in_(sorted(iris))))}


def _write(
    tx: Transaction,
    grant_id: str,
    copies: Mapping[str, str],
    stored: Sequence[OfferedItem],
    statements: Mapping[str, str],
    existing: Mapping[str, Row],
    includes_vat: bool,
) -> None:
    rows = []
    for offered in stored:
        assert offered.offer.price is not None
        rows.append(
            {
                "iri": offered.item.iri,
                "product_id": copies[offered.product.iri],
                "lot_id": copies[offered.lot.iri],
                "offer_iri": offered.offer.iri,
                "price": offered.offer.price.amount,
                "currency": offered.offer.price.currency,
                "includes_vat": includes_vat,
                "provenance": [[hop.iri, hop.name] for hop in offered.provenance],
                "rev": offered.rev,
                "digest": offered.digest,
                "statement": statements[offered.item.iri],
                "gone_at": None,
                "earlier": _earlier_prices(existing.get(offered.item.iri), offered.offer.price.amount),
            }
        )
    insert_rows(tx, federation_item, [{"grant_id": grant_id, **row} for row in rows if row["iri"] not in existing])
    changed = [{f"new_{name}": value for name, value in row.items()} for row in rows if row["iri"] in existing]
    if changed:
        values = {
            name: bindparam(f"new_{name}", type_=federation_item.c[name].type) for name in rows[0] if name != "iri"
        }
        matching = (_item.grant_id == grant_id, _item.iri == bindparam("new_iri"))
        tx.execute(update(federation_item).where(*matching).values(values), changed)


def _earlier_prices(before: Row | None, price: int) -> list[list[object]]:
    """The prices that held before this one."""
    if before is None:
        return []
    earlier: list[list[object]] = before["earlier"]
    if before["price"] == price:
        return earlier
    return [[before["rev"], before["price"], before["statement"]], *earlier][:MOST_EARLIER]


def _set_levels(tx: Transaction, copies: Mapping[str, str], offered: Sequence[OfferedItem]) -> None:
    """Stores how many grains of each lot are obtainable, a hint."""
    levels = {
        copies[item.lot.iri]: int(item.lot.quantity.value * (item.lot.per_unit or 1))
        for item in offered
        if item.lot.quantity is not None and item.lot.iri in copies
    }
    tell_beyonds(tx, levels)


def _prove_items(
    federation: Federation,
    tx: Transaction,
    peer: Peer,
    grant: Grant,
    upsert: CatalogueUpsert,
    fresh: Sequence[OfferedItem],
    existing: Mapping[str, Row],
) -> dict[str, list[VerifiedStatement]]:
    """Returns the statements of all items that may be stored, by the item's IRI; none for those of older instances.

    Items whose producer's keys are not known yet are missing, and come again once its instance has answered.
    """
    check = OfferCheck(federation, tx, peer, upsert.grantor, upsert.hub)
    proved: dict[str, list[VerifiedStatement]] = {}
    for offered in fresh:
        iri = offered.item.iri
        try:
            try:
                proved[iri] = check.verified(offered, existing[iri]["statement"] if iri in existing else "")
            except KeysMissing as missing:
                catalogue = f"{upsert.grantor} {upsert.hub}"
                wait_for_origin(federation, tx, missing.actor, peer, grant.enterprise_id, catalogue)
        except NotProved as error:
            _note_left_out(tx, peer, grant, "forged", iri, str(error))
    return proved


def _note_left_out(tx: Transaction, peer: Peer, grant: Grant, kind: str, iri: str, reason: str) -> None:
    """Tells operators, by an alert of this kind, and the hub's people that an item cannot be listed."""
    alert(tx, peer.id, kind, f"{iri} was left out: {reason}")
    note_for_enterprise(
        tx, grant.enterprise_id, "item_left_out", peer.id, grant.id, producer=grant.other_name, reason=reason
    )
