"""Orders over HTTP: POST places one, PUT amends or completes or cancels it, GET says what comes of it.

A platform sees and changes its own orders, which it needs WriteOrders for; people of the enterprise see all that came
this way. The same request, by its Idempotency-Key or by the order's own name, places one order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    Visit,
    customer_by_id,
    order_by_id,
    person_by_id,
)

from ..dfc.iris import line_iri, order_iri
from ..dfc.limits import SENT_IN
from ..dfc.read import read
from ..dfc.vocabulary import DfcLine
from ..runtime import federation_of
from .dfc_answering import base_of, dfc_page, document
from .dfc_asking import asked_enterprise, demand_scope, refuse_nobody
from .order_document import order_things
from .orders import order_of_line, platform_order, platform_orders
from .scopes import known_platform, platform_access
from .taking import Buyer, amend_order, take_order
from .values import PlatformOrder, WantedOrder
from .wishes import enterprise_meant, read_order

_TRIES = 4  # for the last pieces, where others order at the same moment
_PAGE = 25  # orders
_LONGEST_KEY = 255
T = TypeVar("T")


def order_routes() -> Sequence[BaseRoute]:
    """Clients that guess where orders are, as Open Food Network does, find them too: beside the products of a catalogue
    (``/api/dfc/orders``), and below the enterprise in the spelling of the first portals."""
    return [
        dfc_page("/api/dfc/enterprises/{enterprise}/orders", orders, "GET", "POST"),
        dfc_page("/api/dfc/Enterprises/{enterprise}/Orders", orders, "GET", "POST"),
        dfc_page("/api/dfc/orders", orders_of_anybody, "POST"),
        dfc_page("/api/dfc/orders/{order}", order, "GET", "PUT", "DELETE"),
        dfc_page("/api/dfc/order_lines/{line}", line),
    ]


def orders(visit: Visit) -> Response:
    if visit.request.method == "POST":
        with visit.read() as tx:
            enterprise = asked_enterprise(visit, tx)
        return _post(visit, enterprise.id)
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, asked_enterprise(visit, tx).id, "ReadOrders")
        sender = _sender(visit) if visit.actor.client else None
        after = visit.query.get("after", "")[:100]
        found = platform_orders(tx, enterprise.id, sender=sender, after=after, limit=_PAGE)
        things = [
            thing
            for one in found
            for thing in order_things(base, one, order_by_id(tx, one.order_id, enterprise_id=enterprise.id))
        ]
    response = document(visit, things, [order_iri(base, one.id) for one in found])
    if len(found) == _PAGE:
        response.headers["Link"] = f'<{base}{visit.request.url.path}?after={found[-1].id}>; rel="next"'
    return response


def orders_of_anybody(visit: Visit) -> Response:
    """The enterprise is that whose sale is named, or else whose offers are wanted."""
    refuse_nobody(visit)
    said, base = read(visit.body, limits=SENT_IN), base_of(visit)
    with visit.read() as tx:
        enterprise_id = enterprise_meant(tx, base, said)
    return _post(visit, enterprise_id)


def order(visit: Visit) -> Response:
    base = base_of(visit)
    with visit.read() as tx:
        refuse_nobody(visit)
        known = _own(visit, tx, platform_order(tx, visit.path["order"]))
        enterprise = demand_scope(visit, tx, known.enterprise_id, "ReadOrders")
        if visit.request.method == "GET":
            return _answer(visit, tx, known)
        demand_scope(visit, tx, known.enterprise_id, "WriteOrders")
    said = None if visit.request.method == "DELETE" else read(visit.body, limits=SENT_IN)

    def amend(tx: Transaction) -> PlatformOrder:
        wanted = _CANCELLED if said is None else read_order(tx, base, enterprise.id, said)
        return amend_order(tx, visit.instance.hooks, known, _buyer(visit, tx, enterprise, wanted), wanted)

    changed = _try(visit, amend)
    with visit.read() as tx:
        return _answer(visit, tx, changed)


def line(visit: Visit) -> Response:
    base = base_of(visit)
    with visit.read() as tx:
        refuse_nobody(visit)
        known = _own(visit, tx, order_of_line(tx, visit.path["line"]))
        demand_scope(visit, tx, known.enterprise_id, "ReadOrders")
        found = order_things(base, known, order_by_id(tx, known.order_id, enterprise_id=known.enterprise_id))
        here = line_iri(base, visit.path["line"])
        return document(visit, [one for one in found if isinstance(one, DfcLine) and one.iri == here])


_CANCELLED = WantedOrder(
    iri="", state="Cancelled", session_id="", closes_at=None, ordered_by="", name="", email="", phone="", lines=None
)


def _post(visit: Visit, enterprise_id: str) -> Response:
    base = base_of(visit)
    with visit.read() as tx:
        enterprise = demand_scope(visit, tx, enterprise_id, "WriteOrders")
    said = read(visit.body, limits=SENT_IN)

    def take(tx: Transaction) -> tuple[PlatformOrder, bool]:
        wanted = read_order(tx, base, enterprise.id, said)
        buyer = _buyer(visit, tx, enterprise, wanted)
        key = _key(visit) or wanted.iri
        return take_order(tx, visit.instance.hooks, enterprise.id, buyer, wanted, key=key, body=visit.body)

    placed, new = _try(visit, take)
    with visit.read() as tx:
        response = _answer(visit, tx, placed, 201 if new else 200)
    response.headers["Location"] = order_iri(base, placed.id)
    return response


def _try(visit: Visit, change: Callable[[Transaction], T]) -> T:
    """Again, where somebody else has taken the last pieces between the look and the grasp."""
    for _ in range(_TRIES - 1):
        try:
            with visit.write() as tx:
                return change(tx)
        except SoldOut:
            continue
    with visit.write() as tx:
        return change(tx)


def _answer(visit: Visit, tx: Transaction, known: PlatformOrder, status: int = 200) -> Response:
    found = order_by_id(tx, known.order_id, enterprise_id=known.enterprise_id)
    return document(visit, order_things(base_of(visit), known, found), status=status)


def _own(visit: Visit, tx: Transaction, known: PlatformOrder) -> PlatformOrder:
    """Raises `NotFound` for an order of another platform."""
    if visit.actor.client and known.sender != _sender(visit):
        raise NotFound("no_order", "There is no such order.")
    return known


def _sender(visit: Visit) -> str:
    return visit.actor.client or f"person:{visit.actor.person_id}"


def _buyer(visit: Visit, tx: Transaction, enterprise: Enterprise, wanted: WantedOrder) -> Buyer:
    """The customer that the enterprise chose for the platform; else who is named; else the platform, or the person."""
    name, email, customer = wanted.name, wanted.email, None
    if visit.actor.client:
        federation = federation_of(visit.instance)
        access = platform_access(federation, tx, enterprise.id, visit.actor.client)
        known = known_platform(federation, visit.actor.client)
        name, email = name or known.name or known.id, email or known.email
        if access.customer_id is not None:
            customer = customer_by_id(tx, enterprise.id, access.customer_id)
            name, email = wanted.name or customer.name, customer.email
    elif not email:
        person = person_by_id(tx, visit.actor.person_id or "")
        name, email = name or person.name, person.email
    return Buyer(
        sender=_sender(visit), customer=customer, name=name[:100], email=email, phone=wanted.phone[:30],
        language=enterprise.language,
    )  # fmt: skip


def _key(visit: Visit) -> str:
    key = visit.request.headers.get("idempotency-key", "")
    if len(key) > _LONGEST_KEY or not key.isprintable():
        text = "An Idempotency-Key has between 1 and {most} printable characters."
        raise Invalid([Problem("idempotency_key", text, "Idempotency-Key", {"most": _LONGEST_KEY})])
    return f"key:{key}" if key else ""
