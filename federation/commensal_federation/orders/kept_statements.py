"""Forgets signed statements that neither a catalogue nor an order names any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import bindparam, delete, exists, select

from commensal import Transaction

from ..catalogue.tables import federation_item, federation_told_price
from ..grants.tables import federation_told
from ..provenance.tables import federation_statement
from ..runtime import Federation
from .tables import federation_moved_order_statement, federation_order_line

KEPT = timedelta(days=400)  # of what we have offered, as messages are kept: an order may name an older revision
_AT_ONCE = 5_000
_statement, _price, _told = federation_statement.c, federation_told_price.c, federation_told.c
_based_on_it = federation_statement.alias()
_NAMED = (
    exists().where(federation_order_line.c.statement == _statement.name)
    | exists().where(federation_moved_order_statement.c.statement == _statement.name)
    | exists().where(federation_item.c.statement == _statement.name)
    | exists().where(_based_on_it.c.origin == _statement.name)
    | exists().where(
        _price.statement == _statement.name,
        _told.grant_id == _price.grant_id,
        _told.item_id == _price.item_id,
        _told.rev == _price.rev,
    )
)
_OLD = (
    select(_statement.name)
    .where(~_NAMED, (_statement.actor != bindparam("ours")) | (_statement.verified_at < bindparam("before")))
    .limit(_AT_ONCE)
)


def forget_statements(federation: Federation, tx: Transaction) -> None:
    """Once a day. What peers have sent goes as soon as nothing names it; a message that is kept had brought it."""
    values = {"ours": federation.iri, "before": tx.now - KEPT}
    names = [row["name"] for row in tx.all(_OLD, values)]
    tx.execute(delete(federation_statement).where(_statement.name.in_(names)))
