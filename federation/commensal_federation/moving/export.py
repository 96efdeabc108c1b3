"""The export: all rows of an enterprise that moves to its new home."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Literal, TypeVar

from sqlalchemy import select

from commensal import Enterprise, Row, StockLot, Transaction, enabled_plugins, enterprise_by_id, list_categories
from commensal.catalogs import CatalogItem, catalogs_of, items_of
from commensal.enterprises import grants_given, legal_text_versions
from commensal.parts.pictures import PICTURE_KINDS, enterprise_pictures
from commensal.products import PRODUCT_FIELDS, StockedProduct, products_of

from ..authority.authority import authority_of
from ..catalogue.grants import SELLING
from ..catalogue.tables import federation_told_price
from ..dfc.iris import enterprise_iri
from ..grants.questions import grants_between
from ..grants.tables import federation_lease, federation_told
from ..leases.joined import main_lot
from ..messages.bodies.enterprise_rows import (
    AnyRow,
    CatalogRow,
    CategoryRow,
    EnterpriseRow,
    FactRow,
    GrantRow,
    ItemRow,
    LeaseRow,
    LegalTextRow,
    LotRow,
    OrderLineRow,
    OrderRow,
    PictureRow,
    PriceRow,
    ProductRow,
    SentItemRow,
)
from ..messages.bodies.orders import InstanceOrder
from ..messages.catalogue import Grant
from ..orders.questions import orders_of
from ..peers.peers import peer_by_id
from ..runtime import Federation
from .placing import grains_lent_on, grains_sold_along, moves_along

TERM = timedelta(hours=24)  # the first term of the leases for stock that is reserved here
_AT_ONCE = 500
# A grant that was refused may have been accepted before, and have orders, like one that was revoked.
_MOVED_STATES: dict[str, Literal["accepted", "offered", "revoked"]] = {"accepted": "accepted", "offered": "offered"}
_COUNTS = ("epoch", "granted", "report", "seen", "returned", "held", "sold", "late", "lost", "until", "sold_before")
T = TypeVar("T")
Levels = Mapping[str, tuple[int, int, int]]  # free, reserved and sold grains by lot id


def export_rows(
    federation: Federation,
    tx: Transaction,
    enterprise_id: str,
    new_home_id: str,
    lots: Mapping[str, StockLot],
    levels: Levels,
) -> Iterator[AnyRow]:
    """Yields all rows of the enterprise, for `rows.read_rows`. `new_home_id` is the peer that gets them; `lots` and
    `levels` are those at the freeze."""
    base, enterprise = federation.base, enterprise_by_id(tx, enterprise_id)
    yield _profile(federation, tx, enterprise)
    yield from _public_face(base, tx, enterprise.id)
    yield from (CategoryRow(id=category.id, name=category.name) for category in list_categories(tx, enterprise.id))
    yield from (_lot(tx, lot, levels[lot.id]) for lot in lots.values())
    products = list(
        pages(lambda after: products_of(tx, enterprise.id, after=after, limit=_AT_ONCE), lambda s: s.product.id)
    )
    yield from (_product(base, stocked) for stocked in products)
    own = {stocked.product.id for stocked in products}
    for catalog in pages(
        lambda after: catalogs_of(tx, enterprise.id, after=after, limit=_AT_ONCE), lambda entry: entry.id
    ):
        yield CatalogRow(id=catalog.id, name=catalog.name)
        yield from (_item(item) for item in _items(tx, enterprise.id, catalog.id) if item.product_id in own)
    yield from _local_grants(federation, tx, enterprise.id)
    for grant in grants_between(tx, enterprise_id=enterprise.id, direction="given"):
        yield from _grant(tx, grant)
    yield from _leases(tx, enterprise.id, new_home_id)
    lent_on = grains_lent_on(tx, enterprise.id, new_home_id)
    sold_along = grains_sold_along(tx, enterprise_id, new_home_id)
    for lot_id, lot in lots.items():
        _, reserved, sold = levels[lot_id]
        held, sold_here = reserved + lent_on[lot_id], max(0, sold - sold_along[lot_id])
        if held or sold_here:
            yield _leased_back(federation, tx, lot_id, *((0, 0) if lot.unlimited else (held, sold_here)))
    for order in pages(lambda after: orders_of(tx, enterprise.id, after=after, limit=_AT_ONCE), lambda entry: entry.id):
        if order.role == "supplier":
            yield _order(tx, order)


def pages(ask: Callable[[str], list[T]], id_of: Callable[[T], str]) -> Iterator[T]:
    """Yields all entries of a paged query; `ask` returns the page after an id."""
    after = ""
    while rows := ask(after):
        yield from rows
        after = id_of(rows[-1])


def local_hubs(tx: Transaction, enterprise_id: str) -> list[tuple[str, str]]:
    """Returns ids and names of the enterprises of this instance that may sell its goods."""
    scopes: dict[tuple[str, str], set[str]] = {}
    for grant in grants_given(tx, enterprise_id):
        scopes.setdefault((grant.grantee_id, grant.grantee_name), set()).add(grant.scope)
    return [hub for hub, granted in scopes.items() if granted.issuperset(SELLING)]


def _items(tx: Transaction, enterprise_id: str, catalog_id: str) -> Iterator[CatalogItem]:
    return pages(
        lambda after: items_of(tx, enterprise_id, catalog_id, after=after, limit=_AT_ONCE), lambda item: item.id
    )


def _profile(federation: Federation, tx: Transaction, enterprise: Enterprise) -> EnterpriseRow:
    columns = {name: getattr(enterprise, name) for name in EnterpriseRow.__struct_fields__ if hasattr(enterprise, name)}
    key = authority_of(tx, enterprise_iri(federation.base, enterprise.id)).recovery_key
    return EnterpriseRow(**columns, recovery_key=key, settings=enabled_plugins(tx, enterprise.id).get("federation", {}))


def _public_face(base: str, tx: Transaction, enterprise_id: str) -> Iterator[AnyRow]:
    """Yields logo and cover, and the legal texts in all versions."""
    pictures = enterprise_pictures(tx, enterprise_id)
    for kind in PICTURE_KINDS:
        image = pictures.logo if kind == "logo" else pictures.cover
        if image is not None:
            yield PictureRow(shows=kind, image=f"{base}/api/images/{image.id}", alt=image.alt)
    for text in legal_text_versions(tx, enterprise_id):
        if text.kind != "accessibility" and text.published_at is not None:  # that one is the instance's
            yield LegalTextRow(
                about=text.kind, version=text.version, texts=dict(text.texts), published_at=text.published_at
            )


def _lot(tx: Transaction, lot: StockLot, level: tuple[int, int, int]) -> LotRow:
    """Stock that peers hold, or that is reserved here, is lent stock at the new home."""
    free, reserved, _ = level
    lent = int(lot.lent * lot.per_unit) - free + reserved
    main_id = main_lot(tx, lot.id)
    return LotRow(
        id=lot.id,
        name=lot.name,
        unit=lot.unit,
        per_unit=lot.per_unit,
        unlimited=lot.unlimited,
        free=free,
        lent=0 if lot.unlimited else lent,
        main_id=None if main_id == lot.id else main_id,
        low_level=None if lot.low_level is None else int(lot.low_level * lot.per_unit),
    )


def _product(base: str, stocked: StockedProduct) -> ProductRow:
    product = stocked.product
    columns = {name: getattr(product, name) for name in ProductRow.__struct_fields__ if hasattr(product, name)}
    more = {
        name: getattr(product, name)
        for name, field in PRODUCT_FIELDS.items()
        if name not in columns and getattr(product, name) != field.default
    }
    return ProductRow(**columns, image=f"{base}/api/images/{product.image_id}" if product.image_id else "", more=more)


def _item(item: CatalogItem) -> ItemRow:
    columns = {name: getattr(item, name) for name in ItemRow.__struct_fields__ if hasattr(item, name)}
    return ItemRow(**columns, prices=tuple((offer.category_id, offer.price) for offer in item.offers))


def _local_grants(federation: Federation, tx: Transaction, enterprise_id: str) -> Iterator[GrantRow]:
    """Yields a grant for each local hub: from now on it sells the goods as a remote hub."""
    for hub_id, name in local_hubs(tx, enterprise_id):
        yield GrantRow(
            id=tx.new_id(),
            peer=federation.iri,
            hub=enterprise_iri(federation.base, hub_id),
            hub_name=name,
            category_id=None,
            resell=False,
        )


def _grant(tx: Transaction, grant: Grant) -> Iterator[AnyRow]:
    """Yields the grant with what was sent for it."""
    peer = peer_by_id(tx, grant.peer_id).iri
    yield GrantRow(
        id=grant.id,
        peer=peer,
        hub=grant.other_iri,
        hub_name=grant.other_name,
        category_id=grant.category_id,
        resell=grant.resell,
        state=_MOVED_STATES.get(grant.state, "revoked"),
        lot_share=grant.lot_share,
        ends_at=grant.ends_at,
    )
    sent, price = federation_told.c, federation_told_price.c
    for row in tx.all(select(federation_told).where(sent.grant_id == grant.id).order_by(sent.item_id)):
        yield SentItemRow(peer=peer, **row)
    prices = [price[name] for name in PriceRow.__struct_fields__ if name != "peer"]
    for row in tx.all(select(*prices).where(price.grant_id == grant.id).order_by(*prices)):
        yield PriceRow(peer=peer, **row)


def _leases(tx: Transaction, enterprise_id: str, new_home_id: str) -> Iterator[LeaseRow]:
    lease = federation_lease.c
    conditions = (lease.role == "lender", lease.enterprise_id == enterprise_id, moves_along(new_home_id))
    for row in tx.all(select(federation_lease).where(*conditions).order_by(lease.id)):
        counts: Row = {name: row[name] for name in _COUNTS}
        yield LeaseRow(id=row["id"], peer=peer_by_id(tx, row["peer_id"]).iri, lot_id=row["lot_id"], **counts)


def _leased_back(federation: Federation, tx: Transaction, lot_id: str, held: int, sold: int) -> LeaseRow:
    """Returns a lease from the new home for stock that customers here have ordered or got, or that hubs here have lent
    on."""
    zeros = dict.fromkeys(("report", "returned", "late", "lost", "sold_before"), 0)
    return LeaseRow(
        id=tx.new_id(),
        peer=federation.iri,
        lot_id=lot_id,
        epoch=1,
        granted=held + sold,
        seen=held + sold,
        held=held,
        sold=sold,
        **zeros,
        until=tx.now + TERM,
    )


def _order(tx: Transaction, order: InstanceOrder) -> OrderRow:
    several = any(line.ordered_amount is not None for line in order.lines)
    chained = several or any(fact.kind == "claimed" for fact in order.facts)
    left_out = {"lines", "facts", *(() if chained else ("settled_from",))}
    columns = {
        name: getattr(order, name)
        for name in OrderRow.__struct_fields__
        if hasattr(order, name) and name not in left_out
    }
    names = [name for name in OrderLineRow.__struct_fields__ if chained or name != "number"]
    lines = tuple(OrderLineRow(**{name: getattr(line, name) for name in names}) for line in order.lines)
    if chained:
        facts = ({name: getattr(fact, name) for name in FactRow.__struct_fields__} for fact in order.facts)
        columns["facts"] = tuple(FactRow(**values) for values in facts)
    return OrderRow(**columns, peer=peer_by_id(tx, order.peer_id).iri, lines=lines)
