"""Reads what placing an order needs about a sale session, its shop and the customer, in two statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Text, bindparam, cast, func, select

from ..base.errors import Conflict, NotFound
from ..enterprises.households import belongs_to, household_first
from ..enterprises.legal_texts import current_terms_id
from ..enterprises.tables import customer, customer_in_category, enterprise, enterprise_plugin
from ..sale_sessions.questions import sale_for
from ..sale_sessions.tables import coordination, sale_session
from ..storage.database import Row, RowQuery, Transaction
from .values import SaleContext

_CONTEXT = (
    select(
        sale_session.c.id.label("session_id"),
        sale_session.c.coordination_id,
        coordination.c.coordinator_id,
        coordination.c.name.label("coordination_name"),
        sale_session.c.enterprise_id,
        enterprise.c.name.label("enterprise_name"),
        enterprise.c.currency,
        enterprise.c.prices_include_vat,
        enterprise.c.timezone,
        enterprise.c.language,
        enterprise.c.visibility,
        sale_session.c.opens_at,
        sale_session.c.closes_at,
        sale_session.c.begins_at,
        sale_session.c.ends_at,
        coordination.c.cancelled_at,
        coordination.c.completed_at,
        sale_session.c.books_closed_at,
        current_terms_id(enterprise.c.id).label("terms_id"),
        # A line for each plugin, its id and its settings as JSON, which contains no line break.
        select(
            func.aggregate_strings(enterprise_plugin.c.plugin + " " + cast(enterprise_plugin.c.settings, Text), "\n")
        )
        .where(enterprise_plugin.c.enterprise_id == enterprise.c.id)
        .scalar_subquery()
        .label("plugins"),
    )
    .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    .join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)
    .where(sale_session.c.id == bindparam("session"))
)


# A shared lock: the sale is not cancelled or settled while an order is placed, but orders do not wait for each other.
_LOCKED = _CONTEXT.with_for_update(read=True, of=coordination)


def sale_context_for(tx: Transaction, session_id: str, person_id: str | None, *, hold: bool = False) -> SaleContext:
    """Returns the session for a shopper; a hidden shop's only for its members and customers. Raises `NotFound`."""
    shop = sale_context(tx, session_id, hold=hold)
    if shop.visibility == "hidden":
        sale_for(tx, session_id, person_id)
    return shop


def sale_context(tx: Transaction, session_id: str, *, hold: bool = False) -> SaleContext:
    """Returns the session with its shop and the shop's plugins; `hold` locks the sale until the transaction ends.

    Raises `NotFound`.
    """
    # SQLite ignores the lock and needs none. Most orders of a sale read an equal row, so its context is made once.
    contexts = tx.each(_LOCKED if hold else _CONTEXT, {"session": session_id}, _context_from_row)
    if not contexts:
        raise NotFound("no_session", "There is no such sale.")
    return contexts[0]


def _context_from_row(row: Row) -> SaleContext:
    values = dict(row)
    lines = (line.partition(" ") for line in (values.pop("plugins") or "").split("\n") if line)
    plugins = {plugin: msgspec.json.decode(settings) for plugin, _, settings in lines}
    moments = ("cancelled_at", "completed_at", "books_closed_at")
    cancelled, completed, books_closed = (values.pop(name) is not None for name in moments)
    return SaleContext(**values, cancelled=cancelled, completed=completed, books_closed=books_closed, plugins=plugins)


def sale_closed(shop: SaleContext) -> Conflict:
    """Returns the error for a sale that takes no orders now: cancelled or closed."""
    if shop.cancelled:
        return Conflict("cancelled", "The sale {name} was cancelled.", name=shop.coordination_name)
    return Conflict("closed", "The sale {name} is closed.", name=shop.coordination_name)


def refuse_if_books_closed(shop: SaleContext) -> None:
    """Raises `Conflict` if the treasurer has closed the books of the session.

    Read the session after the order is locked: closing the books waits for all locked orders, and then shows.
    """
    if shop.books_closed:
        text = "The books of the sale {name} are closed. Open them again first."
        raise Conflict("books_closed", text, name=shop.coordination_name)


def refuse_foreign_session(tx: Transaction, enterprise_id: str, session_id: str) -> None:
    """Raises `NotFound` unless the session belongs to this shop."""
    statement = select(sale_session.c.id).where(
        sale_session.c.id == session_id, sale_session.c.enterprise_id == enterprise_id
    )
    if tx.first(statement) is None:
        raise NotFound("no_session", "There is no such sale.")


@dataclass(frozen=True)
class KnownCustomer:
    """The customer as the shop knows them, with their categories; both are empty for a stranger."""

    customer_id: str | None
    category_ids: frozenset[str]


STRANGER = KnownCustomer(None, frozenset())


def known_customer(tx: Transaction, enterprise_id: str, person_id: str | None) -> KnownCustomer:
    """Returns the shop's customer for this person: that of their household, or their own. A guest is a stranger: an
    e-mail address proves nothing."""
    if person_id is None:
        return STRANGER
    return _read_customer(tx, _BY_PERSON, {"enterprise": enterprise_id, "person": person_id})


def known_customer_by_id(tx: Transaction, customer_id: str) -> KnownCustomer:
    """Returns a customer by id. The caller has proven that this customer is meant: see `proof`."""
    return _read_customer(tx, _BY_ID, {"customer": customer_id})


_CUSTOMER = select(customer.c.id, customer_in_category.c.category_id).outerjoin(
    customer_in_category, customer_in_category.c.customer_id == customer.c.id
)
_BY_ID = _CUSTOMER.where(customer.c.id == bindparam("customer"))
_BY_PERSON = _CUSTOMER.where(
    customer.c.enterprise_id == bindparam("enterprise"), belongs_to(bindparam("person"))
).order_by(*household_first(bindparam("person")))


def _read_customer(tx: Transaction, statement: RowQuery, parameters: Mapping[str, str]) -> KnownCustomer:
    return known_customer_from([(row["id"], row["category_id"]) for row in tx.all(statement, parameters)])


def known_customer_from(categories: Sequence[tuple[str, str | None]]) -> KnownCustomer:
    """Returns the customer of pairs of a customer's id and one category's, None for no category. The first pair decides
    which customer it is; pairs of others do not count."""
    if not categories:
        return STRANGER
    known_id = categories[0][0]
    of_customer = (category_id for customer_id, category_id in categories if customer_id == known_id and category_id)
    return KnownCustomer(known_id, frozenset(of_customer))
