"""Values for the parameters of a path: for each route of the application an object of a given enterprise."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, or_, select
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from commensal.api.endpoint import Endpoint
from commensal.api.router import RouteIndex
from commensal.catalogs.tables import catalog, catalog_item, offer
from commensal.enterprises.tables import customer, customer_category, enterprise, enterprise_role
from commensal.orders.tables import customer_order
from commensal.parts.supply.tables import purchase_order
from commensal.payments.tables import counted_till, payment, payment_problem
from commensal.people.actor import OPERATOR
from commensal.people.tables import api_token, person_session
from commensal.products.tables import image, producer_absence, supplied_product
from commensal.sale_sessions.tables import coordination, sale_session
from commensal.stock.tables import stock_lot
from commensal.storage.database import Transaction, metadata
from commensal_bank_transfer.tables import bank_transfer_entry
from commensal_custom_report.tables import custom_report_preset
from commensal_delivery.tables import delivery_slot
from commensal_pickup.tables import pickup_closure, pickup_place, pickup_slot
from commensal_transport.tables import transport_booking, transport_trip, transport_vehicle
from commensal_vouchers.tables import vouchers_voucher
from commensal_webhooks.tables import webhooks_delivery, webhooks_hook

from .settled import Settled

_PARAMETER = re.compile(r"{(\w+)(?::\w+)?}")

# The first row of a table, with the column that names its owner.
_ROWS: Mapping[str, tuple[Table, str]] = {
    "catalog": (catalog, "enterprise_id"),
    "category": (customer_category, "enterprise_id"),
    "closure": (pickup_closure, "place_id"),
    "count": (counted_till, "enterprise_id"),
    "absence": (producer_absence, "enterprise_id"),
    "coordination": (coordination, "coordinator_id"),
    "customer": (customer, "enterprise_id"),
    "delivery": (webhooks_delivery, "hook_id"),
    "entry": (bank_transfer_entry, "enterprise_id"),
    "group": (stock_lot, "enterprise_id"),
    "hook": (webhooks_hook, "enterprise_id"),
    "image": (image, "enterprise_id"),
    "item": (catalog_item, "catalog_id"),
    "lot": (stock_lot, "enterprise_id"),
    "payment": (payment, "enterprise_id"),
    "place": (pickup_place, "enterprise_id"),
    "preset": (custom_report_preset, "enterprise_id"),
    "problem": (payment_problem, "enterprise_id"),
    "product": (supplied_product, "enterprise_id"),
    "purchase_order": (purchase_order, "enterprise_id"),
    "role": (enterprise_role, "enterprise_id"),
    "session": (sale_session, "enterprise_id"),
    "route": (transport_trip, "enterprise_id"),
    "trip": (transport_trip, "enterprise_id"),
    "vehicle": (transport_vehicle, "enterprise_id"),
    "voucher": (vouchers_voucher, "enterprise_id"),
}
_ASKING = ("HEAD", "OPTIONS")  # these methods get what GET gets, without its body
_CALLED = {"proposal": "sale"}  # where a plugin's parameter is not named after its table
_ABOVE = {"place_id": pickup_place, "hook_id": webhooks_hook, "catalog_id": catalog}

# Words without an owner: they name objects below the enterprise of the path.
WORDS = {
    "day": "2020-01-01",
    "scope": "ReadProducts",
    "plugin": "sales",
    "report": "turnover",
    "programme": "fund",
    "sequence": "1",
    "job": "no-job",
    "code": "no-code",
    "nothing": "nothing-here",
    "rest": "nothing-here",
    "peer": "no-peer",
    "message": "no-message",
    "platform": "no-platform",
    "line": "no-line",
    "invitation": "no-invitation",
    "kind": "privacy",
    "picture": "logo",
    "text": "no-text",
    "pairing": "no-pairing",
    "document": "transport.Contacts",
    "provider": "main",
    "identity": "no-identity",
    "member": "no-member",
    "digest": "no-digest",
}


MEMBERS = "members of the enterprise"  # stands for the scope of a page that checks it itself


@dataclass(frozen=True)
class AppRoute:
    """A route of the application: an endpoint of the API, or a page."""

    method: str
    path: str
    endpoint: Endpoint | None = None

    @property
    def parameters(self) -> list[str]:
        return _PARAMETER.findall(self.path)

    @property
    def safe(self) -> bool:
        return self.method == "GET"

    @property
    def scope(self) -> str:
        if self.endpoint is not None:
            return self.endpoint.scope
        if self.path.startswith("/office/instance"):
            return OPERATOR
        return MEMBERS if self.path.startswith("/office/{enterprise}") else "public"

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def to(self, values: Mapping[str, str]) -> str:
        return _PARAMETER.sub(lambda match: values[match[1]], self.path)


def routes_of(app: Starlette, endpoints: list[Endpoint]) -> list[AppRoute]:
    """Returns every route that the application answers, from the application itself; static files have none."""
    by_name = {(endpoint.method, f"/api{endpoint.path}"): endpoint for endpoint in endpoints}
    return [AppRoute(method, path, by_name.get((method, path))) for method, path in _walk(app.routes)]


def _walk(routes: list[BaseRoute], above: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount | RouteIndex):
            yield from _walk(route.routes, above + route.path)
        else:
            assert isinstance(route, Route), f"{route} is not a route that this test knows"
            yield from ((method, above + route.path) for method in sorted(route.methods or ()) if method not in _ASKING)


class Unfilled(LookupError):
    """A route has a parameter without a known value: add it in `filling.py`."""


def fill(tx: Transaction, route: AppRoute, settled: Settled) -> dict[str, str]:
    """Returns the parameters of a route, each naming something of this enterprise. Raises `Unfilled`."""
    return {name: _value(tx, route, name, settled) for name in route.parameters}


def _value(tx: Transaction, route: AppRoute, name: str, settled: Settled) -> str:
    fixed: dict[str, str] = {
        "enterprise": settled.id,
        "shop": settled.id,
        "supplier": settled.id,
        "grantee": settled.id,
        "grantor": settled.id,
        "order": settled.order.id,
        "person": settled.owner.id,
        "user": settled.owner.id,
        "address": settled.id,
        "social": f"{settled.id}.1",
    }
    if name in WORDS:
        return WORDS[name]
    if route.path == "/-/federation/moves/{move}":  # for the person named there: see test_moving_pages.py
        return "no-move"
    if _table_of_parameter(route, name) is None and name in fixed:
        return fixed[name]
    if route.path == "/api/me/sessions/{session}":
        return str(tx.value(select(person_session.c.hash).where(person_session.c.person_id == settled.owner.id)))
    if name in _SPECIAL:
        return str(_SPECIAL[name](tx, route, settled))
    if name not in _ROWS and route.scope == OPERATOR:
        return "nothing-like-it"  # an object of the instance, and of no enterprise
    if name not in _ROWS or (
        _table_of_parameter(route, name) is not None and route.path.startswith("/api/-/federation/")
    ):
        return str(_first_of_its_name(tx, route, name, settled))
    table, owner = _ROWS[name]
    condition = table.c[owner].in_(_ids(_ABOVE[owner], settled)) if owner in _ABOVE else table.c[owner] == settled.id
    return str(_first(tx, table, condition))


def _table_of_parameter(route: AppRoute, name: str) -> Table | None:
    """Returns the table of a plugin that is named after the parameter: ``federation_grant`` for ``{grant}``."""
    plugin = route.path.removeprefix("/api/-/").partition("/")[0]
    return metadata.tables.get(f"{plugin}_{_CALLED.get(name, name)}")


def _first_of_its_name(tx: Transaction, route: AppRoute, name: str, settled: Settled) -> Any:
    table = _table_of_parameter(route, name)
    if table is None or "id" not in table.c:
        raise Unfilled(f"{route}: {{{name}}}")
    if "enterprise_id" in table.c:
        return _first(tx, table, table.c.enterprise_id == settled.id)
    return _first(tx, table, table.c.id.like(f"{settled.id}-%"))  # of those that `settle` made


def _ids(table: Table, settled: Settled) -> Any:
    return select(table.c.id).where(table.c.enterprise_id == settled.id)


def _first(tx: Transaction, table: Table, condition: ColumnElement[bool]) -> Any:
    id = tx.value(select(table.c.id).where(condition).order_by(table.c.id).limit(1))
    assert id is not None, f"there is nothing in {table.name}"
    return id


def _slug(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    return tx.value(select(enterprise.c.slug).where(enterprise.c.id == settled.id))


def _token(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    return _first(tx, api_token, api_token.c.person_id == settled.owner.id)


def _batch(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    batches = select(vouchers_voucher.c.batch_id).where(vouchers_voucher.c.enterprise_id == settled.id)
    return tx.value(batches.where(vouchers_voucher.c.batch_id.is_not(None)).limit(1))


def _offer(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    items = select(catalog_item.c.id).where(catalog_item.c.catalog_id.in_(_ids(catalog, settled)))
    return _first(tx, offer, offer.c.item_id.in_(items))


def _slot(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    if route.path.startswith("/api/-/delivery/"):
        return _first(tx, delivery_slot, delivery_slot.c.enterprise_id == settled.id)
    return _first(tx, pickup_slot, pickup_slot.c.place_id.in_(_ids(pickup_place, settled)))


def _secret(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    """The holder of a link's secret may use it, so the attempt uses what others could know: the id of the object."""
    if "/places/" in route.path:
        return _first(tx, pickup_place, pickup_place.c.enterprise_id == settled.id)
    guest_orders = and_(customer_order.c.enterprise_id == settled.id, customer_order.c.person_id.is_(None))
    return _first(tx, customer_order, guest_orders)


def _booking(tx: Transaction, route: AppRoute, settled: Settled) -> Any:
    own = or_(transport_booking.c.sender_id == settled.id, transport_booking.c.receiver_id == settled.id)
    return _first(tx, transport_booking, own)


_SPECIAL: Mapping[str, Callable[[Transaction, AppRoute, Settled], Any]] = {
    "offer": _offer,
    "booking": _booking,
    "slug": _slug,
    "token": _token,
    "batch": _batch,
    "slot": _slot,
    "secret": _secret,
}
