"""Slow, dead, removed or malicious addresses: messages wait and are given up, and no other delivery is delayed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from commensal.base.clock import ManualClock
from commensal.instance import Instance
from commensal.storage.jobs.clock import trust_clock
from commensal.storage.jobs.tables import job
from commensal.testing import RunJobs, Shop
from commensal.testing.receiver import PlannedAnswer, Receiver
from commensal_webhooks import delivering
from commensal_webhooks.deliveries import KEPT
from commensal_webhooks.delivering import DELAYS, GIVEN_UP, LONGEST_HOLD

from .test_webhooks import PLUGINS, receiver, settings, shop

__all__ = ["PLUGINS", "receiver", "settings", "shop"]  # fixtures
BROKEN = PlannedAnswer(500)


@pytest.fixture
def elsewhere() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def add_hook(shop: Shop, receiver: Receiver, *events: str) -> str:
    created = shop.ask("POST", "/-/webhooks/hooks", {"url": receiver.url, "events": events or ["order_placed"]})
    return str(created["hook"]["id"])


def hook_by_id(shop: Shop, hook_id: str) -> Any:
    return next(hook for hook in shop.ask("GET", "/-/webhooks/hooks") if hook["id"] == hook_id)


def deliveries(shop: Shop, hook_id: str, state: str = "") -> list[Any]:
    return list(shop.ask("GET", f"/-/webhooks/hooks/{hook_id}/deliveries?state={state}")["items"])


# ------------------------------------------------------------------------------------------------ tried again


def test_a_message_that_fails_comes_back_for_about_a_day_then_it_is_parked(shop: Shop, receiver: Receiver) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.always = BROKEN
    shop.order()
    shop.run_jobs()
    for tries, delay in enumerate(DELAYS, start=1):
        (delivery,) = deliveries(shop, hook_id)
        assert (delivery["state"], delivery["tries"], delivery["status"]) == ("waiting", tries, 500)
        shop.run_jobs(seconds=delay.total_seconds() - 1)
        assert len(receiver.received) == tries
        shop.run_jobs(seconds=1)
        assert len(receiver.received) == tries + 1
    assert timedelta(hours=20) < sum(DELAYS, timedelta()) < timedelta(hours=28)
    shop.run_jobs(hours=12)
    assert len(receiver.received) == len(DELAYS) + 1
    (parked,) = deliveries(shop, hook_id, "parked")
    assert (parked["error"], parked["finished_at"] is not None) == ("it answered 500", True)
    assert len({request.headers["webhook-id"] for request in receiver.received}) == 1
    assert len({request.headers["webhook-timestamp"] for request in receiver.received}) == len(receiver.received)
    assert shop.run_jobs.failed() == [], "a dead address is no fault of the instance"


def test_once_it_is_well_again_what_was_parked_can_be_sent_again(shop: Shop, receiver: Receiver) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.always = BROKEN
    shop.order()
    for delay in (timedelta(), *DELAYS):
        shop.run_jobs(seconds=delay.total_seconds())
    (parked_delivery,) = deliveries(shop, hook_id, "parked")
    receiver.always = PlannedAnswer()
    shop.ask("POST", f"/-/webhooks/deliveries/{parked_delivery['id']}/again")
    shop.run_jobs(hours=1)
    assert [delivery["state"] for delivery in deliveries(shop, hook_id)] == ["delivered"]
    assert (hook_by_id(shop, hook_id)["failures"], hook_by_id(shop, hook_id)["failing_since"]) == (0, None)


def test_an_answer_may_ask_for_more_time(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver)
    receiver.say(PlannedAnswer(503, {"Retry-After": "600"}))
    shop.order()
    shop.run_jobs()
    shop.run_jobs(seconds=599)
    assert len(receiver.received) == 1
    shop.run_jobs(seconds=1)
    assert len(receiver.received) == 2


# ------------------------------------------------------------------------------------------------ one and the others


def test_a_dead_address_costs_one_try_at_a_time_and_holds_nobody_up(
    shop: Shop, receiver: Receiver, elsewhere: Receiver
) -> None:
    dead_hook, good_hook = add_hook(shop, receiver), add_hook(shop, elsewhere)
    receiver.always = BROKEN
    for _ in range(10):
        shop.order({"carrots": 1})
    shop.run_jobs()
    assert (len(receiver.received), len(elsewhere.received)) == (1, 10)
    assert {delivery["state"] for delivery in deliveries(shop, good_hook)} == {"delivered"}
    for _ in range(12):
        shop.run_jobs(hours=1)
    assert len(receiver.received) <= 1 + 12 * 2, "each hour of an address that is dead costs a try or two, not ten"
    assert {delivery["state"] for delivery in deliveries(shop, dead_hook)} == {"waiting"}
    receiver.always = PlannedAnswer()
    shop.run_jobs(seconds=LONGEST_HOLD.total_seconds())
    shop.run_jobs(hours=8)
    assert {delivery["state"] for delivery in deliveries(shop, dead_hook)} == {"delivered"}


def test_of_many_workers_one_tries_an_address_that_has_failed(
    shop: Shop, receiver: Receiver, instance: Instance, clock: ManualClock
) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.say(BROKEN)
    for _ in range(5):
        shop.order({"carrots": 1})
    shop.run_jobs()
    trying, answered = threading.Event(), threading.Event()
    receiver.say(PlannedAnswer(before=trying, after=answered))
    clock.advance(minutes=1)
    worker = threading.Thread(target=RunJobs(instance, clock))
    worker.start()
    assert trying.wait(30)
    shop.run_jobs()
    assert len(receiver.received) == 2, "another worker has five messages due, and lets them wait"
    answered.set()
    worker.join()
    shop.run_jobs(minutes=1)
    assert {delivery["state"] for delivery in deliveries(shop, hook_id)} == {"delivered"}
    assert len(receiver.received) == 6


def test_an_address_where_nobody_listens_is_a_failure_in_words(shop: Shop) -> None:
    with Receiver() as closed_receiver:
        hook_id = add_hook(shop, closed_receiver)
    shop.order()
    shop.run_jobs()
    (failed_delivery,) = deliveries(shop, hook_id)
    assert (failed_delivery["state"], failed_delivery["status"]) == ("waiting", None)
    assert failed_delivery["error"].startswith("ConnectError")


def test_a_slow_address_is_left_at_its_time_limit_and_the_mail_goes_out(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook_id, finished = add_hook(shop, receiver), threading.Event()
    receiver.say(PlannedAnswer(after=finished))
    shop.order()
    with monkeypatch.context() as patch:
        patch.setattr(delivering, "SECONDS", 0.3)
        shop.run_jobs()
    (failed_delivery,) = deliveries(shop, hook_id)
    assert (failed_delivery["state"], failed_delivery["error"].partition(":")[0]) == ("waiting", "ReadTimeout")
    assert len(shop.mails()) == 1
    finished.set()
    shop.run_jobs(minutes=1)
    assert [delivery["state"] for delivery in deliveries(shop, hook_id)] == ["delivered"]


def test_nothing_of_the_database_is_held_while_the_other_side_thinks(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver)
    shop.order()
    request_received, answer_sent = threading.Event(), threading.Event()

    receiver.say(PlannedAnswer(before=request_received, after=answer_sent))
    worker = threading.Thread(target=shop.run_jobs)
    worker.start()
    assert request_received.wait(30)
    shop.order({"soap": 1})  # it would wait for ten seconds and then be refused
    answer_sent.set()
    worker.join()


# ------------------------------------------------------------------------------------------------ switched off


def test_an_address_that_fails_for_days_is_switched_off_and_its_shop_is_told(
    shop: Shop, receiver: Receiver, clock: ManualClock
) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.always = BROKEN
    end = clock.now() + GIVEN_UP
    while clock.now() < end:
        assert hook_by_id(shop, hook_id)["enabled"]
        shop.order({"juice": 1}, by_hub=True)
        shop.run_jobs(hours=6)
    shop.run_jobs(hours=6)
    off = hook_by_id(shop, hook_id)
    assert (off["enabled"], off["off_because"]) == (False, "failing")
    shop.run_jobs(hours=24)
    assert {delivery["state"] for delivery in deliveries(shop, hook_id)} <= {"dropped", "parked"}
    (mail,) = [mail for mail in shop.mails() if "A webhook of shop was switched off" in mail]
    assert "To: shop <shop@example.org>" in mail
    assert receiver.url in mail
    assert "it answered 500" in mail
    tries_before = len(receiver.received)
    shop.order({"juice": 1}, by_hub=True)
    shop.run_jobs(hours=1)
    assert len(receiver.received) == tries_before
    assert shop.try_to_ask("POST", f"/-/webhooks/hooks/{hook_id}/test").status_code == 409

    receiver.always = PlannedAnswer()
    shop.ask("PATCH", f"/-/webhooks/hooks/{hook_id}", {"enabled": True}, version=off["version"])
    dropped_id = deliveries(shop, hook_id, "dropped")[0]["id"]
    shop.ask("POST", f"/-/webhooks/deliveries/{dropped_id}/again")
    shop.run_jobs()
    assert shop.ask("GET", f"/-/webhooks/deliveries/{dropped_id}")["delivery"]["state"] == "delivered"


def test_an_address_is_not_switched_off_while_the_clock_is_in_doubt(
    shop: Shop, receiver: Receiver, clock: ManualClock
) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.always = BROKEN
    with shop.instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    shop.order({"juice": 1}, by_hub=True)
    shop.run_jobs()
    shop.run_jobs(days=1500)
    assert (len(receiver.received), hook_by_id(shop, hook_id)["enabled"]) == (2, True)
    with shop.instance.store.write() as tx:
        trust_clock(tx, vouched=True)
    shop.run_jobs(hours=6)
    assert (len(receiver.received), hook_by_id(shop, hook_id)["enabled"]) == (3, False)


def test_an_address_that_says_it_is_gone_is_switched_off_at_once(shop: Shop, receiver: Receiver) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.always = PlannedAnswer(410)
    shop.order()
    shop.order()
    shop.run_jobs()
    shop.run_jobs(minutes=1)
    assert (hook_by_id(shop, hook_id)["enabled"], hook_by_id(shop, hook_id)["off_because"]) == (False, "gone")
    assert len(receiver.received) == 1
    assert sum("was switched off" in mail for mail in shop.mails()) == 1


def test_deliveries_are_forgotten_after_a_month(shop: Shop, receiver: Receiver) -> None:
    hook_id = add_hook(shop, receiver)
    shop.order()
    shop.run_jobs()
    for _ in range(KEPT.days - 1):  # a clock that jumps by more than nine days is in doubt, and nothing is forgotten
        shop.run_jobs(days=1)
    assert len(deliveries(shop, hook_id)) == 1
    shop.run_jobs(days=2)
    assert deliveries(shop, hook_id) == []


# ------------------------------------------------------------------------------------------------ malice


def test_no_answer_leads_the_instance_inside(shop: Shop, receiver: Receiver, elsewhere: Receiver) -> None:
    """A redirect to a forbidden server, and one to an allowed one: neither is followed."""
    hook_id = add_hook(shop, receiver)
    receiver.say(
        PlannedAnswer(302, {"Location": "http://169.254.169.254/latest/"}),
        PlannedAnswer(307, {"Location": elsewhere.url}),
    )
    shop.order()
    shop.run_jobs()
    shop.run_jobs(minutes=1)
    (failed_delivery,) = deliveries(shop, hook_id)
    assert (failed_delivery["tries"], failed_delivery["status"]) == (2, 307)
    assert elsewhere.received == []


def test_a_huge_answer_is_not_read_to_its_end(shop: Shop, receiver: Receiver) -> None:
    hook_id = add_hook(shop, receiver)
    receiver.say(PlannedAnswer(body=b"x" * 10_000_000))
    shop.order()
    shop.run_jobs()
    (failed_delivery,) = deliveries(shop, hook_id)
    assert failed_delivery["error"] == "RequestRefused: The answer is larger than 65536 bytes."


def test_told_twice_of_one_event_it_sends_one_message(shop: Shop, receiver: Receiver, instance: Instance) -> None:
    """A worker that died after it told the plugin, and before it could record that, is followed by another one."""
    add_hook(shop, receiver)
    shop.order()
    with instance.store.write() as tx:
        event_job = tx.one(select(job).where(job.c.kind == "event"))
        tx.execute(job.insert().values({**event_job, "id": "again"}))
    shop.run_jobs()
    assert [json.loads(request.body)["kind"] for request in receiver.received] == ["order_placed"]
