"""Sales over HTTP: the sessions of a shop, and each with its offers and the ways to receive the goods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import (
    Enterprise,
    SaleSession,
    ShippingOption,
    Transaction,
    digits,
    list_categories,
    sale_by_id,
    sessions_of_shop,
)
from commensal.catalogs import items_by_id
from commensal.orders import offered_shipping
from commensal.pages import Visit
from commensal.sale_sessions import offers_for, whose

from ..dfc.iris import enterprise_iri, session_iri
from ..dfc.vocabulary import DfcDelivery, DfcOffer, DfcPickup, DfcPlace, Thing
from .export import categories_of
from .goods import goods_of_items, goods_things
from .order_document import session_thing
from .responses import base_of, dfc_page, dfc_response
from .scopes import demand_scope, has_scope, refuse_anonymous, requested_enterprise

_SESSIONS = 100  # on a page
_ITEMS = 200  # on a page


def sale_routes() -> Sequence[BaseRoute]:
    return [
        dfc_page("/api/dfc/enterprises/{enterprise}/sale_sessions", sale_sessions),
        dfc_page("/api/dfc/sale_sessions/{session}", sale_session),
    ]


def sale_sessions(visit: Visit) -> Response:
    """Sales, newest first, closed ones included; ``?after=`` the last id of the page before."""
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadOrders")
        sessions = sessions_of_shop(tx, enterprise.id, after=visit.query.get("after", "")[:100], limit=_SESSIONS)
    response = dfc_response(
        visit,
        [session_thing(base, session) for session in sessions],
        [session_iri(base, session.id) for session in sessions],
    )
    if len(sessions) == _SESSIONS:
        url = f"{enterprise_iri(base, enterprise.id)}/sale_sessions"
        response.headers["Link"] = f'<{url}?after={sessions[-1].id}>; rel="next"'
    return response


def sale_session(visit: Visit) -> Response:
    """A sale with the ways to receive its goods, and with a page of its offers for who may read products; ``?after=``
    the last item of the page before."""
    base = base_of(visit)
    with visit.read() as tx:
        refuse_anonymous(visit)
        seller = demand_scope(visit, tx, whose(tx, "session", visit.path["session"]), "ReadOrders")
        session = sale_by_id(tx, visit.path["session"]).session
        options = offered_shipping(tx, visit.instance.hooks, seller.id, session.id, seller.language)
        item_ids = _items_on_sale(visit, tx, seller, session)
        things = [
            session_thing(base, session),
            *(thing for id, option in options.items() for thing in _option_things(base, seller, session, id, option)),
            *_offers_on_sale(visit, tx, seller, session, item_ids),
        ]
    response = dfc_response(visit, things)
    if len(item_ids) == _ITEMS:
        response.headers["Link"] = f'<{session_iri(base, session.id)}?after={item_ids[-1]}>; rel="next"'
    return response


def _items_on_sale(visit: Visit, tx: Transaction, seller: Enterprise, session: SaleSession) -> list[str]:
    """Ids of a page of the items that the caller may see in the sale; empty for who may not read products."""
    if not has_scope(visit, tx, seller.id, "ReadProducts"):
        return []
    categories = categories_of(visit, tx, seller.id)
    if categories is None:
        categories = frozenset(category.id for category in list_categories(tx, seller.id))
    after = visit.query.get("after", "")[:100]
    return [offer.item_id for offer in offers_for(tx, session.id, categories, after=after, limit=_ITEMS)]


def _offers_on_sale(
    visit: Visit, tx: Transaction, seller: Enterprise, session: SaleSession, item_ids: Sequence[str]
) -> Iterator[Thing]:
    if not item_ids:
        return
    goods = goods_of_items(visit, tx, seller, items_by_id(tx, seller.id, item_ids))
    for thing in goods_things(visit, tx, goods):
        yield (
            replace(thing, sessions=(session_iri(base_of(visit), session.id),))
            if isinstance(thing, DfcOffer)
            else thing
        )


def _option_things(
    base: str, seller: Enterprise, session: SaleSession, id: str, option: ShippingOption
) -> Iterator[Thing]:
    """A way to receive the goods, with its place. `id` is "plugin:option"; the price is in the seller's currency."""
    iri = f"{session_iri(base, session.id)}#{id.replace(':', '.')}"
    place = DfcPlace(iri=f"{iri}.place", name=option.address) if option.address and not option.needs_address else None
    kind = DfcDelivery if option.needs_address else DfcPickup
    yield kind(
        iri=iri,
        name=option.label,
        fee=Decimal(option.price).scaleb(-digits(seller.currency)),
        begins_at=option.begins_at,
        ends_at=option.ends_at,
        session=session_iri(base, session.id),
        place=place.iri if place else None,
    )
    if place:
        yield place
