"""Bugs of money, and of peers that speak another version."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from commensal.payments import payments, refunds
from commensal_federation.delivery.inbox import receiving, verification
from commensal_federation.delivery.values import Receipt
from commensal_federation.messages.bodies.orders import InstanceOrder
from commensal_federation.orders import claims, statement

from .planting import now, put


def a_payment_that_is_noted_twice_counts_twice(stack: ExitStack) -> None:
    put(stack, payments, "write_once", _write_each_time(payments))


def a_refund_that_is_noted_twice_counts_twice(stack: ExitStack) -> None:
    put(stack, refunds, "write_once", _write_each_time(refunds))


def _write_each_time(module: Any) -> Any:
    write_once = now(module, "write_once")

    def write(tx: Any, order: Any, kind: str, method: str, amount: int, key: str, **kwargs: Any) -> Any:
        return write_once(tx, order, kind, method, amount, f"{key} {tx.new_id()}", **kwargs)

    return write


def an_unknown_member_is_refused(stack: ExitStack) -> None:
    read = verification.read_object

    def refuse_unknown_members(federation: Any, binding: Any, envelope: Any, reading: Any) -> Any:
        if "forecast" in envelope.object:
            raise verification.NotTaken(Receipt(422, envelope.id, "member", "forecast is not a member"), envelope)
        return read(federation, binding, envelope, reading)

    put(stack, verification, "read_object", refuse_unknown_members)


def an_unknown_type_is_taken_for_nothing(stack: ExitStack) -> None:
    """It counts as known, so its sender believes that it was understood."""
    check = verification.check

    def accept_unknown_types(*args: Any) -> Any:
        try:
            return check(*args)
        except verification.NotTaken as error:
            if error.receipt.code == "type":
                raise verification.NotTaken(Receipt(200, error.receipt.id, "known"), error.envelope) from None
            raise

    put(stack, receiving, "check", accept_unknown_types)


def a_confirmed_order_shrinks_by_the_hubs_word(stack: ExitStack) -> None:
    put(stack, InstanceOrder, "standing", lambda *_: None)


def a_confirmed_order_ends_by_the_hubs_word(stack: ExitStack) -> None:
    put(stack, InstanceOrder, "is_called_off_by", lambda *_: False)


def a_first_answer_counts_whenever_it_comes(stack: ExitStack) -> None:
    put(stack, InstanceOrder, "is_late", lambda *_: False)


def an_allowance_has_no_end(stack: ExitStack) -> None:
    put(stack, claims, "draw", lambda *_: True)


def what_a_producer_weighed_is_owed(stack: ExitStack) -> None:
    answered = now(statement, "_answered")

    def by_its_scales(line: Any, fact: Any) -> Any:
        shown = answered(line, fact)
        return shown if line.final_quantity is None else replace(shown, amount=int(line.amount_of(line.final_quantity)))

    put(stack, statement, "_answered", by_its_scales)
