"""New products over HTTP: POST to an enterprise's list of products, by the import of documents; all of them or none."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from commensal import Conflict, Enterprise, Invalid, Problem, Transaction
from commensal.pages import Visit
from commensal.parts.product_lists import Defaults
from commensal.products import products_of

from ..dfc.importing import DfcReport, import_document
from ..dfc.iris import local_id
from ..dfc.paths import Paths
from ..dfc.read import DfcDocument
from ..dfc.vocabulary import DfcItem
from ..linked_catalogues.pictures import enqueue_pictures
from .access import demand_scope, requested_enterprise
from .goods import goods_of_products, goods_things
from .layouts import layout_of
from .responses import base_of, dfc_response, read_sent, requested_address

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
    with visit.write() as tx:
        seller = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "WriteProducts")
        created = _create(visit, tx, seller, document, paths)
    with visit.read() as tx:
        goods = goods_of_products(visit, tx, seller, created)
        response = dfc_response(visit, goods_things(visit, tx, goods), status=201)
    response.headers["Location"] = requested_address(visit, layout_of(visit, seller.id).product(created[0]))
    return response


def _create(visit: Visit, tx: Transaction, seller: Enterprise, document: DfcDocument, paths: Paths) -> list[str]:
    """Returns the ids of the new products. Raises `Invalid` with every mistake and its place, and `Conflict`."""

    def take_in(*, dry_run: bool) -> DfcReport:
        return import_document(
            tx,
            base_of(visit),
            seller,
            document,
            defaults=Defaults(),
            catalog_id=_catalog_in(visit, document),
            person_id=visit.actor.person_id,
            dry_run=dry_run,
        )

    wrong = [finding.problem for finding in document.findings if finding.weight == "wrong"]
    problems = [*wrong, *take_in(dry_run=True).list_report.problems]
    if problems:
        raise Invalid([_located(problem, paths) for problem in problems])
    latest = tx.new_id()
    taken = take_in(dry_run=False)
    report = taken.list_report
    enqueue_pictures(tx, taken.pictures)
    if report.changed or report.unchanged:
        text = "Some of these products are here already. Change each at its own address."
        raise Conflict("exists", text)
    return [stocked.product.id for stocked in products_of(tx, seller.id, after=latest, limit=_MOST)]


def _catalog_in(visit: Visit, document: DfcDocument) -> str | None:
    """The catalog in which the document lists its goods; None for the only one of the enterprise."""
    iris = {iri for item in document.all(DfcItem) for iri in item.catalogs}
    ids = [local_id(base_of(visit), iri, "catalogs") for iri in sorted(iris)]
    return next((id for id in ids if id), None)


def _located(problem: Problem, paths: Paths) -> Problem:
    """The problem with its path in the JSON. Its place is the IRI of a thing, with a property behind it or not."""
    iri, _, property = problem.where.partition(" ")
    return replace(problem, where=paths.path_of(iri, property) or problem.where)
