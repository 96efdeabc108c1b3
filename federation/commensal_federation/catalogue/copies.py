"""The hub's side: what was told of items becomes copies here, each item by its newest revision."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select, update

from commensal import (
    MEASURES,
    LotCopy,
    ProductCopy,
    Row,
    Transaction,
    enterprise_by_id,
    forget_copies,
    insert_rows,
    keep_lots,
    keep_products,
    promise,
    tell_beyonds,
)

from ..delivery.alerts import alert
from ..dfc.iris import ResourceKind, local_id
from ..leases.tables import federation_lease
from ..messages.bodies.catalogue import CatalogueUpsert, CatalogueWithdraw, Grant, OfferedItem
from ..messages.types import Refuse
from ..peers.quotas import refuse_crowd
from ..peers.values import Peer
from ..runtime import Federation
from .grants import find_grant, mirror_of
from .listing import list_by_itself
from .tables import federation_copy, federation_item

FETCH_IMAGE = "federation.fetch_image"  # a job: {"copy": the id of a product, "image": an address}
FINEST = 1_000_000  # grains of one unit
_item, _copy = federation_item.c, federation_copy.c


def keep_items(federation: Federation, tx: Transaction, peer: Peer, said: CatalogueUpsert) -> None:
    """Items that are newer than what is known are copied; older ones say nothing any more. Raises `Refuse`."""
    grant = _grant(federation, tx, peer, said.grantor, said.hub)
    _refuse_foreign(peer, said.items)
    known = {row["iri"]: row for row in _items(tx, grant.id, [one.item.iri for one in said.items])}
    fresh = [one for one in said.items if one.item.iri not in known or one.rev > known[one.item.iri]["rev"]]
    levels = [one for one in said.items if one.item.iri in known and one.rev >= known[one.item.iri]["rev"]]
    place = _Place(tx, peer, mirror_of(tx, said.grantor), _copies(tx, fresh))
    left_out = place.keep(fresh)
    for one in fresh:
        if one.item.iri in left_out:
            alert(tx, peer.id, "item", f"{one.item.iri} was left out: {left_out[one.item.iri]}")
    kept = [one for one in fresh if one.item.iri not in left_out]
    new = sum(one.item.iri not in known for one in kept)
    refuse_crowd(tx, peer, federation_item, new, _item.grant_id == grant.id)
    includes_vat = enterprise_by_id(tx, place.mirror).prices_include_vat
    _write(tx, grant.id, place.copies, kept, known, includes_vat)
    _tell_levels(tx, place.copies | _copies(tx, levels), [*kept, *levels])
    list_by_itself(tx, grant, [one.item.iri for one in kept])


def withdraw_items(federation: Federation, tx: Transaction, peer: Peer, said: CatalogueWithdraw) -> None:
    """Items that went are not listed any more. A revision that is older than what is known says nothing."""
    grant = _grant(federation, tx, peer, said.grantor, said.hub)
    revs = dict(said.items)
    rows = _items(tx, grant.id, list(revs))
    gone = [row for row in rows if revs[row["iri"]] > row["rev"]]
    if not gone:
        return
    mine = (_item.grant_id == grant.id, _item.iri == bindparam("gone_iri"))
    tx.execute(
        update(federation_item).where(*mine).values(gone_at=tx.now, digest="", rev=bindparam("gone_rev")),
        [{"gone_iri": row["iri"], "gone_rev": revs[row["iri"]]} for row in gone],
    )
    forget_unlisted(tx, mirror_of(tx, said.grantor), [row["product_id"] for row in gone])


def forget_unlisted(tx: Transaction, mirror: str, product_ids: Collection[str]) -> None:
    """Copies that no hub here may list any more are archived."""
    listed = select(_item.product_id).where(_item.product_id.in_(sorted(product_ids)), _item.gone_at.is_(None))
    there = {row["product_id"] for row in tx.all(listed.distinct())}
    forget_copies(tx, mirror, sorted(set(product_ids) - there))


@dataclass
class _Place:
    """Where copies of one producer are kept. `copies` maps IRIs to ids here."""

    tx: Transaction
    peer: Peer
    mirror: str
    copies: dict[str, str]

    def keep(self, fresh: Sequence[OfferedItem]) -> dict[str, str]:
        """Writes all of them; returns why those were left out that could not be, by the item's IRI."""
        left_out = {one.item.iri: why for one in fresh if (why := _wrong(one))}
        good = {one.product.iri: one for one in fresh if one.item.iri not in left_out}
        known = set(self.copies)
        for iri in sorted({*good, *(one.lot.iri for one in good.values())} - known):
            self.copies[iri] = self.tx.new_id()
        lots = {one.lot.iri: one.lot for one in good.values()}
        keep_lots(self.tx, self.mirror, [self._lot(one, iri not in known) for iri, one in lots.items()])
        copies = [self._product(one, iri not in known) for iri, one in good.items()]
        problems = keep_products(self.tx, self.mirror, copies)
        by_copy = {self.copies[one.product.iri]: one.item.iri for one in good.values()}
        left_out |= {by_copy[id]: "; ".join(map(str, wrong)) for id, wrong in problems.items()}
        made = [iri for iri in good if iri not in known and self.copies[iri] not in problems]
        refuse_crowd(self.tx, self.peer, federation_copy, len(made))
        self._note(made, "product")
        self._note([iri for iri in lots if iri not in known], "lot")
        self._open_leases([one for iri, one in lots.items() if iri not in known])
        self._fetch_images([one for one in good.values() if self.copies[one.product.iri] not in problems])
        return left_out

    def _lot(self, lot: Any, new: bool) -> LotCopy:
        return LotCopy(
            id=self.copies[lot.iri], name=lot.name[:200] or "?", unit=lot.quantity.unit,
            per_unit=int(lot.per_unit), unlimited=lot.unlimited, new=new,
        )  # fmt: skip

    def _product(self, one: OfferedItem, new: bool) -> ProductCopy:
        product = one.product
        assert product.quantity is not None
        assert product.lot_quantity is not None
        return ProductCopy(
            id=self.copies[product.iri],
            lot_id=self.copies[one.lot.iri],
            lot_quantity=int(product.lot_quantity),
            name=one.item.name or product.name,
            description=product.description + _origin(one),
            product_type=product.product_type or "",
            quantity=product.quantity.value,
            unit=product.quantity.unit,
            weighed=product.weighed,
            labels=product.labels,
            allergens=product.allergens,
            deposit=product.deposit.amount if product.deposit else 0,
            vat_rate=product.vat_rate if product.vat_rate is not None else _rate(one),
            new=new,
        )

    def _note(self, iris: Iterable[str], kind: str) -> None:
        rows = [
            {"iri": iri, "peer_id": self.peer.id, "kind": kind, "local_id": self.copies[iri], "image": ""}
            for iri in iris
        ]
        insert_rows(self.tx, federation_copy, rows)

    def _open_leases(self, lots: Sequence[Any]) -> None:
        """Of what is counted: units come by a lease, and none is there before."""
        counts = dict.fromkeys(
            ("granted", "report", "seen", "returned", "held", "sold", "late", "sold_before", "wanted"), 0
        )
        rows = [
            {
                "id": self.tx.new_id(), "role": "holder", "peer_id": self.peer.id, "enterprise_id": self.mirror,
                "lot_id": self.copies[lot.iri], "lot_iri": lot.iri, "epoch": 1, **counts, "created_at": self.tx.now,
            }
            for lot in lots
        ]  # fmt: skip
        insert_rows(self.tx, federation_lease, rows)

    def _fetch_images(self, offered: Sequence[OfferedItem]) -> None:
        """Later, by a job, and only where the address is the peer's own."""
        wanted = {
            one.product.iri: one.product.images[0]
            for one in offered
            if one.product.images and one.product.images[0].startswith(f"{self.peer.base}/")
        }
        rows = self.tx.all(select(_copy.iri, _copy.image).where(_copy.iri.in_(sorted(wanted))))
        for row in rows:
            if row["image"] != wanted[row["iri"]]:
                promise(self.tx, FETCH_IMAGE, {"copy": self.copies[row["iri"]], "image": wanted[row["iri"]]})


def _grant(federation: Federation, tx: Transaction, peer: Peer, grantor: str, hub_iri: str) -> Grant:
    hub = local_id(federation.base, hub_iri, "enterprises") or ""
    grant = find_grant(tx, "received", hub, grantor)
    if grant is None or grant.peer_id != peer.id or grant.state != "accepted":
        raise Refuse("no_grant", "There is no such grant, or nobody has taken it here.")
    return grant


def _refuse_foreign(peer: Peer, items: Iterable[OfferedItem]) -> None:
    """An instance speaks for things of its own host only (CVE-2024-23832 is the same mistake)."""
    kinds: tuple[tuple[str, ResourceKind], ...] = (
        ("item", "catalog_items"), ("product", "supplied_products"), ("lot", "stocks"), ("offer", "offers"),
    )  # fmt: skip
    for one in items:
        for name, kind in kinds:
            if local_id(peer.base, getattr(one, name).iri, kind) is None:
                raise Refuse("authority", f"{getattr(one, name).iri[:200]} is no thing of {peer.base}.")


def _wrong(one: OfferedItem) -> str:
    """What the columns could not hold."""
    lot, product, price = one.lot, one.product, one.offer.price
    if lot.quantity is None or lot.quantity.unit not in MEASURES:
        return "its stock has no unit that is known here"
    if lot.per_unit is None or not 1 <= lot.per_unit <= FINEST or lot.per_unit != int(lot.per_unit):
        return "its stock is counted in parts that cannot be"
    if product.quantity is None or product.lot_quantity is None or product.lot_quantity != int(product.lot_quantity):
        return "it does not say how much a piece is"
    if price is None or price.amount < 0 or not price.currency:
        return "its price cannot be"
    return ""


def _rate(one: OfferedItem) -> Any:
    price = one.offer.price
    return price.vat_rate if price is not None and price.vat_rate is not None else 0


def _origin(one: OfferedItem) -> str:
    """Shoppers read from whom it comes, also after several hands. It is cleaned with the rest."""
    if len(one.provenance) < 2:
        return ""
    return f"<p>{' → '.join(hop.name.replace('<', '').replace('&', '') for hop in one.provenance)}</p>"


def _items(tx: Transaction, grant_id: str, iris: Sequence[str]) -> Sequence[Row]:
    wanted = select(federation_item).where(_item.grant_id == grant_id, _item.iri.in_(sorted(iris)))
    return tx.all(wanted.order_by(_item.iri).with_for_update())


def _copies(tx: Transaction, offered: Sequence[OfferedItem]) -> dict[str, str]:
    iris = {iri for one in offered for iri in (one.product.iri, one.lot.iri)}
    return {row["iri"]: row["local_id"] for row in tx.all(select(federation_copy).where(_copy.iri.in_(sorted(iris))))}


def _write(
    tx: Transaction, grant_id: str, copies: Mapping[str, str], kept: Sequence[OfferedItem], known: Mapping[str, Any],
    includes_vat: bool,
) -> None:  # fmt: skip
    rows = []
    for one in kept:
        assert one.offer.price is not None
        rows.append(
            {
                "iri": one.item.iri, "product_id": copies[one.product.iri], "lot_id": copies[one.lot.iri],
                "offer_iri": one.offer.iri, "price": one.offer.price.amount, "currency": one.offer.price.currency,
                "includes_vat": includes_vat, "provenance": [[hop.iri, hop.name] for hop in one.provenance],
                "rev": one.rev, "digest": one.digest, "gone_at": None,
            }
        )  # fmt: skip
    insert_rows(tx, federation_item, [{"grant_id": grant_id, **row} for row in rows if row["iri"] not in known])
    old = [{f"new_{name}": value for name, value in row.items()} for row in rows if row["iri"] in known]
    if old:
        values = {
            name: bindparam(f"new_{name}", type_=federation_item.c[name].type) for name in rows[0] if name != "iri"
        }
        mine = (_item.grant_id == grant_id, _item.iri == bindparam("new_iri"))
        tx.execute(update(federation_item).where(*mine).values(values), old)


def _tell_levels(tx: Transaction, copies: Mapping[str, str], offered: Sequence[OfferedItem]) -> None:
    """What may be had, as a hint."""
    levels = {
        copies[one.lot.iri]: int(one.lot.quantity.value * (one.lot.per_unit or 1))
        for one in offered
        if one.lot.quantity is not None and one.lot.iri in copies
    }
    tell_beyonds(tx, levels)
