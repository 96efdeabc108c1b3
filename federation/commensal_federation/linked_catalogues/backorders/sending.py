"""Sends orders to platforms: one step at a time, each of one or two requests, without a lock meanwhile.

A first request that may have arrived is never repeated before the platform's list of orders was checked: a new order
there, of the same goods, is ours. All attempts have the same Idempotency-Key too, for platforms that support it.

DFC has no discovery of addresses for orders that all platforms implement. Some answer ``/.well-known/dfc/`` with paths
by scope; for others the address is derived from the catalogue's, as Open Food Network does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urljoin, urlsplit

import msgspec

from commensal import Conflict, Instance, Job, Transaction, enterprise_by_id
from commensal.products import products_by_id

from ...dfc.findings import UnreadableDocument
from ...dfc.iris import enterprise_iri, session_iri
from ...dfc.names import compact
from ...dfc.read import DfcDocument, parse
from ...dfc.vocabulary import DfcOrder
from ...runtime import Federation, federation_of
from ..client import DfcAnswer, DfcClient
from ..links import access_of
from ..pages import next_page
from ..values import Access, NotAnswered, origin_of
from .answers import store_answer, store_failure, store_nothing_ordered
from .documents import Buyer, PlatformAnswer, document_of, empty_answer, may_be_ours, read_answer, read_order
from .due import enqueue_due
from .plan import reopen, update_backorder
from .questions import backorder_of, known_iris, locked_backorder
from .values import Backorder, State

_PAGES = 6  # of a platform's list of orders
_NEVER = (400, 401, 403, 404, 405, 406, 410, 411, 413, 415, 422)  # statuses that prove that nothing was ordered
_NOTHING = (
    409,
    "nothing",
)  # the refusal of this software's instances if none of the goods is available: no order was created
_NO_LIST = (403, 404, 405, 501)
Step = Literal["create", "amend", "look"]
_WELL_KNOWN = "/.well-known/dfc/"
_OF_ONE = re.compile(r"(?P<front>.*/(?:enterprises|organizations|Enterprises)/(?P<id>[^/?#]{1,200}))(?:[/?#].*)?")
_PRODUCTS = re.compile(r"/(SuppliedProducts|CatalogItems|supplied_products|catalog_items)(?:[/?#].*)?$")


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The next step of an order. `cases`: to be sent, by `product_iri`; `own_iris`: IRIs of our orders there."""

    step: Step
    backorder: Backorder
    state: State
    cases: Mapping[str, int]
    access: Access
    buyer: Buyer
    own_iris: frozenset[str]


def send_backorder(instance: Instance, job: Job) -> None:
    """Takes the next step of one order; the job's payload is ``{"backorder": id}``."""
    federation = federation_of(instance)
    with instance.store.write() as tx:
        task = _task(federation, tx, job.payload["backorder"])
    if task is None:
        return
    try:
        answer = _STEPS[task.step](federation, task)
    except NotAnswered as error:
        with instance.store.write() as tx:
            store_failure(tx, task.backorder.id, error, nothing_ordered=_is_refusal(task, error))
        return
    with instance.store.write() as tx:
        if answer is None:
            store_nothing_ordered(tx, task.backorder.id)
        else:
            store_answer(federation, tx, task.backorder.id, answer, task.state)


def _task(federation: Federation, tx: Transaction, id: str) -> NextStep | None:
    backorder = locked_backorder(tx, id)
    if backorder is None or backorder.parked_at is not None:
        return None
    step: Step = (
        "look" if backorder.iri and not backorder.has_unsent_changes else "amend" if backorder.iri else "create"
    )
    if step == "create" and not backorder.has_unsent_changes:
        update_backorder(tx, backorder, due_at=None, claimed_until=None)
        return None
    hub = enterprise_by_id(tx, backorder.enterprise_id)
    products = products_by_id(tx, [line.product_id for line in backorder.lines])
    buyer = Buyer(
        iri=enterprise_iri(federation.base, hub.id),
        name=hub.name,
        email=hub.email,
        session_iri=session_iri(federation.base, backorder.session_id),
        prices_include_vat=hub.prices_include_vat,
        rates={id: product.vat_rate for id, product in products.items()},
    )
    sent = {line.product_iri: line.said or 0 for line in backorder.lines}
    cases = {line.product_iri: line.cases for line in backorder.lines}
    amends = step == "amend"
    return NextStep(
        step=step,
        backorder=backorder,
        buyer=buyer,
        access=access_of(tx, backorder.link_id),
        state=backorder.target if amends else "Held" if step == "create" else _last_state(backorder),
        cases=cases if amends else sent,
        own_iris=known_iris(tx, backorder.link_id),
    )


def _last_state(backorder: Backorder) -> State:
    return "Complete" if backorder.said_state == "Complete" else "Held"


# ------------------------------------------------------------------------------------------------ steps


def _create(federation: Federation, task: NextStep) -> PlatformAnswer | None:
    """Checks whether the order is there already, and creates it otherwise. Returns None if nothing is ordered."""
    client = _client(federation, task)
    backorder = task.backorder
    url = backorder.url or _order_url(client)
    orders = _listed_orders(client, url)
    if backorder.posting:
        if orders is None:
            text = "It is not known whether the order has arrived, and {url} lists no orders: look there, then retry."
            raise NotAnswered("unknown", text, url=url)
        for document, order in orders:
            existing = _read_if_ours(client, task, document, order)
            if existing is not None:
                return existing
        if not backorder.has_pieces:
            return None
    else:
        started = _start_posting(federation, task, url, tuple(order.iri for _, order in orders or ()))
        if started is None:
            return None
        task = started
    document = document_of(task.backorder, task.buyer, "Held", task.cases, client.access)
    try:
        answer = client.send("POST", url, document, key=task.backorder.key)
    except NotAnswered as error:
        if (error.answered, error.problem) != _NOTHING:
            raise
        return empty_answer(task.backorder, task.cases)
    return read_answer(client, task.backorder, answer, task.cases, task.buyer)


def _start_posting(federation: Federation, task: NextStep, url: str, before: tuple[str, ...]) -> NextStep | None:
    """Stores, before the request, that the order is being placed. Returns None if nothing is ordered any more."""
    with federation.instance.store.write() as tx:
        backorder = locked_backorder(tx, task.backorder.id)
        if backorder is None or backorder.iri or not backorder.has_pieces:
            return None
        lines = tuple(replace(line, said=line.cases) for line in backorder.lines)
        posted = replace(backorder, url=url, key=tx.ids.secret(), posting=True, before=before, lines=lines)
        update_backorder(tx, backorder, lines, url=url, key=posted.key, posting=True, before=list(before))
    return replace(task, backorder=posted, cases={line.product_iri: line.cases for line in lines})


def _amend(federation: Federation, task: NextStep) -> PlatformAnswer:
    """Sends the whole order as it is now. If the platform refuses the change, its own version of the order counts."""
    client = _client(federation, task)
    try:
        return _put(client, task, task.state, task.cases)
    except NotAnswered as error:
        if error.answered != 409:
            raise
    platform_answer = read_answer(client, task.backorder, client.get(task.backorder.iri), task.cases, task.buyer)
    if task.state == "Complete" and platform_answer.state in ("", "Held"):
        cases = {iri: line.cases for iri, line in platform_answer.lines.items()}
        completed = _put(client, task, "Complete", cases)
        return replace(platform_answer, state=completed.state)
    return platform_answer


def _put(client: DfcClient, task: NextStep, state: State, cases: Mapping[str, int]) -> PlatformAnswer:
    sent = cases if state != "Cancelled" else {line.product_iri: line.said or 0 for line in task.backorder.lines}
    document = document_of(task.backorder, task.buyer, state, sent, client.access)
    answer = client.send("PUT", task.backorder.iri, document)
    return read_answer(client, task.backorder, answer, cases, task.buyer)


def _check(federation: Federation, task: NextStep) -> PlatformAnswer:
    """Reads the order at the platform, which may have changed."""
    client = _client(federation, task)
    return read_answer(client, task.backorder, client.get(task.backorder.iri), task.cases, task.buyer)


_STEPS = {"create": _create, "amend": _amend, "look": _check}


# ------------------------------------------------------------------------------------------------ requests


def _client(federation: Federation, task: NextStep) -> DfcClient:
    return DfcClient(federation, task.access)


def _order_url(client: DfcClient) -> str:
    """Returns the address for orders; asked for once for each order."""
    try:
        places = parse(client.get(f"{client.access.origin}{_WELL_KNOWN}").body)
    except NotAnswered as error:
        if error.answered not in (401, 403, 404, 405, 406, 410):
            raise
        places = {}
    except (UnreadableDocument, msgspec.DecodeError):
        places = {}
    return (_declared_order_url(client.access.url, places) if isinstance(places, dict) else "") or _guessed_order_url(
        client.access.url
    )


def _listed_orders(client: DfcClient, url: str) -> list[tuple[DfcDocument, DfcOrder]] | None:
    """Returns the orders at the platform with their documents; None if it gives us no list."""
    orders: list[tuple[DfcDocument, DfcOrder]] = []
    page = url
    for _ in range(_PAGES):
        try:
            answer = client.get(page)
        except NotAnswered as error:
            if error.answered not in _NO_LIST or page != url:
                raise
            return None
        orders += _orders_in(client, answer)
        page = next_page(client, answer)
        if not page:
            break
    return orders


def _orders_in(client: DfcClient, answer: DfcAnswer) -> list[tuple[DfcDocument, DfcOrder]]:
    """Returns the orders on a page; an empty list may be written in any way."""
    try:
        if b"Order" not in answer.body and isinstance(parse(answer.body), (list, dict)):
            return []
    except UnreadableDocument:
        pass  # the client raises it below, with its own text
    document = client.document(answer)
    own_origin = (order for order in document.all(DfcOrder) if origin_of(order.iri) == client.access.origin)
    return [(document, order) for order in own_origin]


def _read_if_ours(client: DfcClient, task: NextStep, document: DfcDocument, order: DfcOrder) -> PlatformAnswer | None:
    """Reads an order there, if it is the one that we sent; else returns None."""
    if order.iri in task.own_iris or order.iri in task.backorder.before:
        return None
    if not may_be_ours(document, order, task.backorder, task.buyer.iri):
        return None
    return read_order(document, order, task.backorder, task.cases, task.buyer, task.access)


def _is_refusal(task: NextStep, error: NotAnswered) -> bool:
    """Whether the first request has certainly ordered nothing."""
    return task.step == "create" and error.answered in _NEVER


def _declared_order_url(url: str, places: Mapping[str, object]) -> str:
    """Returns the address that the platform declares in `places` for the catalogue at `url`; "" without one."""
    for scope, path in places.items():
        if compact(scope) == "scopes:WriteOrders" and isinstance(path, str):
            enterprise = _OF_ONE.fullmatch(url)
            if "{id}" in path and enterprise is None:
                return ""
            return urljoin(url, path.replace("{id}", enterprise["id"] if enterprise else ""))
    return ""


def _guessed_order_url(url: str) -> str:
    """Returns the address beside the products, in the same spelling, else below the enterprise, else below `url`."""
    parts = urlsplit(url)._replace(query="", fragment="").geturl()
    orders = "/Orders" if "/SuppliedProducts" in parts or "/Enterprises/" in parts else "/orders"
    if _PRODUCTS.search(parts):
        return _PRODUCTS.sub(orders, parts)
    enterprise = _OF_ONE.fullmatch(parts)
    return f"{enterprise['front'] if enterprise else parts.rstrip('/')}{orders}"


# Retries an order that a person has looked at.


def retry_backorder(tx: Transaction, enterprise_id: str | None, id: str) -> Backorder:
    """Sends an order again now and returns it. `enterprise_id` None: an order of any enterprise.

    An order that the platform has cancelled is placed anew. One that may have arrived is sent again: the person has
    checked at the platform. Raises `NotFound`, and `Conflict` for an order without failures or unsent changes.
    """
    existing = backorder_of(tx, enterprise_id, id)
    order = locked_backorder(tx, existing.id)
    assert order is not None
    if order.parked_at is not None and order.said_state == "Cancelled":
        order = reopen(tx, order)
    elif order.parked_at is None and not order.failures and not order.has_unsent_changes:
        raise Conflict("nothing_to_tell", "The platform knows of this order as it is.")
    send_again = order.parked_at is not None and not order.iri
    update_backorder(
        tx,
        order,
        parked_at=None,
        failures=0,
        failing_since=None,
        due_at=tx.now,
        posting=order.posting and not send_again,
    )
    enqueue_due(tx, session_id=order.session_id)
    return backorder_of(tx, enterprise_id, id)
