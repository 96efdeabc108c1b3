"""Money goes back through Stripe once and never more than came; unclear refunds are reported."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from commensal.testing.instances import JobFailed

from .conftest import Bought, Stall
from .provider import Provider, signed


@pytest.fixture
def order(stall: Stall, stripe: Provider) -> Bought:
    """A paid order of 10.00."""
    order = stall.buy()
    stall.say("checkout.session.completed", stripe.pay(stall.choose(order)["reference"]))
    return order


def paid_payment_id(stall: Stall, order: Bought) -> str:
    return str(next(payment["id"] for payment in stall.payments(order)["payments"] if payment["state"] == "Done"))


def give_back(stall: Stall, order: Bought, amount: int) -> Any:
    return stall.ask(f"/payments/{paid_payment_id(stall, order)}/refund", {"amount": amount, "anyway": True})


def refund_of(stall: Stall, order: Bought) -> Any:
    return stall.payments(order)["payments"][-1]


def test_a_part_is_given_back_and_then_the_rest(stall: Stall, stripe: Provider, order: Bought) -> None:
    refund_answer = give_back(stall, order, 300)
    assert (refund_answer.status_code, refund_answer.json()["state"], refund_answer.json()["refunds"]) == (
        201,
        "Started",
        paid_payment_id(stall, order),
    )
    stall.run_jobs()
    assert refund_of(stall, order)["state"] == "Done"
    assert refund_of(stall, order)["reference"].startswith("re_")
    assert give_back(stall, order, 700).status_code == 201
    stall.run_jobs()
    assert stall.journal() == [("payment", 1000), ("refund", -300), ("refund", -700)]
    assert stripe.refunded() == 1000
    assert stall.payments(order)["paid"] == 0


def test_more_than_came_is_never_given_back(stall: Stall, order: Bought) -> None:
    assert give_back(stall, order, 1001).json()["code"] == "more_than_received"
    assert give_back(stall, order, 600).status_code == 201
    assert give_back(stall, order, 401).json()["code"] == "more_than_received"
    by_hand = {"method": "cash:cash", "amount": 401, "anyway": True}
    assert stall.ask(f"/orders/{order.id}/refunds", by_hand).json()["code"] == "more_than_received"
    assert stall.ask("/journal/1/correction", {}).json()["code"] == "more_than_received"
    assert stall.ask(f"/orders/{order.id}/refunds", {**by_hand, "amount": 400}).status_code == 201
    stall.run_jobs()
    assert stall.payments(order)["paid"] == 0


def test_ten_refunds_at_once_give_back_what_came(stall: Stall, stripe: Provider, order: Bought) -> None:
    payment, start, statuses = paid_payment_id(stall, order), threading.Barrier(10), []

    def refund() -> None:
        start.wait()
        statuses.append(stall.ask(f"/payments/{payment}/refund", {"amount": 300, "anyway": True}).status_code)

    threads = [threading.Thread(target=refund) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stall.run_jobs()
    assert sorted(statuses) == [201] * 3 + [409] * 7
    assert (stripe.refunded(), stall.payments(order)["paid"]) == (900, 100)


def test_a_request_that_is_repeated_is_one_refund(stall: Stall, stripe: Provider, order: Bought) -> None:
    path = f"/api/enterprises/shop/payments/{paid_payment_id(stall, order)}/refund"
    headers = {"Authorization": f"Bearer {stall.token}", "Idempotency-Key": "once"}
    answers = [stall.client.post(path, json={"amount": 500, "anyway": True}, headers=headers).json() for _ in range(3)]
    stall.run_jobs()
    assert answers[0] == answers[1] == answers[2]
    assert (stripe.refunded(), stall.journal()[1:]) == (500, [("refund", -500)])


@pytest.mark.parametrize("key_forgotten", [False, True])
def test_a_refund_whose_answer_was_lost_is_given_once(
    stall: Stall, stripe: Provider, order: Bought, key_forgotten: bool
) -> None:
    """Also when it is tried again so late that Stripe has forgotten the key."""
    give_back(stall, order, 500)
    stripe.then = lambda path: setattr(stripe, "silent", path == "POST /v1/refunds")
    with pytest.raises(JobFailed):
        stall.run_jobs()
    assert (refund_of(stall, order)["state"], stripe.refunded()) == ("Started", 500)
    if key_forgotten:
        stripe.kept.clear()
    stripe.then, stripe.silent = lambda path: None, False
    stall.run_jobs(hours=1)
    assert (refund_of(stall, order)["state"], stripe.refunded()) == ("Done", 500)
    assert stall.journal()[1:] == [("refund", -500)]


def test_a_refund_that_stays_unclear_is_told_and_tried_on(stall: Stall, stripe: Provider, order: Bought) -> None:
    give_back(stall, order, 500)
    stripe.silent = True
    for _ in range(3):
        stall.run_jobs(hours=13, failing=True)
    assert (refund_of(stall, order)["state"], stall.problems()) == ("Started", ["refund_unclear"])
    assert stall.ask(f"/payments/{refund_of(stall, order)['id']}/cancel", {}).json()["code"] == "refund_under_way"
    assert give_back(stall, order, 501).json()["code"] == "more_than_received"
    stripe.silent = False
    stall.run_jobs(hours=13)
    assert (refund_of(stall, order)["state"], stall.problems()) == ("Done", [])
    assert stripe.refunded() == 500


def test_stripe_that_says_no_ends_the_refund_and_a_person_is_told(
    stall: Stall, stripe: Provider, order: Bought
) -> None:
    stripe.strict = True
    give_back(stall, order, 500)
    stall.run_jobs()
    failed = refund_of(stall, order)
    assert (failed["state"], failed["instructions"]) == ("Failed", {"text": "Stripe says: Your balance is too low."})
    assert (stall.problems(), len(stall.journal())) == (["refund_failed"], 1)
    stall.run_jobs(days=3)
    assert len([request for request in stripe.asked if (request.method, request.path) == ("POST", "/v1/refunds")]) == 1

    stripe.strict = False
    assert give_back(stall, order, 500).status_code == 201
    stall.run_jobs()
    assert stripe.refunded() == 500


@pytest.mark.parametrize("channel", ["message", "asking"])
def test_a_refund_may_take_days(stall: Stall, stripe: Provider, order: Bought, channel: str) -> None:
    stripe.slow = True
    give_back(stall, order, 500)
    stall.run_jobs()
    refund = refund_of(stall, order)
    assert (refund["state"], len(stall.journal())) == ("Pending", 1)
    stripe.slow = False
    if channel == "message":
        metadata = {"commensal_refund": refund["id"], "commensal_enterprise": "shop"}
        message = signed("refund.updated", {"object": "refund", "id": refund["reference"], "metadata": metadata})
        assert stall.client.post("/-/stripe/webhook/shop", **message).status_code == 200
    else:
        stall.run_jobs(hours=1)
    stall.run_jobs(days=2)
    assert (refund_of(stall, order)["state"], stripe.refunded()) == ("Done", 500)
    assert stall.journal()[1:] == [("refund", -500)]


def test_only_money_that_came_through_a_provider_goes_back_through_one(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    payment = stall.choose(order)
    assert stall.ask(f"/payments/{payment['id']}/refund", {"amount": 1}).json()["code"] == "not_received"
    stall.ask(f"/orders/{order.id}/payments", {"method": "cash:cash", "amount": 1000})
    assert give_back(stall, order, 1).json()["code"] == "by_hand"
    assert stall.ask("/payments/nothing/refund", {"amount": 1}).status_code == 404
