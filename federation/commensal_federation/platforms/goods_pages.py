"""Goods over HTTP: GET shows a product, an item, an offer or a lot; PUT and PATCH set what a document says of it.

Farm software keeps its stock and prices here in this way. Who changes goods says which state was seen (If-Match), so
that nobody overwrites an order or a colleague. PUT and PATCH are the same, as at Open Food Network: what a document
does not say stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import Conflict, Enterprise, Invalid, Problem, Stale, StockLot, Transaction
from commensal.catalogs import change_item, set_price
from commensal.pages import Visit
from commensal.parts.product_lists import Defaults
from commensal.products import change_product, products_of, set_rate
from commensal.stock import change_lot, count_stock, lock_lots, lots_by_id

from ..dfc.findings import Paths
from ..dfc.importing import PlannedGoodsImport, plan_document
from ..dfc.iris import local_id
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcItem
from ..linked_catalogues.pictures import enqueue_pictures
from ..runtime import federation_of
from .goods import (
    FindGoods,
    Goods,
    goods_of_item,
    goods_of_listed_product,
    goods_of_lot,
    goods_of_offer,
    goods_of_product,
    goods_of_products,
    goods_things,
)
from .goods_changes import GoodsChanges, GoodsReader
from .layouts import layout_of
from .order_pages import order, order_response
from .orders import is_platform_order
from .responses import ChangedMeanwhile, base_of, demand_match, dfc_page, dfc_response, read_sent, requested_address
from .scopes import caller_access, demand_scope, refuse_anonymous, requested_enterprise

_METHODS = ("GET", "PUT", "PATCH")


def goods_routes() -> Sequence[BaseRoute]:
    """Routes of goods in all layouts; see `layouts`."""
    return [
        dfc_page("/api/dfc/supplied_products/{product}", product, *_METHODS),
        dfc_page("/api/dfc/enterprises/{enterprise}/supplied_products/{product}", listed_product, *_METHODS),
        dfc_page("/api/dfc/Enterprises/{enterprise}/SuppliedProducts/{product}", listed_product, *_METHODS),
        dfc_page("/api/dfc/catalog_items/{item}", item, *_METHODS),
        dfc_page("/api/dfc/enterprises/{enterprise}/catalog_items/{item}", item, *_METHODS),
        dfc_page("/api/dfc/Enterprises/{enterprise}/CatalogItems/{item}", item, *_METHODS),
        dfc_page("/api/dfc/offers/{offer}", offer, *_METHODS),
        dfc_page("/api/dfc/enterprises/{enterprise}/offers/{offer}", offer, *_METHODS),
        dfc_page("/api/dfc/Enterprises/{enterprise}/Offers/{offer}", offer, *_METHODS),
        dfc_page("/api/dfc/stocks/{lot}", stock, *_METHODS),
    ]


def product(visit: Visit) -> Response:
    """A product as its producer lists it. An order that was sent to the address of the products is below that address
    too."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        is_order = is_platform_order(tx, visit.path["product"])
        if is_order and visit.request.method == "GET":
            return order_response(visit, tx, visit.path["product"])
    return order(visit) if is_order else _answer(visit, goods_of_product, "dfc-b:SuppliedProduct")


def listed_product(visit: Visit) -> Response:
    return _answer(visit, goods_of_listed_product, "dfc-b:SuppliedProduct")


def item(visit: Visit) -> Response:
    return _answer(visit, goods_of_item, "dfc-b:CatalogItem")


def offer(visit: Visit) -> Response:
    return _answer(visit, goods_of_offer, "dfc-b:Offer")


def stock(visit: Visit) -> Response:
    """A lot with all its sizes. Its quantity may still be ordered."""
    return _answer(visit, goods_of_lot, "dfc-b:TheoreticalStock")


def _answer(visit: Visit, find: FindGoods, type_name: str) -> Response:
    if visit.request.method != "GET":
        with visit.read() as tx:
            find(visit, tx, "WriteProducts")
        document, paths = read_sent(visit, f"{base_of(visit)}{visit.request.url.path}", type_name)
        with visit.write() as tx:
            _write(visit, tx, find, document, paths)
    with visit.read() as tx:
        return dfc_response(visit, goods_things(visit, tx, find(visit, tx, "ReadProducts")))


def _write(visit: Visit, tx: Transaction, find: FindGoods, document: DfcDocument, paths: Paths) -> None:
    """Sets what the document says, all of it or nothing. Nobody orders of these lots meanwhile."""
    lock_lots(tx, {stocked.lot.id for stocked in find(visit, tx, "WriteProducts").products.values()})
    goods = find(visit, tx, "WriteProducts")
    demand_match(visit, goods_things(visit, tx, goods))
    changes = GoodsReader(base_of(visit), goods, document, paths, tx.plugin_fields.products).changes()
    try:
        _apply(tx, goods, changes, person_id=visit.actor.person_id, note=_sender_name(visit, tx, goods.seller.id))
    except Stale as error:  # somebody changed it in the office at the same moment
        raise ChangedMeanwhile from error


def _apply(tx: Transaction, goods: Goods, changes: GoodsChanges, *, person_id: str | None, note: str) -> None:
    """Runs the same commands as the office and the JSON API. `note` is for the journal of the stock."""
    seller = goods.seller
    items = {item.id: item for item in goods.items}
    today = seller.date_at(tx.now)
    with _Places(changes) as at:
        for product_id, content in changes.products.items():
            at.id = product_id
            change_product(tx, seller.id, product_id, goods.products[product_id].product.version, **content)
        for product_id, rate in changes.rates.items():
            at.id = product_id
            set_rate(tx, seller.id, product_id, rate, today)
        for item_id, values in changes.items.items():
            at.id = item_id
            change_item(tx, seller.id, item_id, items[item_id].version, **values)
        for (item_id, category_id), price in changes.prices.items():
            at.id = item_id
            seen = {offer.category_id: offer.version for offer in items[item_id].offers}.get(category_id, 0)
            set_price(tx, seller.id, item_id, price, category_id=category_id, version=seen)
        for lot_id, lot in lots_by_id(tx, changes.stocks).items():
            at.id = lot_id
            _set_stock(tx, lot, changes.stocks[lot_id], person_id=person_id, note=note)


class _Places:
    """Names in errors of commands the place in the document of the value that is wrong. `id` is that of the thing."""

    def __init__(self, changes: GoodsChanges) -> None:
        self._places, self.id = changes.places, ""

    def __enter__(self) -> _Places:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Invalid):
            problems = [
                replace(each, where=self._places.get((self.id, each.where.strip("/").partition("/")[0]), each.where))
                for each in error.problems
            ]
            raise Invalid(problems) from error


def _set_stock(tx: Transaction, lot: StockLot, free: Decimal | None, *, person_id: str | None, note: str) -> None:
    """Sets what may still be ordered, in the lot's unit; what is ordered or lent to others is there besides.

    Raises `Conflict` if a lot of which a part is lent is to be unlimited.
    """
    if free is None:
        change_lot(tx, lot.enterprise_id, lot.id, lot.version, unlimited=True, person_id=person_id)
        return
    if lot.unlimited:
        change_lot(tx, lot.enterprise_id, lot.id, lot.version, unlimited=False, person_id=person_id)
    on_hand = free + lot.reserved + lot.lent
    count_stock(tx, lot.enterprise_id, lot.id, on_hand, note=note, person_id=person_id)


def _sender_name(visit: Visit, tx: Transaction, enterprise_id: str) -> str:
    if not visit.actor.client:
        return ""
    return caller_access(federation_of(visit.instance), tx, enterprise_id, visit.actor.client).name


# New products over HTTP: POST to an enterprise's list of products, by the import of documents; all of them or none.

_NEW = "_:new"  # the blank node of a product whose document gives it no name
_MOST = 1_000  # products


def create_products(visit: Visit) -> Response:
    """Creates the products of a document with their stock, items and prices. `Location` is the first one's address.

    A product that is here already, by its address, its sku, or its name and size, is refused: it has an address of its
    own, where its present state is seen before it is changed.
    """
    with visit.read() as tx:
        demand_scope(visit, tx, requested_enterprise(visit, tx).id, "WriteProducts")
        document, paths = read_sent(visit, _NEW, "dfc-b:SuppliedProduct")
        before_all = tx.new_id()  # those of the new products follow
        planned = _plan(visit, tx, requested_enterprise(visit, tx), document, paths)
    with visit.write() as tx:
        seller = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "WriteProducts")
        enqueue_pictures(tx, planned.commit(tx, person_id=visit.actor.person_id).pictures)
        created = [stocked.product.id for stocked in products_of(tx, seller.id, after=before_all, limit=_MOST)]
    with visit.read() as tx:
        goods = goods_of_products(visit, tx, seller, created)
        response = dfc_response(visit, goods_things(visit, tx, goods), status=201)
    response.headers["Location"] = requested_address(visit, layout_of(visit, seller.id).product(created[0]))
    return response


def _plan(visit: Visit, tx: Transaction, seller: Enterprise, document: DfcDocument, paths: Paths) -> PlannedGoodsImport:
    """What the document would create. Raises `Invalid` with every mistake and its place, and `Conflict`."""
    planned = plan_document(
        tx, base_of(visit), seller, document, defaults=Defaults(), catalog_id=_catalog_in(visit, document)
    )
    report = planned.report.list_report
    wrong = [finding.problem for finding in document.findings if finding.weight == "wrong"]
    problems = [*wrong, *report.problems]
    if problems:
        raise Invalid([_located(problem, paths) for problem in problems])
    if report.changed or report.unchanged:
        text = "Some of these products are here already. Change each at its own address."
        raise Conflict("exists", text)
    return planned


def _catalog_in(visit: Visit, document: DfcDocument) -> str | None:
    """The catalog in which the document lists its goods; None for the only one of the enterprise."""
    iris = {iri for item in document.all(DfcItem) for iri in item.catalogs}
    ids = [local_id(base_of(visit), iri, "catalogs") for iri in sorted(iris)]
    return next((id for id in ids if id), None)


def _located(problem: Problem, paths: Paths) -> Problem:
    """The problem with its path in the JSON. Its place is the IRI of a thing, with a property behind it or not."""
    iri, _, property = problem.where.partition(" ")
    return replace(problem, where=paths.path_of(iri, property) or problem.where)
