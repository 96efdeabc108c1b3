"""Orders over HTTP: POST places an order, PUT amends, completes or cancels it, GET shows what will be delivered.

A platform sees its own orders and changes them with WriteOrders; people of the enterprise see all orders that came this
way. A repeated request, recognised by its Idempotency-Key or by the order's own IRI, places no second order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from starlette.responses import Response
from starlette.routing import BaseRoute

from commensal import (
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    SoldOut,
    Transaction,
    customer_by_id,
    enterprise_by_id,
    person_by_id,
)
from commensal.pages import Visit

from ..runtime import federation_of
from .accounts import identities
from .containers import is_in_containers
from .layouts import layout_of
from .order_document import enterprise_of_order, order_things, read_order
from .orders import PlatformOrder, RequestedOrder, platform_order, platform_orders, requested_lines, sellers_of
from .placing import PlatformBuyer, amend_platform_order, place_platform_order
from .responses import base_of, dfc_page, dfc_response, read_body, requested_address
from .scopes import Scope, caller_access, demand_owner, demand_scope, has_scope, refuse_anonymous, requested_enterprise

_TRIES = 4  # to get the last pieces while others order at the same moment
_PAGE = 25  # orders
_LONGEST_KEY = 255
T = TypeVar("T")


def order_routes() -> Sequence[BaseRoute]:
    """Routes of orders in all layouts; see `layouts`."""
    lists = ("/api/dfc/enterprises/{enterprise}/orders", "/api/dfc/Enterprises/{enterprise}/Orders")
    return [
        *(dfc_page(path, orders, "GET", "POST") for path in lists),
        dfc_page("/api/dfc/orders", orders_of_anybody, "GET", "POST"),
        dfc_page("/api/dfc/supplied_products", orders_of_anybody, "POST"),
        *(dfc_page(f"{path}/{{order}}", order, "GET", "PUT", "DELETE") for path in (*lists, "/api/dfc/orders")),
        dfc_page("/api/dfc/supplied_products/{order}", order, "DELETE"),
    ]


def orders(visit: Visit) -> Response:
    if visit.request.method == "POST":
        with visit.read() as tx:
            enterprise = requested_enterprise(visit, tx)
        return _post(visit, enterprise.id)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, requested_enterprise(visit, tx).id, "ReadOrders")
        return _list(visit, tx, [enterprise.id], _senders(visit) if visit.actor.client else None)


def orders_of_anybody(visit: Visit) -> Response:
    """Places an order at the enterprise whose sale, or else whose offers, the document names. GET lists the caller's
    own orders at all enterprises where the caller may still read them."""
    refuse_anonymous(visit)
    if visit.request.method == "GET":
        senders = _senders(visit)
        with visit.read() as tx:
            readable = [id for id in sellers_of(tx, senders) if has_scope(visit, tx, id, "ReadOrders")]
            return _list(visit, tx, readable, senders)
    sent, base = read_body(visit), base_of(visit)
    with visit.read() as tx:
        enterprise_id = enterprise_of_order(tx, base, sent)
    return _post(visit, enterprise_id)


def _list(visit: Visit, tx: Transaction, enterprise_ids: Sequence[str], senders: Sequence[str] | None) -> Response:
    base, layout = base_of(visit), layout_of(visit)
    after = visit.query.get("after", "")[:100]
    placed = platform_orders(tx, enterprise_ids, senders=senders, after=after, limit=_PAGE)
    orders = [order_things(tx, base, layout_of(visit, row.enterprise_id), row) for row in placed]
    things = {thing.iri: thing for things in orders for thing in things}  # several orders name one sale or product
    response = dfc_response(visit, things.values(), [layout.order(row.id) for row in placed])
    if len(placed) == _PAGE:
        response.headers["Link"] = f'<{base}{visit.request.url.path}?after={placed[-1].id}>; rel="next"'
    return response


def order_response(visit: Visit, tx: Transaction, id: str) -> Response:
    """The order by id as it is now. Raises `NotFound` for one that the caller did not send."""
    return _answer(visit, tx, own_order(visit, tx, platform_order(tx, id), "ReadOrders"))


def own_order(visit: Visit, tx: Transaction, placed: PlatformOrder, scope: Scope) -> PlatformOrder:
    """The order, if the caller sent it and has the scope. Raises `NotFound` for one of another platform, and for one at
    another enterprise than that in the path."""
    if visit.actor.client and placed.sender not in _senders(visit):
        raise _no_order()
    demand_owner(visit, tx, placed.enterprise_id)
    demand_scope(visit, tx, placed.enterprise_id, scope)
    return placed


def order(visit: Visit) -> Response:
    base, order_id = base_of(visit), visit.path.get("order") or visit.path["product"]
    with visit.read() as tx:
        refuse_anonymous(visit)
        response = order_response(visit, tx, order_id)
        if visit.request.method == "GET":
            return response
        placed = own_order(visit, tx, platform_order(tx, order_id), "WriteOrders")
    sent = None if visit.request.method == "DELETE" else read_body(visit)

    def request(tx: Transaction) -> RequestedOrder:
        if sent is None:
            return _CANCELLED
        requested = read_order(tx, base, placed.enterprise_id, sent)
        if requested.lines or not is_in_containers(visit.request.url.path):
            return requested
        return replace(requested, lines=requested_lines(platform_order(tx, placed.id)))  # they have a list of their own

    changed = amend_order(visit, placed, request)
    with visit.read() as tx:
        return _answer(visit, tx, changed)


def amend_order(visit: Visit, placed: PlatformOrder, request: Callable[[Transaction], RequestedOrder]) -> PlatformOrder:
    """Changes the order to what is requested now. `request` reads that in the transaction that changes the order."""

    def amend(tx: Transaction) -> PlatformOrder:
        enterprise, requested = enterprise_by_id(tx, placed.enterprise_id), request(tx)
        buyer = _buyer(visit, tx, enterprise, requested)
        return amend_platform_order(tx, visit.instance.hooks, placed, buyer, requested)

    return _try(visit, amend)


_CANCELLED = RequestedOrder(
    iri="", state="Cancelled", session_id="", closes_at=None, ordered_by="", name="", email="", phone="", lines=()
)


def _post(visit: Visit, enterprise_id: str) -> Response:
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, enterprise_id, "WriteOrders")
    sent = read_body(visit)

    def take(tx: Transaction) -> tuple[PlatformOrder, bool]:
        requested = read_order(tx, base, enterprise.id, sent)
        buyer = _buyer(visit, tx, enterprise, requested)
        key = _key(visit) or requested.iri
        return place_platform_order(tx, visit.instance.hooks, enterprise.id, buyer, requested, key=key, body=visit.body)

    placed, new = _try(visit, take)
    with visit.read() as tx:
        response = _answer(visit, tx, placed, 201 if new else 200)
    response.headers["Location"] = requested_address(visit, layout_of(visit).order(placed.id))
    return response


def _try(visit: Visit, change: Callable[[Transaction], T]) -> T:
    """Runs the change; retries if others took the last pieces between reading the stock and holding it."""
    for _ in range(_TRIES - 1):
        try:
            with visit.write() as tx:
                return change(tx)
        except SoldOut:
            continue
    with visit.write() as tx:
        return change(tx)


def _answer(visit: Visit, tx: Transaction, placed: PlatformOrder, status: int = 200) -> Response:
    things = order_things(tx, base_of(visit), layout_of(visit, placed.enterprise_id), placed)
    return dfc_response(visit, things, status=status)


def _no_order() -> NotFound:
    return NotFound("no_order", "There is no such order.")


def _senders(visit: Visit) -> tuple[str, ...]:
    """All as whom the caller may have ordered."""
    return identities(visit.actor.client) or (f"person:{visit.actor.person_id}",)


def _buyer(visit: Visit, tx: Transaction, enterprise: Enterprise, requested: RequestedOrder) -> PlatformBuyer:
    """The customer that the enterprise chose for the platform, else the one in the document, else the sender itself."""
    name, email, customer, sender = requested.name, requested.email, None, _senders(visit)[0]
    if visit.actor.client:
        federation = federation_of(visit.instance)
        access = caller_access(federation, tx, enterprise.id, visit.actor.client)
        sender, name, email = access.id, name or access.name, email or access.email
        if access.customer_id is not None:
            customer = customer_by_id(tx, enterprise.id, access.customer_id)
            name, email = requested.name or customer.name, customer.email
    elif not email:
        person = person_by_id(tx, visit.actor.person_id or "")
        name, email = name or person.name, person.email
    return PlatformBuyer(
        sender=sender,
        customer=customer,
        name=name[:100],
        email=email,
        phone=requested.phone,
        language=enterprise.language,
    )


def _key(visit: Visit) -> str:
    key = visit.request.headers.get("idempotency-key", "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        text = "An Idempotency-Key has between 1 and {most} printable characters."
        raise Invalid([Problem("idempotency_key", text, "Idempotency-Key", {"most": _LONGEST_KEY})])
    return f"key:{key}" if key else ""
