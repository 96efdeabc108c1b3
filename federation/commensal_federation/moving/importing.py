"""The import: an export of the old home becomes an enterprise of this instance, with goods, stock and catalogs.

Things keep their ids. Where this instance sold the enterprise's goods already, its copies become the originals and keep
the ids that they have here; `known_ids` lists them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select

from commensal import Conflict, Transaction, convert, enabled_plugins, enqueue, enterprises_by_id
from commensal.enterprises import LegalText, bring_legal_texts, copy_enterprise, enable_plugin
from commensal.parts.copies import (
    BroughtItem,
    LotCopy,
    ProductCopy,
    bring_listing,
    carry_stock,
    come_home,
    keep_lots,
    keep_products,
    tell_beyond,
)
from commensal.products import PRODUCT_FIELDS, products_by_id
from commensal.stock import lots_by_id

from ..authority.authority import set_authority
from ..catalogue.tables import federation_copy, federation_item
from ..dfc.iris import lot_iri, product_iri
from ..grants.tables import federation_grant, federation_lease, federation_mirror
from ..leases.joined import adopt_lots, gather_free_stock, join_lot
from ..leases.row import LotLease, lease_with, outstanding
from ..messages.bodies.enterprise_rows import (
    AnyRow,
    CatalogRow,
    CategoryRow,
    EnterpriseRow,
    ItemRow,
    LeaseRow,
    LegalTextRow,
    LotRow,
    PictureRow,
    ProductRow,
)
from ..messages.moving import MoveRow
from ..orders.facts import end_orders
from ..peers.peers import Peer
from ..runtime import Federation
from .moves import base_of
from .placing import place_trade

FETCH_IMAGE = "federation.fetch_moved_image"  # a job: {"product": its id here, "image": an address}
FETCH_PICTURE = "federation.fetch_moved_picture"  # a job: {"enterprise": its id, "shows", "alt", "image": an address}
_NOT_PROFILE = {"id", "currency", "recovery_key", "settings"}
_copy, _grant, _mirror = federation_copy.c, federation_grant.c, federation_mirror.c


def known_ids(tx: Transaction, old_iri: str, rows: Sequence[AnyRow]) -> dict[str, str]:
    """Returns the ids here of things that are copied here already, by their ids at the old home.

    Products that a reseller at the old home has listed here are not among them: they stay the reseller's copies. Their
    lots are, since what was leased of them is stock of the enterprise.
    """
    base = base_of(old_iri)
    iris = {product_iri(base, row.id): row.id for row in rows if isinstance(row, ProductRow)}
    iris |= {lot_iri(base, row.id): row.id for row in rows if isinstance(row, LotRow)}
    copied = tx.all(select(_copy.iri, _copy.local_id).where(_copy.iri.in_(sorted(iris))))
    mirror = tx.value(select(_mirror.enterprise_id).where(_mirror.iri == old_iri))
    products = products_by_id(tx, [row["local_id"] for row in copied])
    resold = {product.id for product in products.values() if product.enterprise_id != mirror}
    local_ids = {iris[row["iri"]]: str(row["local_id"]) for row in copied if row["local_id"] not in resold}
    ids = [row.id for row in rows if isinstance(row, EnterpriseRow)]
    return local_ids | ({ids[0]: str(mirror)} if mirror is not None and ids else {})


def import_enterprise(
    federation: Federation,
    tx: Transaction,
    move: MoveRow,
    peer: Peer,
    rows: Sequence[AnyRow],
    apart: Collection[str] = (),
) -> None:
    """Creates the enterprise with its owner, goods and trade with `peer`, which keeps leases of the lots `apart` beside
    others. Raises `Conflict` and `Invalid`."""
    arrival = _Import(federation, tx, move, peer, rows)
    arrival.add_enterprise()
    arrival.add_public_face()
    arrival.add_goods()
    arrival.add_stock()
    arrival.add_listing()
    arrival.forget_copies()
    place_trade(federation, tx, move, peer, rows, apart)


class _Import:
    """One import. `id_here` returns the id here of a thing of the old home."""

    def __init__(
        self, federation: Federation, tx: Transaction, move: MoveRow, peer: Peer, rows: Sequence[AnyRow]
    ) -> None:
        self.federation, self.tx, self.move, self.peer, self.rows = federation, tx, move, peer, rows
        self.renamed: Mapping[str, str] = move.said["renamed"]
        (self.profile,) = [row for row in rows if isinstance(row, EnterpriseRow)]
        self.id = self.id_here(self.profile.id)

    def id_here(self, id: str) -> str:
        return self.renamed.get(id, id)

    def add_enterprise(self) -> None:
        tx, profile = self.tx, self.profile
        fields: Any = {
            name: getattr(profile, name) for name in EnterpriseRow.__struct_fields__ if name not in _NOT_PROFILE
        }
        if profile.id not in self.renamed:
            if enterprises_by_id(tx, [self.id]):
                raise Conflict("there_already", "Some of this is here already.")
            copy_enterprise(tx, currency=profile.currency, id=self.id, **fields)
        assert self.move.owner_id is not None
        come_home(tx, self.id, self.move.owner_id, fields)
        if "federation" not in enabled_plugins(tx, self.id):
            enable_plugin(tx, self.federation.instance.hooks, self.id, "federation", profile.settings)
        set_authority(
            tx,
            self.move.new_iri,
            epoch=self.move.epoch,
            moved_to="",
            came_from=self.move.old_iri,
            recovery_key=profile.recovery_key,
        )
        set_authority(tx, self.move.old_iri, epoch=self.move.epoch, moved_to=self.move.new_iri)

    def add_public_face(self) -> None:
        """Takes over the legal texts, and fetches logo and cover later."""
        texts = [
            LegalText(kind=row.about, version=row.version, texts=row.texts, published_at=row.published_at)
            for row in self.rows
            if isinstance(row, LegalTextRow)
        ]
        bring_legal_texts(self.tx, self.id, texts)
        for row in self.rows:
            if isinstance(row, PictureRow) and self._is_at_old_home(row.image):
                payload = {"enterprise": self.id, "shows": row.shows, "alt": row.alt[:300], "image": row.image}
                enqueue(self.tx, FETCH_PICTURE, payload)

    def _is_at_old_home(self, address: str) -> bool:
        return address.startswith(f"{base_of(self.move.old_iri)}/")

    def add_goods(self) -> None:
        tx = self.tx
        lots = [row for row in self.rows if isinstance(row, LotRow)]
        products = [row for row in self.rows if isinstance(row, ProductRow)]
        new_lots = [row.id for row in lots if row.id not in self.renamed]
        new_products = [row.id for row in products if row.id not in self.renamed]
        if lots_by_id(tx, new_lots) or products_by_id(tx, new_products):
            raise Conflict("there_already", "Some of this is here already.")
        adopt_lots(tx, [self.renamed[row.id] for row in lots if row.id in self.renamed], self.id)
        keep_lots(tx, self.id, [self._lot(row) for row in lots])
        problems = keep_products(tx, self.id, [self._product(row) for row in products])
        if problems:
            text = "; ".join(str(problem) for product_problems in problems.values() for problem in product_problems)
            raise Conflict("products", "Some products cannot be here: {problems}", problems=text[:400])
        for row in products:
            if self._is_at_old_home(row.image):
                enqueue(tx, FETCH_IMAGE, {"product": self.id_here(row.id), "image": row.image})

    def add_stock(self) -> None:
        our_leases = {
            row.lot_id: row for row in self.rows if isinstance(row, LeaseRow) and row.peer == self.federation.iri
        }
        for row in self.rows:
            if isinstance(row, LotRow):
                lot_id, free, lent = self.id_here(row.id), row.free, row.lent
                lease = lease_with(self.tx, "holder", self.peer.id, lot_id=lot_id)
                if lease is not None:
                    free, lent = _merge_lease(lease, row, our_leases.get(row.id))
                    self.tx.execute(delete(federation_lease).where(federation_lease.c.id == lease.row.id))
                if not carry_stock(self.tx, lot_id, free=free, lent=lent, note=self.peer.name):
                    raise Conflict("stock", "The stock {name} cannot be as it is told.", name=row.name)
                tell_beyond(self.tx, lot_id, 0, None)
        for row in self.rows:
            if isinstance(row, LotRow) and row.main_id is not None:
                join_lot(self.tx, self.id_here(row.id), self.id_here(row.main_id))
                gather_free_stock(self.tx, self.id_here(row.id))

    def add_listing(self) -> None:
        items = [row for row in self.rows if isinstance(row, ItemRow)]
        bring_listing(
            self.tx,
            self.id,
            categories={row.id: row.name for row in self.rows if isinstance(row, CategoryRow)},
            catalogs={row.id: row.name for row in self.rows if isinstance(row, CatalogRow)},
            items=[
                BroughtItem(
                    id=row.id,
                    catalog_id=row.catalog_id,
                    product_id=self.id_here(row.product_id),
                    name=row.name,
                    position=row.position,
                    hidden=row.hidden,
                    shown_to=row.shown_to,
                    prices=dict(row.prices),
                )
                for row in items
            ],
        )

    def forget_copies(self) -> None:
        """Deletes the records of copies: hubs here keep selling the goods, which belong to this instance now."""
        tx = self.tx
        from_old_home = select(_grant.id).where(_grant.direction == "received", _grant.other_iri == self.move.old_iri)
        tx.execute(delete(federation_item).where(federation_item.c.grant_id.in_(from_old_home)))
        tx.execute(
            delete(federation_grant).where(_grant.direction == "received", _grant.other_iri == self.move.old_iri)
        )
        own = sorted({self.id_here(row.id) for row in self.rows if isinstance(row, LotRow | ProductRow)})
        tx.execute(delete(federation_copy).where(_copy.local_id.in_(own)))
        tx.execute(delete(federation_mirror).where(_mirror.iri == self.move.old_iri))
        end_orders(tx, self.move.old_iri, self.move.new_iri)

    def _lot(self, row: LotRow) -> LotCopy:
        return LotCopy(
            id=self.id_here(row.id),
            name=row.name,
            unit=row.unit,
            per_unit=row.per_unit,
            unlimited=row.unlimited,
            new=row.id not in self.renamed,
            low_level=row.low_level,
        )

    def _product(self, row: ProductRow) -> ProductCopy:
        more = _further_fields(row)
        values = {name: getattr(row, name, more.get(name, field.default)) for name, field in PRODUCT_FIELDS.items()}
        return ProductCopy(
            id=self.id_here(row.id),
            lot_id=self.id_here(row.lot_id),
            lot_quantity=row.lot_quantity,
            vat_rate=row.vat_rate,
            new=row.id not in self.renamed,
            plugin_fields=row.plugin_fields,
            **values,
        )


def _further_fields(row: ProductRow) -> dict[str, Any]:
    """Returns the fields in `row.more` as their types. Raises `Conflict` for one that is unknown or of another type."""
    values = {}
    for name, value in row.more.items():
        if name not in PRODUCT_FIELDS:
            text = "The product {name} has a field that this version does not know: {field}. Upgrade this instance."
            raise Conflict("unknown_field", text, name=row.name, field=name)
        try:
            values[name] = convert(value, PRODUCT_FIELDS[name].type)
        except msgspec.ValidationError as error:
            text = "Some products cannot be here: {problems}"
            raise Conflict("products", text, problems=f"{row.name}, {name}: {error}"[:400]) from error
    return values


def _merge_lease(lease: LotLease, lot: LotRow, old_home_lease: LeaseRow | None) -> tuple[int, int]:
    """Returns the grains by which free and lent stock grow when a lease of ours ends because the lot is ours now.

    The old home counts as lent to us: what we have, free or reserved, and what was in transit between us. All of that
    is ours now.
    """
    if old_home_lease is None:
        return lot.free, lot.lent
    row = lease.row
    counted = outstanding(old_home_lease.granted, old_home_lease.seen, old_home_lease.held, old_home_lease.late)
    if old_home_lease.epoch != row.epoch:  # taken back by force, and we have not heard of it yet
        return lot.free + old_home_lease.granted - lease.free, lot.lent - counted
    on_the_way = (old_home_lease.granted - row.granted) + (row.returned - old_home_lease.returned)
    return lot.free + on_the_way, lot.lent - counted
