"""Imports a statement: its credits, and its debits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from commensal import Refused, Transaction

from .debits import import_debits
from .entries import ImportResult, import_credits
from .statements.values import Credit, Debit, Movement

_AHEAD = timedelta(days=31)  # banks announce days to come; anything later is a mistake in the file


def import_movements(tx: Transaction, enterprise_id: str, movements: Sequence[Movement]) -> ImportResult:
    """Stores what is new, records credits whose reference names an order, and counts what waits for a person.

    Raises `Refused` for a statement with a day that has not come.
    """
    latest = max((each.booked_on for each in movements), default=tx.now.date())
    if latest > tx.now.date() + _AHEAD:
        text = (
            "This statement has a transfer of {day}, a day that has not come. Nothing was recorded: look at the file."
        )
        raise Refused("future", text, day=latest.isoformat())
    result = import_credits(tx, enterprise_id, [each for each in movements if isinstance(each, Credit)])
    debits = [each for each in movements if isinstance(each, Debit)]
    return replace(result, outgoing=import_debits(tx, enterprise_id, debits))
