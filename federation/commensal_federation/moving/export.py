"""What an enterprise takes along, read from here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import select

from commensal import (
    CatalogItem,
    Enterprise,
    StockedProduct,
    StockLot,
    Transaction,
    catalogs_of,
    enabled_plugins,
    enterprise_by_id,
    grants_given,
    items_of,
    list_categories,
    products_of,
)

from ..authority.authority import authority_of
from ..catalogue.grants import SELLING, grants_between
from ..catalogue.tables import federation_told
from ..dfc.iris import enterprise_iri
from ..leases.tables import federation_lease
from ..messages.bodies.catalogue import Grant
from ..messages.bodies.orders import InstanceOrder
from ..orders.questions import orders_of
from ..orders.tables import federation_told_price
from ..peers.peers import peer_by_id
from ..runtime import Federation
from .rows import (
    AnyRow,
    CatalogRow,
    CategoryRow,
    EnterpriseRow,
    GrantRow,
    ItemRow,
    LeaseRow,
    LotRow,
    OrderLineRow,
    OrderRow,
    PriceRow,
    ProductRow,
    ToldRow,
)

TERM = timedelta(hours=24)  # for which what is reserved here is leased back at first
_AT_ONCE = 500
_COUNTS = ("epoch", "granted", "report", "seen", "returned", "held", "sold", "late", "lost", "until", "sold_before")
T = TypeVar("T")
Levels = Mapping[str, tuple[int, int, int]]  # grains that were free, reserved and sold, by lot


def export_rows(
    federation: Federation, tx: Transaction, enterprise_id: str, lots: Mapping[str, StockLot], levels: Levels
) -> Iterator[AnyRow]:
    """Everything, for `rows.read_rows` to read. `lots` and `levels` are as they were when it was frozen."""
    base, one = federation.base, enterprise_by_id(tx, enterprise_id)
    yield _profile(federation, tx, one)
    yield from (CategoryRow(id=each.id, name=each.name) for each in list_categories(tx, one.id))
    yield from (_lot(lot, levels[lot.id]) for lot in lots.values())
    products = list(pages(lambda after: products_of(tx, one.id, after=after, limit=_AT_ONCE), lambda s: s.product.id))
    yield from (_product(base, stocked) for stocked in products)
    own = {stocked.product.id for stocked in products}
    for catalog in pages(lambda after: catalogs_of(tx, one.id, after=after, limit=_AT_ONCE), lambda each: each.id):
        yield CatalogRow(id=catalog.id, name=catalog.name)
        yield from (_item(item) for item in _items(tx, one.id, catalog.id) if item.product_id in own)
    yield from _local_grants(federation, tx, one.id)
    for grant in grants_between(tx, enterprise_id=one.id, direction="given", state="accepted", limit=10_000):
        yield from _grant(tx, grant)
    yield from _leases(tx, one.id)
    yield from (_leased_back(federation, tx, lot_id, levels[lot_id]) for lot_id in lots if any(levels[lot_id][1:]))
    for order in pages(lambda after: orders_of(tx, one.id, after=after, limit=_AT_ONCE), lambda each: each.id):
        if order.role == "supplier":
            yield _order(tx, order)


def pages(ask: Callable[[str], list[T]], id_of: Callable[[T], str]) -> Iterator[T]:
    """All of what is asked for in pages."""
    after = ""
    while found := ask(after):
        yield from found
        after = id_of(found[-1])


def local_hubs(tx: Transaction, enterprise_id: str) -> list[tuple[str, str]]:
    """Ids and names of enterprises of this instance that may sell its goods."""
    scopes: dict[tuple[str, str], set[str]] = {}
    for one in grants_given(tx, enterprise_id):
        scopes.setdefault((one.grantee_id, one.grantee_name), set()).add(one.scope)
    return [hub for hub, given in scopes.items() if given.issuperset(SELLING)]


def _items(tx: Transaction, enterprise_id: str, catalog_id: str) -> Iterator[CatalogItem]:
    return pages(lambda after: items_of(tx, enterprise_id, catalog_id, after=after, limit=_AT_ONCE), lambda one: one.id)


def _profile(federation: Federation, tx: Transaction, one: Enterprise) -> EnterpriseRow:
    same = {name: getattr(one, name) for name in EnterpriseRow.__struct_fields__ if hasattr(one, name)}
    key = authority_of(tx, enterprise_iri(federation.base, one.id)).recovery_key
    return EnterpriseRow(**same, recovery_key=key, settings=enabled_plugins(tx, one.id).get("federation", {}))


def _lot(lot: StockLot, level: tuple[int, int, int]) -> LotRow:
    """What peers held before, and what is reserved here, is lent there."""
    free, reserved, _ = level
    lent = int(lot.lent * lot.per_unit) - free + reserved
    return LotRow(
        id=lot.id, name=lot.name, unit=lot.unit, per_unit=lot.per_unit, unlimited=lot.unlimited,
        free=free, lent=0 if lot.unlimited else lent,
    )  # fmt: skip


def _product(base: str, stocked: StockedProduct) -> ProductRow:
    product = stocked.product
    same = {name: getattr(product, name) for name in ProductRow.__struct_fields__ if hasattr(product, name)}
    return ProductRow(**same, image=f"{base}/api/images/{product.image_id}" if product.image_id else "")


def _item(item: CatalogItem) -> ItemRow:
    same = {name: getattr(item, name) for name in ItemRow.__struct_fields__ if hasattr(item, name)}
    return ItemRow(**same, prices=tuple((offer.category_id, offer.price) for offer in item.offers))


def _local_grants(federation: Federation, tx: Transaction, enterprise_id: str) -> Iterator[GrantRow]:
    """Hubs here will sell its goods as hubs of another instance do."""
    for hub_id, name in local_hubs(tx, enterprise_id):
        yield GrantRow(
            id=tx.new_id(), peer=federation.iri, hub=enterprise_iri(federation.base, hub_id), hub_name=name,
            category_id=None, resell=False,
        )  # fmt: skip


def _grant(tx: Transaction, grant: Grant) -> Iterator[AnyRow]:
    peer = peer_by_id(tx, grant.peer_id).iri
    yield GrantRow(
        id=grant.id, peer=peer, hub=grant.other_iri, hub_name=grant.other_name, category_id=grant.category_id,
        resell=grant.resell,
    )  # fmt: skip
    told, price = federation_told.c, federation_told_price.c
    for row in tx.all(select(federation_told).where(told.grant_id == grant.id).order_by(told.item_id)):
        yield ToldRow(peer=peer, **row)
    for row in tx.all(select(federation_told_price).where(price.grant_id == grant.id).order_by(*price)):
        yield PriceRow(peer=peer, **row)


def _leases(tx: Transaction, enterprise_id: str) -> Iterator[LeaseRow]:
    row = federation_lease.c
    mine = (row.role == "lender", row.enterprise_id == enterprise_id)
    for one in tx.all(select(federation_lease).where(*mine).order_by(row.id)):
        counts: dict[str, Any] = {name: one[name] for name in _COUNTS}
        yield LeaseRow(id=one["id"], peer=peer_by_id(tx, one["peer_id"]).iri, lot_id=one["lot_id"], **counts)


def _leased_back(federation: Federation, tx: Transaction, lot_id: str, level: tuple[int, int, int]) -> LeaseRow:
    """What customers here have ordered stays theirs: it is leased from the new home."""
    _, reserved, sold = level
    none = dict.fromkeys(("report", "returned", "sold", "late", "lost"), 0)
    held = dict.fromkeys(("granted", "seen", "held"), reserved)
    return LeaseRow(
        id=tx.new_id(),
        peer=federation.iri,
        lot_id=lot_id,
        epoch=1,
        **none,
        **held,
        until=tx.now + TERM,
        sold_before=sold,
    )


def _order(tx: Transaction, order: InstanceOrder) -> OrderRow:
    same = {
        name: getattr(order, name) for name in OrderRow.__struct_fields__ if hasattr(order, name) and name != "lines"
    }
    lines = tuple(
        OrderLineRow(**{name: getattr(line, name) for name in OrderLineRow.__struct_fields__}) for line in order.lines
    )
    return OrderRow(**same, peer=peer_by_id(tx, order.peer_id).iri, lines=lines)
