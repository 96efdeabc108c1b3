"""Bugs in the rules against restores, lies and customers who have left."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from sqlalchemy import literal, select

from commensal_federation.delivery import alerts
from commensal_federation.delivery.restore import recovering
from commensal_federation.grants import sale_ends
from commensal_federation.leases import handlers as lease_handlers
from commensal_federation.leases import lender, on_demand, recalling, stopping
from commensal_federation.orders import doubts, supplier

from .planting import nothing, put


def a_restore_bars_nothing(stack: ExitStack) -> None:
    put(stack, sale_ends, "_barred", lambda *_: False)


def the_barrier_ends_with_the_first_peer_that_recovers(stack: ExitStack) -> None:
    lift = sale_ends.lift_barrier

    def lift_all(tx: Any, peer_id: str) -> bool:
        for peer_of_barrier in list(sale_ends._barrier_peers(tx)):
            lift(tx, peer_of_barrier)
        return True

    put(stack, recovering, "lift_barrier", lift_all)


def an_order_is_confirmed_whatever_is_leased(stack: ExitStack) -> None:
    put(stack, doubts, "_uncovered", lambda *_: set())


def a_complete_order_grows_by_itself(stack: ExitStack) -> None:
    put(stack, supplier, "_change_quantity", lambda order, known, quantity: known.ordered(quantity))
    put(stack, doubts, "_uncovered", lambda *_: set())


def lines_that_come_after_the_close_are_confirmed(stack: ExitStack) -> None:
    def doubt_only_other_reasons(line: Any, why: str, pieces: int) -> Any:
        return line if why == "complete" else doubts.put_in_doubt(line, why, pieces)  # type: ignore[arg-type]

    put(stack, supplier, "put_in_doubt", doubt_only_other_reasons)
    put(stack, doubts, "_uncovered", lambda *_: set())


def a_part_is_granted_of_what_is_not_enough(stack: ExitStack) -> None:
    answer = lender.answer_request

    def answer_in_part(
        federation: Any, tx: Any, peer: Any, enterprise: str, lot: str, amounts: Any, message: str
    ) -> Any:
        return answer(federation, tx, peer, enterprise, lot, replace(amounts, least=0), message)

    put(stack, lease_handlers, "answer_request", answer_in_part)


def nothing_is_called_back(stack: ExitStack) -> None:
    put(stack, lender, "recall", lambda *_: 0)


def what_idles_elsewhere_is_not_seen(stack: ExitStack) -> None:
    put(stack, recalling, "_IDLE_ELSEWHERE", select(literal(0)))


def customers_do_not_wait_for_what_is_called_back(stack: ExitStack) -> None:
    put(stack, on_demand, "_wait", nothing)


def a_hub_goes_on_selling_when_its_grant_has_ended(stack: ExitStack) -> None:
    put(stack, sale_ends, "is_sold_here", lambda *_: True)
    put(stack, stopping, "is_sold_here", lambda *_: True)
    put(stack, stopping, "hide_producer", lambda *_: [])


def nobody_is_mailed_about_a_broken_rule(stack: ExitStack) -> None:
    put(stack, alerts, "note_for_operators", nothing)


def nobody_is_mailed_about_an_order_that_waits(stack: ExitStack) -> None:
    put(stack, supplier, "note_complete", nothing)
