"""Bugs of money, and of peers that speak another version."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from commensal.trade.payments import payments, refunds
from commensal_federation.delivery.inbox import receiving, verification
from commensal_federation.delivery.values import Receipt

from .planting import now, put


def a_payment_that_is_noted_twice_counts_twice(stack: ExitStack) -> None:
    put(stack, payments, "write_once", _anew(payments))


def a_refund_that_is_noted_twice_counts_twice(stack: ExitStack) -> None:
    put(stack, refunds, "write_once", _anew(refunds))


def _anew(place: Any) -> Any:
    once = now(place, "write_once")

    def write(tx: Any, order: Any, kind: str, method: str, amount: int, key: str, **more: Any) -> Any:
        return once(tx, order, kind, method, amount, f"{key} {tx.new_id()}", **more)

    return write


def an_unknown_member_is_refused(stack: ExitStack) -> None:
    read = verification.read_object

    def strict(federation: Any, binding: Any, envelope: Any, reading: Any) -> Any:
        if "forecast" in envelope.object:
            raise verification.NotTaken(Receipt(422, envelope.id, "member", "forecast is no member"), envelope)
        return read(federation, binding, envelope, reading)

    put(stack, verification, "read_object", strict)


def an_unknown_type_is_taken_for_nothing(stack: ExitStack) -> None:
    """It counts as known: its sender believes that it was understood."""
    check = verification.check

    def silent(*args: Any) -> Any:
        try:
            return check(*args)
        except verification.NotTaken as refused:
            if refused.receipt.code == "type":
                raise verification.NotTaken(Receipt(200, refused.receipt.id, "known"), refused.envelope) from None
            raise

    put(stack, receiving, "check", silent)
