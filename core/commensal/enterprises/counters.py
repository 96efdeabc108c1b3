"""Numbers without gaps, counted for each enterprise and series in the transaction that uses them."""

from __future__ import annotations

from sqlalchemy import literal_column

from ..store import Transaction, insert_or
from .tables import enterprise_counter


def next_number(tx: Transaction, enterprise_id: str, series: str) -> int:
    """The next number of the series: 1, 2, 3 … Others who want one wait until this transaction ends.

    A transaction that rolls back gives its number back, so that no number is ever missing.
    """
    row = enterprise_counter
    first = insert_or(tx, row).values(enterprise_id=enterprise_id, series=series, value=1)
    raised = first.on_conflict_do_update(
        index_elements=[row.c.enterprise_id, row.c.series], set_={"value": row.c.value + literal_column("1")}
    )
    number: int = tx.value(raised.returning(row.c.value))
    return number
