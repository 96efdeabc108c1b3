"""Numbers without gaps, as tax law wants them on orders and in journals."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy.sql.dml import ReturningInsert

from ...storage.database import Transaction, insert_on
from .tables import enterprise_counter


def next_number(tx: Transaction, enterprise_id: str, series: str) -> int:
    """The next number of this series of the enterprise; the first is 1.

    If the transaction fails, the number was never given. Until it ends, the next one waits on the row: take numbers
    late in a transaction.
    """
    first = {"enterprise_id": enterprise_id, "series": series, "value": 1}
    number: int = tx.one(_counted_up(tx.postgresql), first)["value"]
    return number


@cache
def _counted_up(on_postgresql: bool) -> ReturningInsert[Any]:
    up = {"value": enterprise_counter.c.value + 1}
    counted = insert_on(on_postgresql, enterprise_counter)
    counted = counted.on_conflict_do_update(index_elements=["enterprise_id", "series"], set_=up)
    return counted.returning(enterprise_counter.c.value)
