"""Warnings about failing orders at platforms: a mail to the hub, once, and ``commensal check`` for the operator."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import or_, select

from commensal import Problem, Transaction, mail_enterprise

from ..links import link_by_id
from .tables import federation_backorder
from .values import Backorder

FAILED = 4  # attempts, within about twenty minutes, before the hub gets a mail
_row = federation_backorder.c


def backorder_warnings(tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each order that needs a person."""
    failing = or_(_row.parked_at.is_not(None), _row.failures >= FAILED)
    columns = (_row.id, _row.session_name, _row.parked_at, _row.failing_since, _row.error)
    for row in tx.all(select(*columns).where(failing).order_by(_row.id).limit(50)):
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


def mail_failure(tx: Transaction, backorder: Backorder, error: str, *, parked: bool) -> None:
    """Mails the hub about an order that it may have to place by other means."""
    values = {
        "sale": backorder.session_name,
        "platform": link_by_id(tx, backorder.link_id).name or link_by_id(tx, backorder.link_id).url,
        "error": error,
        "parked": parked,
    }
    mail_enterprise(tx, backorder.enterprise_id, "federation_backorder", values)
