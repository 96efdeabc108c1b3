"""Serves single things at their IRI, with their parts: a catalog page by page, a category, a person."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import NotFound, demand, list_categories, person_by_id
from commensal.catalogs import Catalog, catalog_by_id, items_of
from commensal.pages import Visit
from commensal.people import SELF
from commensal.sale_sessions import whose
from commensal.stock import lots_by_id

from ..dfc.iris import person_iri, product_list_iri
from ..dfc.vocabulary import DfcPerson
from .access import demand_owner, demand_scope, refuse_anonymous
from .export import catalog_thing, category_thing, groups_of, product_thing
from .goods import goods_of_items, goods_things, sizes_of_lot
from .prices import is_for_caller
from .responses import base_of, dfc_page, dfc_response

_PAGE, _MOST = 200, 1_000  # items of a catalog


def single_routes() -> Sequence[BaseRoute]:
    """Routes of single things; `iris.py` has the IRIs."""
    return [
        dfc_page("/api/dfc/product_groups/{group}", product_group),
        dfc_page("/api/dfc/catalogs/{catalog}", catalog),
        dfc_page("/api/dfc/customer_categories/{category}", category),
        dfc_page("/api/dfc/persons/{person}", person),
    ]


def product_group(visit: Visit) -> Response:
    """The product that several sizes share, with those sizes that the caller may see."""
    base, lot_id = base_of(visit), visit.path["group"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        lot = lots_by_id(tx, [lot_id]).get(lot_id)
        if lot is None:
            raise NotFound
        enterprise = demand_scope(visit, tx, lot.enterprise_id, "ReadProducts")
        sizes = sizes_of_lot(visit, tx, enterprise, lot_id)
        group = groups_of(base, sizes).get(lot_id)
        declared = tx.plugin_fields.products
    if group is None:
        raise NotFound
    list_iri = product_list_iri(base)
    products = [product_thing(base, size, enterprise.currency, declared, list_iri, group) for size in sizes]
    return dfc_response(visit, [group, *products])


def catalog(visit: Visit) -> Response:
    """A catalog with a page of its items (``?limit=``) sorted by id; ``?after=`` the last id of the page before."""
    base, catalog_id = base_of(visit), visit.path["catalog"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "catalog", catalog_id), "ReadProducts")
        demand_owner(visit, tx, enterprise.id)
        limit = _limit(visit)
        items = items_of(tx, enterprise.id, catalog_id, after=visit.query.get("after", "")[:100], limit=limit)
        catalog: Catalog = catalog_by_id(tx, enterprise.id, catalog_id)
        goods = goods_of_items(visit, tx, enterprise, items)
        things = {thing.iri: thing for thing in (catalog_thing(base, catalog), *goods_things(visit, tx, goods))}
    response = dfc_response(visit, things.values())
    if len(items) == limit:
        url = f"{base}{visit.request.url.path}"
        response.headers["Link"] = f'<{url}?after={items[-1].id}&limit={limit}>; rel="next"'
    return response


def category(visit: Visit) -> Response:
    category_id = visit.path["category"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        enterprise = demand_scope(visit, tx, whose(tx, "category", category_id), "ReadEnterprise")
        demand_owner(visit, tx, enterprise.id)
        if not is_for_caller(visit, tx, enterprise.id, category_id):
            raise NotFound
        (category,) = (category for category in list_categories(tx, enterprise.id) if category.id == category_id)
    return dfc_response(visit, [category_thing(base_of(visit), category)])


def person(visit: Visit) -> Response:
    """A person may read only themselves: an enterprise's customers are not served in DFC."""
    with visit.read() as tx:
        refuse_anonymous(visit)
        if visit.actor.person_id != visit.path["person"]:
            raise NotFound
        demand(tx, visit.actor, SELF)
        person = person_by_id(tx, visit.path["person"])
    first, _, family = person.name.rpartition(" ")
    base = base_of(visit)
    thing = DfcPerson(iri=person_iri(base, person.id), first_name=first, family_name=family, email=person.email)
    return dfc_response(visit, [thing])


def _limit(visit: Visit) -> int:
    limit = visit.query.get("limit", "")
    return min(max(int(limit), 1), _MOST) if limit.isascii() and limit.isdecimal() and len(limit) < 6 else _PAGE
