"""Imports a statement: its credits, and its debits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from commensal import Transaction

from .debits import import_debits
from .entries import ImportResult, import_credits
from .statements.values import Credit, Debit, Movement


def import_movements(tx: Transaction, enterprise_id: str, movements: Sequence[Movement]) -> ImportResult:
    """Stores what is new, records credits whose reference names an order, and counts what waits for a person."""
    result = import_credits(tx, enterprise_id, [each for each in movements if isinstance(each, Credit)])
    debits = [each for each in movements if isinstance(each, Debit)]
    return replace(result, outgoing=import_debits(tx, enterprise_id, debits))
