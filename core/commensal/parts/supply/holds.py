"""Suppliers that are not to be paid by a file for the bank, because something does not agree."""

from __future__ import annotations

from collections.abc import Mapping

from ...base.errors import Problem
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction


def payment_holds(tx: Transaction, hooks: Hooks, enterprise_id: str, session_id: str) -> Mapping[str, Problem]:
    """Returns why suppliers are not to be paid for this sale, by supplier; empty where nothing is against it."""
    answers = hooks.each(specifications.payment_holds, None, tx=tx, enterprise_id=enterprise_id, session_id=session_id)
    return {hold.supplier_id: hold.reason for answer in answers for hold in answer.value or ()}
