"""The hub's listings of granted goods: made by its people, or automatically with a margin."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from itertools import groupby
from operator import itemgetter

from sqlalchemy import select

from commensal import Invalid, Problem, Row, Transaction, enterprise_by_id
from commensal.catalogs import listings_of, products_of_items
from commensal.parts.supply import price_for_seller
from commensal.products import products_by_id
from commensal.stock import lots_by_id

from ..grants.questions import grant_by_id, mirror_of
from ..grants.tables import federation_grant
from ..messages.catalogue import Grant, Hop, Proof, ReceivedItem
from ..provenance.signers import statements_by_name
from ..runtime import Federation
from .followed_prices import PriceSource, ToldPrice, follow_prices
from .tables import federation_item

_AT_ONCE = 500
_HIGHEST = 1000  # percent that are added to a producer's price
_HIGHEST_MARGIN = 90  # percent of the selling price, as pages ask for it
_item = federation_item.c


def list_automatically(
    federation: Federation, tx: Transaction, grant: Grant, iris: Collection[str], *, by_person: bool = False
) -> None:
    """Lists new items and updates prices, at the producer's price plus the margin; without a margin people list them.
    What the producer asks is noted as what the hub pays for the items, by whomever they are listed, as far as it is
    followed by itself: see `followed_prices`. `by_person` as there."""
    if not iris:
        return
    rows = tx.all(select(federation_item).where(_item.grant_id == grant.id, _item.iri.in_(sorted(iris))))
    _follow(federation, tx, grant, rows, by_person=by_person)


def _follow(
    federation: Federation,
    tx: Transaction,
    grant: Grant,
    rows: Sequence[Row],
    *,
    by_person: bool = False,
    sells: bool = True,
) -> None:
    paid = purchase_prices(tx, grant, {row["product_id"]: row["price"] for row in rows})
    told_prices = {row["product_id"]: ToldPrice(iri=row["iri"], price=paid[row["product_id"]]) for row in rows}
    source = PriceSource(
        id=grant.id,
        hub_id=grant.enterprise_id,
        iri=grant.other_iri,
        name=grant.other_name,
        peer_id=grant.peer_id,
        currency=enterprise_by_id(tx, grant.enterprise_id).currency,
        catalog_id=grant.catalog_id,
        margin=grant.margin,
    )
    follow_prices(federation, tx, source, told_prices, by_person=by_person, sells=sells)


def purchase_prices(tx: Transaction, grant: Grant, prices: Mapping[str, int]) -> dict[str, int]:
    """The producer's prices by product id, in minor units, with VAT or without as the hub's own prices are."""
    hub, producer = enterprise_by_id(tx, grant.enterprise_id), enterprise_by_id(tx, mirror_of(tx, grant.other_iri))
    if hub.prices_include_vat == producer.prices_include_vat:
        return dict(prices)
    products = products_by_id(tx, prices)
    return {id: price_for_seller(price, products[id], producer, hub) or 0 for id, price in prices.items()}


def note_prices_of_items(
    federation: Federation, tx: Transaction, enterprise_id: str, item_ids: Collection[str]
) -> None:
    """Notes what the hub pays for those of these items that are goods from elsewhere. With the first listing people
    have accepted that price; later ones are followed, or asked about, like any other."""
    products = {product.id for product in products_of_items(tx, enterprise_id, item_ids).values()}
    query = (
        select(_item.grant_id, _item.product_id, _item.iri, _item.price)
        .join(federation_grant, federation_grant.c.id == _item.grant_id)
        .where(federation_grant.c.enterprise_id == enterprise_id, _item.product_id.in_(sorted(products)))
        .order_by(_item.grant_id)
    )
    for grant_id, rows in groupby(tx.all(query), itemgetter("grant_id")):
        _follow(federation, tx, grant_by_id(tx, grant_id), list(rows), sells=False)


def list_all(federation: Federation, tx: Transaction, grant: Grant) -> None:
    """Lists all items of the grant automatically, at prices that a person has looked at."""
    query = select(_item.iri).where(_item.grant_id == grant.id, _item.gone_at.is_(None)).order_by(_item.iri)
    iris = [row["iri"] for row in tx.all(query)]
    for first in range(0, len(iris), _AT_ONCE):
        list_automatically(federation, tx, grant, iris[first : first + _AT_ONCE], by_person=True)


def margin_problem(catalog_id: str | None, margin: Decimal | None) -> Problem | None:
    """Returns the problem of a margin, in percent, for automatic listing in this catalog; None when it is valid."""
    if (catalog_id is None) != (margin is None):
        return Problem("margin", "A catalog that follows by itself has a margin, and no other.", "/margin")
    if margin is not None and not (margin.is_finite() and -100 <= margin <= _HIGHEST):
        text = "A margin must be between -100 and {most} percent."
        return Problem("margin", text, "/margin", {"most": _HIGHEST})
    return None


def added_percent(margin: Decimal) -> Decimal:
    """The percentage to add to a producer's price, so that `margin` percent of the selling price remain: 25 for 20.

    Raises `Invalid` for a margin that is not between 0 and 90 percent.
    """
    if not (margin.is_finite() and 0 <= margin <= _HIGHEST_MARGIN):
        text = "A margin must be between 0 and {most} percent of the selling price."
        raise Invalid([Problem("margin", text, "/margin", {"most": _HIGHEST_MARGIN})])
    return (100 * margin / (100 - margin)).quantize(Decimal("0.0001"), ROUND_CEILING).normalize()


def margin_of(added: Decimal) -> Decimal:
    """The percentage of the selling price that remains, when `added` percent are added to the producer's price."""
    return (100 * added / (100 + added)).quantize(Decimal("0.01"), ROUND_HALF_UP) if added > -100 else Decimal(0)


def received_items(tx: Transaction, grant: Grant, *, after: str = "", limit: int = 50) -> list[ReceivedItem]:
    """Returns the items of this grant that the hub may list, ordered by IRI, after the IRI `after`."""
    conditions = (_item.grant_id == grant.id, _item.gone_at.is_(None), _item.iri > after)
    rows = tx.all(select(federation_item).where(*conditions).order_by(_item.iri).limit(limit))
    listed = listings_of(tx, grant.enterprise_id, [row["product_id"] for row in rows])
    products = products_by_id(tx, [row["product_id"] for row in rows])
    lots = lots_by_id(tx, {row["lot_id"] for row in rows})
    statements = statements_by_name(tx, {row["statement"] for row in rows})
    items = []
    for row in rows:
        product, lot = products[row["product_id"]], lots[row["lot_id"]]
        grains = int((lot.free + lot.beyond) * lot.per_unit)
        items.append(
            ReceivedItem(
                iri=row["iri"],
                product_id=product.id,
                name=product.name,
                price=row["price"],
                currency=row["currency"],
                includes_vat=row["includes_vat"],
                provenance=tuple(Hop(*hop) for hop in row["provenance"]),
                proof=_proof(row, statements),
                left=None if lot.unlimited else grains // product.lot_quantity,
                item_ids=tuple(listed.get(product.id, ())),
            )
        )
    return items


def _proof(item: Row, statements: Mapping[str, Row]) -> Proof:
    if len(item["provenance"]) == 1:
        return "direct"
    statement = statements.get(item["statement"])
    return "proved" if statement is not None and statement["origin"] else "unproved"
