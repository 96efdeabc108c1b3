"""Reads orders, each function in a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select, union_all

from ..base.errors import Forbidden, NotFound, Unauthorised
from ..enterprises.plugins import enabled_plugins
from ..enterprises.tables import customer, customer_person
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import MenuItem
from ..pricing.values import Address, Adjustment, Phase, PricedLine, VatShare
from ..sale_sessions.tables import sale_session
from ..storage.database import Row, RowQuery, Transaction
from .tables import adjustment, customer_order, order_line, order_link, order_vat
from .values import Identity, Order

_USUAL_ORDERS = 6  # the latest ones, in which a person's usual goods are looked for
# The columns that an order and each of its parts consist of.
_ORDER = [customer_order.c[field.name] for field in fields(Order) if field.name in customer_order.c]
_LINE = [order_line.c[field.name] for field in fields(PricedLine)]
_ADJUSTMENT = [adjustment.c[field.name] for field in fields(Adjustment)]
_SHARE = [order_vat.c[field.name] for field in fields(VatShare)]
# Built once: building a statement costs more than running it, and reading an order needs all of these.
_LINES = select(*_LINE).where(order_line.c.order_id == bindparam("order")).order_by(order_line.c.position)
_ADJUSTMENTS = select(*_ADJUSTMENT).where(adjustment.c.order_id == bindparam("order")).order_by(adjustment.c.position)
_VAT = select(*_SHARE).where(order_vat.c.order_id == bindparam("order"))
_secret = customer_order.alias("secret")
_BY_ID = select(*_ORDER).where(customer_order.c.id == bindparam("order"))
_OF_ENTERPRISE = _BY_ID.where(customer_order.c.enterprise_id == bindparam("owner"))
_mine = customer_order.alias("mine")
_BY_SECRET = select(*_ORDER).where(
    customer_order.c.id
    == func.coalesce(
        select(_secret.c.id).where(_secret.c.secret_hash == bindparam("hash")).scalar_subquery(),
        select(order_link.c.order_id).where(order_link.c.secret_hash == bindparam("hash")).scalar_subquery(),
    )
)


def _opens_to(person_id: str | BindParameter[object], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition on `customer_order` that an order opens to the account of a person, who is logged in.

    A proven order of an account belongs to its customer, and so to everybody in the customer's household; one whose
    identity is typed, or a cart, to the account that placed it. `conditions` are on `_mine`.
    """
    typed = select(_mine.c.id).where(_mine.c.person_id == person_id, _mine.c.identity == Identity.TYPED, *conditions)
    proven = select(_mine.c.id).where(_mine.c.person_id.is_not(None), _mine.c.identity != Identity.TYPED, *conditions)
    own = proven.join(customer, customer.c.id == _mine.c.customer_id).where(customer.c.person_id == person_id)
    shared = proven.join(customer_person, customer_person.c.customer_id == _mine.c.customer_id)
    shared = shared.where(customer_person.c.person_id == person_id)
    return customer_order.c.id.in_(union_all(typed, own, shared))


_OF_PERSON = _BY_ID.where(_opens_to(bindparam("owner"), _mine.c.id == bindparam("order")))
_CHANGEABLE = (
    select(*_ORDER, customer_order.c.secret_hash)
    .where(
        customer_order.c.session_id == bindparam("session"),
        customer_order.c.state == "Held",
        customer_order.c.fulfilment_state != "Fulfilled",
    )
    .order_by(customer_order.c.id.desc())
)
_CHANGEABLE_OF_GUESTS = _CHANGEABLE.where(customer_order.c.person_id.is_(None))
_CHANGEABLE_OF_PERSON = _CHANGEABLE.where(_opens_to(bindparam("owner"), _mine.c.session_id == bindparam("session")))


def order_by_id(
    tx: Transaction, order_id: str, *, enterprise_id: str | None = None, person_id: str | None = None
) -> Order:
    """Returns the order with its lines, if the enterprise owns it or it opens to the person's account. Name exactly
    one of the two.

    Raises `NotFound` otherwise."""
    if (enterprise_id is None) == (person_id is None):
        raise AssertionError("say whose order it is")
    statement = _OF_ENTERPRISE if enterprise_id else _OF_PERSON
    return _read_order(tx, statement, {"order": order_id, "owner": enterprise_id or person_id})


def orders_by_id(tx: Transaction, ids: Collection[str] | Select[tuple[str]]) -> dict[str, Order]:
    """Returns the existing orders among `ids` (or a statement that selects ids), by id, without their lines.

    It does not check who owns them: the caller must.
    """
    rows = tx.all(select(*_ORDER).where(customer_order.c.id.in_(ids)))
    return {row["id"]: _order(row) for row in rows}


def order_by_secret(tx: Transaction, secret_hash: str, *, person_id: str | None = None) -> Order:
    """Returns a guest's order by the hash of the secret that the guest got when ordering or by e-mail.

    An order that has joined an account opens for its owner and their household only; `person_id` is the account that is
    logged in. Raises `NotFound`; `Unauthorised` if the owner must log in, `Forbidden` if another account is logged in.
    """
    order = _read_order(tx, _BY_SECRET, {"hash": secret_hash})
    if order.person_id is None:
        return order
    if person_id is None:
        raise Unauthorised("log_in", "This order belongs to an account now. Log in to see it.")
    if tx.first(_OF_PERSON, {"order": order.id, "owner": person_id}) is not None:
        return order
    raise Forbidden("other_account", "This order belongs to another account. Log out, then log in with that one.")


def orders_of_session(
    tx: Transaction, enterprise_id: str, session_id: str, *, after: str = "", limit: int = 50
) -> list[Order]:
    """Returns placed orders of one shop's session, cancelled ones too, sorted by id, without their lines."""
    order = customer_order
    statement = select(*_ORDER).where(order.c.session_id == session_id, order.c.enterprise_id == enterprise_id)
    statement = statement.where(order.c.state != "Draft", order.c.id > after).order_by(order.c.id).limit(limit)
    return [_order(row) for row in tx.all(statement)]


def orders_of_person(tx: Transaction, person_id: str, *, after: str = "", limit: int = 50) -> list[Order]:
    """Returns the placed orders of a person and their households, newest first, without lines.

    `after` is the last id of the page before."""
    order = customer_order
    statement = select(*_ORDER).where(_opens_to(person_id), order.c.state != "Draft").order_by(order.c.id.desc())
    if after:
        statement = statement.where(order.c.id < after)
    return [_order(row) for row in tx.all(statement.limit(limit))]


def changeable_orders(tx: Transaction, session_id: str, *, person_id: str | None) -> list[tuple[Order, str | None]]:
    """Returns the orders of a person and their household at a session that are not handed over, newest first, without
    lines, each with the hash of its secret. None: those of guests; the caller must know the secret before it shows or
    changes one."""
    if person_id is None:
        rows = tx.all(_CHANGEABLE_OF_GUESTS, {"session": session_id})
    else:
        rows = tx.all(_CHANGEABLE_OF_PERSON, {"session": session_id, "owner": person_id})
    return [(_order(row), row["secret_hash"]) for row in rows]


def usual_items(tx: Transaction, session_id: str, person_id: str) -> frozenset[str]:
    """Returns the catalog items in the latest orders of a person and their household at the shop of this session,
    cancelled ones left out."""
    order = customer_order.c
    shop = select(sale_session.c.enterprise_id).where(sale_session.c.id == session_id).scalar_subquery()
    at_shop = (order.enterprise_id == shop, order.state.in_(("Held", "Complete")))
    latest = select(order.id).where(_opens_to(person_id, _mine.c.enterprise_id == shop), *at_shop)
    latest = latest.order_by(order.id.desc()).limit(_USUAL_ORDERS)
    items = select(order_line.c.item_id).distinct().where(order_line.c.order_id.in_(latest))
    return frozenset(row["item_id"] for row in tx.all(items))


def order_ids_of_customer(customer_id: str) -> Select[tuple[str]]:
    """Returns a statement that selects the ids of all orders that belong to a shop's customer, cancelled ones too.

    Orders that only typed the customer's address are not among them; those that were proven since are.
    """
    order = customer_order.c
    return select(order.id).where(order.customer_id == customer_id, order.identity != Identity.TYPED)


def order_ids_of_sale(session_id: str) -> Select[tuple[str]]:
    """Returns a statement that selects the ids of all orders of a sale session, cancelled ones and drafts too."""
    return select(customer_order.c.id).where(customer_order.c.session_id == session_id)


def people_who_ordered(tx: Transaction, enterprise_id: str, people: Collection[str]) -> frozenset[str]:
    """Returns the ids among `people` whose accounts have placed an order at the enterprise themselves."""
    order = customer_order.c
    conditions = (order.person_id.in_(people), order.enterprise_id == enterprise_id, order.state != "Draft")
    placed = select(order.person_id).distinct().where(*conditions, order.identity != Identity.BY_HUB)
    return frozenset(row["person_id"] for row in tx.all(placed) if people)


def _read_order(tx: Transaction, statement: RowQuery, parameters: Mapping[str, object]) -> Order:
    row = tx.first(statement, parameters)
    if row is None:
        raise NotFound("no_order", "There is no such order.")
    return _order(row, lines_of(tx, row["id"]), _adjustments_of(tx, row["id"]), _vat_of(tx, row["id"]))


def lines_of(tx: Transaction, order_id: str) -> tuple[PricedLine, ...]:
    """Returns an order's lines by position."""
    return tuple(PricedLine(**row) for row in tx.all(_LINES, {"order": order_id}))


def lines_of_session(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, tuple[PricedLine, ...]]:
    """Returns the lines of all placed orders of a shop's session by order id and position, in one statement."""
    order, lines = customer_order.c, dict[str, list[PricedLine]]()
    statement = select(order_line.c.order_id, *_LINE).join(customer_order, order.id == order_line.c.order_id)
    statement = statement.where(order.session_id == session_id, order.enterprise_id == enterprise_id)
    for row in tx.all(statement.where(order.state != "Draft").order_by(order_line.c.order_id, order_line.c.position)):
        lines.setdefault(row.pop("order_id"), []).append(PricedLine(**row))
    return {order_id: tuple(of_order) for order_id, of_order in lines.items()}


def _adjustments_of(tx: Transaction, order_id: str) -> tuple[Adjustment, ...]:
    rows = tx.all(_ADJUSTMENTS, {"order": order_id})
    return tuple(Adjustment(**{**row, "phase": Phase(row["phase"])}) for row in rows)


def _vat_of(tx: Transaction, order_id: str) -> tuple[VatShare, ...]:
    shares = [VatShare(**row) for row in tx.all(_VAT, {"order": order_id})]
    return tuple(sorted(shares, key=lambda share: share.rate))


def _order(
    row: Row,
    lines: tuple[PricedLine, ...] = (),
    adjustments: tuple[Adjustment, ...] = (),
    vat: tuple[VatShare, ...] = (),
) -> Order:
    values = {column.name: row[column.name] for column in _ORDER}
    values["identity"] = Identity(values["identity"])
    if values["identity"] is Identity.TYPED:
        values["customer_id"] = None
    values["codes"] = tuple(values["codes"])
    values["address"] = Address(**values["address"]) if values["address"] else None
    return Order(**values, lines=lines, adjustments=adjustments, vat=vat)


# Links that plugins add to the page of an order.


def order_links(tx: Transaction, hooks: Hooks, order: Order, page: str, language: str) -> Sequence[MenuItem]:
    """Returns the plugins' links by position; `page` is the path of the order's page for this reader."""
    answers = hooks.each(
        specifications.order_links,
        enabled_plugins(tx, order.enterprise_id),
        tx=tx,
        order=order,
        page=page,
        language=language,
    )
    return sorted((link for answer in answers for link in answer.value or ()), key=lambda link: link.position)
