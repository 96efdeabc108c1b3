"""Numbers without gaps, as tax law wants them on orders and in journals."""

from __future__ import annotations

from ..store import Transaction, insert_or
from .tables import enterprise_counter


def next_number(tx: Transaction, enterprise_id: str, series: str) -> int:
    """The next number of this series of the enterprise; the first is 1.

    If the transaction fails, the number was never given. Until it ends, the next one waits on the row: take numbers
    late in a transaction.
    """
    row = enterprise_counter
    first = insert_or(tx, row).values(enterprise_id=enterprise_id, series=series, value=1)
    again = first.on_conflict_do_update(index_elements=["enterprise_id", "series"], set_={"value": row.c.value + 1})
    number: int = tx.value(again.returning(row.c.value))
    return number
