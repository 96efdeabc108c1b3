"""What placing an order needs to know of a sale session, its shop, and the customer: two statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import Select, Text, bindparam, cast, select

from ...base.errors import Conflict, NotFound
from ...storage.database import Row, Transaction
from ..enterprises.tables import customer, customer_in_category, enterprise, enterprise_plugin
from ..sale_sessions.questions import sale_for
from ..sale_sessions.tables import coordination, sale_session
from .values import Selling

_SELLING = (
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
        enterprise.c.visibility,
        sale_session.c.opens_at,
        sale_session.c.closes_at,
        sale_session.c.begins_at,
        sale_session.c.ends_at,
        coordination.c.cancelled_at,
        coordination.c.completed_at,
        enterprise_plugin.c.plugin,
        cast(enterprise_plugin.c.settings, Text).label("settings"),  # a driver's dictionary cannot be remembered
    )
    .join(coordination, coordination.c.id == sale_session.c.coordination_id)
    .join(enterprise, enterprise.c.id == sale_session.c.enterprise_id)
    .outerjoin(enterprise_plugin, enterprise_plugin.c.enterprise_id == enterprise.c.id)
    .where(sale_session.c.id == bindparam("session"))
)


# So that a sale is not cancelled or settled while an order is being placed in it. Orders do not wait for each other.
_HELD = _SELLING.with_for_update(read=True, of=coordination)


def selling_to(tx: Transaction, session_id: str, person_id: str | None, *, hold: bool = False) -> Selling:
    """The session for who shops there: that of a hidden shop only for its members and customers. Raises `NotFound`."""
    shop = selling(tx, session_id, hold=hold)
    if shop.visibility == "hidden":
        sale_for(tx, session_id, person_id)
    return shop


def selling(tx: Transaction, session_id: str, *, hold: bool = False) -> Selling:
    """The session with its shop and the shop's plugins; with `hold` it stays as it is until the transaction ends.

    Raises `NotFound`.
    """
    # SQLite leaves the lock out, and needs none. There is a row for each plugin, and all are the same for most orders.
    rows = tx.each(_HELD if hold else _SELLING, {"session": session_id}, _with_plugin)
    if not rows:
        raise NotFound("no_session", "There is no such sale.")
    return replace(rows[0], plugins={plugin: settings for row in rows for plugin, settings in row.plugins.items()})


def _with_plugin(row: Row) -> Selling:
    """The session as one row shows it, with the one plugin that it names."""
    values = dict(row)
    plugin, settings = values.pop("plugin"), values.pop("settings")
    cancelled, completed = (values.pop(name) is not None for name in ("cancelled_at", "completed_at"))
    plugins = {plugin: msgspec.json.decode(settings)} if plugin else {}
    return Selling(**values, cancelled=cancelled, completed=completed, plugins=plugins)


def closed(shop: Selling) -> Conflict:
    """The sale does not take orders now; says why."""
    if shop.cancelled:
        return Conflict("cancelled", "The sale {name} was cancelled.", name=shop.coordination_name)
    return Conflict("closed", "The sale {name} is closed.", name=shop.coordination_name)


def refuse_foreign_session(tx: Transaction, enterprise_id: str, session_id: str) -> None:
    """Raises `NotFound` unless the session is this shop's."""
    mine = select(sale_session.c.id).where(
        sale_session.c.id == session_id, sale_session.c.enterprise_id == enterprise_id
    )
    if tx.first(mine) is None:
        raise NotFound("no_session", "There is no such sale.")


@dataclass(frozen=True)
class Known:
    """What a shop knows of a person: nothing, or a customer with categories."""

    customer_id: str | None
    category_ids: frozenset[str]


STRANGER = Known(None, frozenset())


def known_customer(tx: Transaction, enterprise_id: str, person_id: str | None) -> Known:
    """The shop's customer who is this person. A guest is a stranger: an e-mail address proves nothing."""
    if person_id is None:
        return STRANGER
    return _known(tx, _BY_PERSON, {"enterprise": enterprise_id, "person": person_id})


def categories_of(tx: Transaction, customer_id: str) -> Known:
    """A customer by id, where it is proven that they are meant: see `proof`."""
    return _known(tx, _BY_ID, {"customer": customer_id})


_KNOWN = select(customer.c.id, customer_in_category.c.category_id).outerjoin(
    customer_in_category, customer_in_category.c.customer_id == customer.c.id
)
_BY_ID = _KNOWN.where(customer.c.id == bindparam("customer"))
_BY_PERSON = _KNOWN.where(
    customer.c.enterprise_id == bindparam("enterprise"), customer.c.person_id == bindparam("person")
).order_by(customer.c.id)  # of two records that both turned out to be theirs, always the older one


def _known(tx: Transaction, statement: Select[Any], who: Mapping[str, str]) -> Known:
    return known_from(tx.all(statement, who))


def known_from(rows: Sequence[Row]) -> Known:
    """From rows with the `id` of a customer and a `category_id` each; the first row says which customer it is."""
    if not rows:
        return STRANGER
    return Known(rows[0]["id"], frozenset(row["category_id"] for row in rows if row["category_id"]))
