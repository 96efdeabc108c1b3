"""Who is told that an order at a distant platform fails: the hub by mail, once, and the operator by the check."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select

from commensal import Problem, Transaction, mail_enterprise

from ..links import link_by_id
from .tables import federation_backorder
from .values import Backorder

FAILED = 4  # tries, within some twenty minutes, before the hub is told
_row = federation_backorder.c


def backorder_warnings(tx: Transaction) -> Iterator[Problem]:
    """Orders that people have to look at."""
    wrong = or_(_row.parked_at.is_not(None), _row.failures >= FAILED)
    columns = (_row.id, _row.session_name, _row.parked_at, _row.failing_since, _row.error)
    for row in tx.all(select(*columns).where(wrong).order_by(_row.id).limit(50)):
        if row["parked_at"] is not None:
            text = (
                "The order {id} of the sale {session_name} at a linked platform is not tried any more: {error} "
                "See `commensal dfc orders`, and run `commensal dfc order retry {id}`."
            )
        else:
            text = (
                "The order {id} of the sale {session_name} at a linked platform has failed since "
                "{failing_since:%Y-%m-%d %H:%M} UTC: {error} It is tried again by itself."
            )
        yield Problem("backorder", text, values={**row})


def mail_about(tx: Transaction, backorder: Backorder, error: str, *, parked: bool) -> None:
    """The hub learns what it may have to order by other means."""
    values = {
        "sale": backorder.session_name,
        "platform": link_by_id(tx, backorder.link_id).name or link_by_id(tx, backorder.link_id).url,
        "error": error,
        "parked": parked,
    }
    mail_enterprise(tx, backorder.enterprise_id, "federation_backorder", values)
