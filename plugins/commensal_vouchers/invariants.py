"""Compares what vouchers and gift cards count with what has used them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, func, select

from commensal import Problem, Row, Transaction, hookimpl

from .tables import vouchers_movement, vouchers_use, vouchers_voucher

_voucher = vouchers_voucher.c


@hookimpl
def invariants(tx: Transaction) -> Sequence[Problem]:
    """A problem for each gift card that is not the sum of its movements, and for each voucher that counts other uses
    than it has. Codes are secret, so both are named by their ids."""
    movement, use = vouchers_movement.c, vouchers_use.c
    moved = select(func.coalesce(func.sum(movement.amount), 0)).where(movement.voucher_id == _voucher.id)
    uses = select(func.count()).where(use.voucher_id == _voucher.id)
    text = "Gift card {id} is at {counted}, but it moved {journal}."
    cards = [_problem(row, text) for row in _mismatches(tx, _voucher.balance, moved)]
    text = "Voucher {id} counts {counted} uses, but it has {journal}."
    return [*cards, *(_problem(row, text) for row in _mismatches(tx, _voucher.used, uses))]


def _mismatches(tx: Transaction, counted: ColumnElement[int], journal: Select[int]) -> Sequence[Row]:
    of_journal = journal.scalar_subquery()
    columns = (_voucher.enterprise_id, _voucher.id, counted.label("counted"), of_journal.label("journal"))
    return tx.all(select(*columns).where(counted != of_journal))


def _problem(row: Row, text: str) -> Problem:
    return Problem("voucher", text, row["enterprise_id"], {name: row[name] for name in ("id", "counted", "journal")})
