"""Numbers without gaps, as tax law requires them on orders and in journals."""

from __future__ import annotations

from functools import cache

from sqlalchemy.sql.dml import ReturningInsert

from ..storage.database import Transaction, insert_on
from .tables import enterprise_counter


def next_number(tx: Transaction, enterprise_id: str, series: str) -> int:
    """Takes the next number of the enterprise's series; the first is 1.

    If the transaction rolls back, the number stays free. Until it ends, others that need a number wait for the row's
    lock, so take numbers late in a transaction.
    """
    first = {"enterprise_id": enterprise_id, "series": series, "value": 1}
    number: int = tx.one(_increment_statement(tx.postgresql), first)["value"]
    return number


@cache
def _increment_statement(on_postgresql: bool) -> ReturningInsert[*tuple[object, ...]]:
    increment = {"value": enterprise_counter.c.value + 1}
    statement = insert_on(on_postgresql, enterprise_counter)
    statement = statement.on_conflict_do_update(index_elements=["enterprise_id", "series"], set_=increment)
    return statement.returning(enterprise_counter.c.value)
