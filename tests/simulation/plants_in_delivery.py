"""Bugs of delivery: receiving, giving up and repeating messages."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any

from commensal.storage.jobs import run as jobs_run
from commensal_federation.delivery.inbox import inbox, receiving, verification
from commensal_federation.delivery.inbox.dispatch import handle
from commensal_federation.delivery.outbox import breaker, pushing
from commensal_federation.delivery.outbox import breaker as verdicts
from commensal_federation.delivery.restore import restored
from commensal_federation.delivery.sync import pulling
from commensal_federation.delivery.values import Receipt
from commensal_federation.leases import holder, upkeep
from commensal_federation.messages.types import Refuse

from .planting import nothing, put


def a_message_that_came_is_done_again(stack: ExitStack) -> None:
    store = inbox.Inbox._store

    def store_and_handle(self: Any, lane: Any, checked: Any) -> Any:
        receipt = store(self, lane, checked)
        if receipt.status == 200:
            handle(self._federation, self._tx, self._peer, checked)
        return receipt

    put(stack, inbox.Inbox, "_store", store_and_handle)


def the_proof_is_not_checked(stack: ExitStack) -> None:
    def prove(envelope: Any, keys: Any, now: Any) -> Any:
        return next(iter(keys.values()))

    put(stack, verification, "prove", prove)


def a_message_for_somebody_else_is_taken(stack: ExitStack) -> None:
    put(stack, verification, "refuse_other_places", nothing)


def a_message_from_a_clock_that_is_wrong_is_refused_for_ever(stack: ExitStack) -> None:
    check = verification.check

    def refuse_for_ever(*args: Any) -> Any:
        try:
            return check(*args)
        except verification.NotTaken as error:
            if error.receipt.code == "future":
                raise verification.NotTaken(replace(error.receipt, status=422)) from None
            raise

    put(stack, receiving, "check", refuse_for_ever)


def silence_counts_as_delivered(stack: ExitStack) -> None:
    def judge(answer: Any, ids: Any, error: str, at: Any) -> Any:
        if answer is None:
            return verdicts.Verdict(True, refused=[Receipt(504, id, "silence") for id in ids])
        return verdicts.judge(answer, ids, error, at)

    put(stack, pushing, "judge", judge)


def messages_are_given_up_after_five_minutes(stack: ExitStack) -> None:
    put(stack, pushing, "GIVEN_UP", timedelta(minutes=5))


def the_breaker_never_closes(stack: ExitStack) -> None:
    put(stack, breaker, "note_success", lambda tx, peer: False)


def who_died_while_pushing_keeps_the_lane(stack: ExitStack) -> None:
    put(stack, pushing, "_CLAIM", timedelta(days=30))


def jobs_of_the_dead_are_not_taken_up(stack: ExitStack) -> None:
    put(stack, jobs_run, "CLAIM", timedelta(days=30))


def what_is_not_taken_for_now_is_passed_over(stack: ExitStack) -> None:
    put(stack, pulling, "_FOR_NOW", ())


def a_restored_instance_goes_on_in_its_old_epoch(stack: ExitStack) -> None:
    put(stack, restored, "notice_in", nothing)
    put(stack, pushing, "notice_restore", nothing)
    put(stack, upkeep, "notice_restore", nothing)


def what_comes_early_is_refused(stack: ExitStack) -> None:
    class Early(Refuse):
        def __init__(self, *_: str) -> None:
            super().__init__("early", "It came too early.")

    put(stack, holder, "Wait", Early)
