"""Payments through Stripe: a page for each payment, and a correct result however answers get lost."""

from __future__ import annotations

import pytest

from .conftest import Stall
from .provider import Provider


def test_a_customer_is_sent_to_stripe_and_comes_back_to_a_paid_order(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    payment = stall.choose(order, return_url=f"http://testserver/orders/guest/{order.secret}")
    page = stripe.sessions[payment["reference"]]
    assert (payment["state"], payment["instructions"]["redirect"]) == ("Pending", page["url"])
    assert (page["amount_total"], page["currency"], page["customer_email"]) == (1000, "eur", "ada@example.org")
    assert page["success_url"] == page["cancel_url"] == f"http://testserver/orders/guest/{order.secret}"
    assert page["metadata"] == {"commensal_payment": payment["id"], "commensal_enterprise": "shop"}

    assert stall.say("checkout.session.completed", stripe.pay(page["id"])) == 200
    payments = stall.payments(order)
    assert (payments["balance"], payments["payments"][0]["state"]) == (0, "Done")
    assert payments["payments"][0]["reference"] == stripe.intents[0]["id"]
    assert stall.journal() == [("payment", 1000)]


@pytest.mark.long  # seconds
def test_a_provider_that_never_answers_is_given_up(stall: Stall, stripe: Provider) -> None:
    """It takes the request and is silent until the time limit; the goods stay reserved during and after that."""
    order = stall.buy()
    stripe.away = True
    assert stall.choose(order)["state"] == "Failed"
    stripe.away = False
    stripe.back.set()
    assert stall.choose(order)["state"] == "Pending"


def test_every_change_at_stripe_has_a_key(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    first_payment = stall.choose(order)
    second_payment = stall.choose(order)
    stripe.pay(second_payment["reference"])
    stall.run_jobs(minutes=2)
    stall.ask(f"/payments/{second_payment['id']}/refund", {"amount": 300})
    stall.run_jobs()
    changes = [request for request in stripe.asked if request.method == "POST"]
    refund = stall.payments(order)["payments"][-1]
    assert {change.key for change in changes} == {
        first_payment["id"],
        second_payment["id"],
        f"{first_payment['id']}:expire",
        refund["id"],
    }


def test_a_message_that_never_came_is_made_good(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    stripe.pay(stall.choose(order)["reference"])
    stall.run_jobs(minutes=1)
    assert stall.states(order) == ["Done"]
    stall.run_jobs(days=10)
    assert stall.journal() == [("payment", 1000)]


def test_money_whose_answer_was_lost_is_found_by_what_is_written_on_it(stall: Stall, stripe: Provider) -> None:
    """The page was made and paid, but both answers to our side were lost."""
    order = stall.buy()
    stripe.silent = True
    assert stall.choose(order)["state"] == "Failed"
    (page,) = stripe.sessions
    stripe.silent = False
    stripe.pay(page)
    stall.run_jobs(minutes=1)
    assert stall.states(order) == ["Done"]
    assert stall.journal() == [("payment", 1000)]


def test_stripe_that_does_not_answer_leaves_the_order_and_another_choice(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    stripe.silent = True
    failed = stall.choose(order)
    assert failed["state"] == "Failed"
    assert "choose another one" in failed["instructions"]["text"]
    stripe.silent = False
    payment = stall.choose(order)
    stall.say("checkout.session.completed", stripe.pay(payment["reference"]))
    stall.run_jobs(days=1)
    assert (stall.states(order), stripe.charged()) == (["Failed", "Done"], 1000)


@pytest.mark.parametrize("settled", [True, False])
def test_a_bank_debit_is_pending_for_days(stall: Stall, stripe: Provider, settled: bool) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    assert stall.say("checkout.session.completed", stripe.pay(page, by_bank=True)) == 200
    stall.run_jobs(days=3)
    assert stall.states(order) == ["Pending"]
    stripe.bank_says(page, yes=settled)
    stall.run_jobs(days=3)
    assert stall.states(order) == ["Done" if settled else "Failed"]
    assert stall.journal() == ([("payment", 1000)] if settled else [])


def test_a_page_that_ran_out_ends_the_payment(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    assert stall.say("checkout.session.expired", stripe.expire(page)) == 200
    assert stall.states(order) == ["Cancelled"]


def test_choosing_anew_closes_the_page_before_another_is_opened(stall: Stall, stripe: Provider) -> None:
    """There are never two pages on which one order can be paid."""
    order = stall.buy()
    first_page = stall.choose(order)["reference"]
    states_of_first = []
    stripe.then = lambda path: (
        states_of_first.append(stripe.sessions[first_page]["status"]) if path.endswith("/sessions") else None
    )
    second_page = stall.choose(order)["reference"]
    assert states_of_first == ["expired"]
    assert stripe.sessions[second_page]["status"] == "open"
    assert stall.states(order) == ["Cancelled", "Pending"]


def test_cancelling_the_order_closes_the_page(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    stall.cancel(order)
    stall.run_jobs()
    assert stripe.sessions[page]["status"] == "expired"
    assert stall.states(order) == ["Cancelled"]


def test_whoever_paid_while_choosing_anew_is_found_out(stall: Stall, stripe: Provider) -> None:
    """The page was paid and no message came; a customer who then chooses again is not asked to pay twice."""
    order = stall.buy()
    stripe.pay(stall.choose(order)["reference"])
    assert stall.choose(order)["state"] == "Cancelled"
    assert (stall.states(order), len(stripe.sessions)) == (["Done", "Cancelled"], 1)
    assert stall.payments(order)["balance"] == 0


def test_another_choice_waits_for_no_provider_that_is_away(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    stripe.silent = True
    assert stall.choose(order, "cash:cash")["state"] == "Pending"
    stripe.silent = False
    stall.run_jobs()
    assert stripe.sessions[page]["status"] == "expired"


def test_nobody_is_sent_back_to_another_site(stall: Stall) -> None:
    order = stall.buy()
    for return_url in ("https://evil.example/", "http://testserver@evil.example/", "//evil.example", "/orders", "x"):
        body = {"method": "stripe:checkout", "return_url": return_url}
        answer = stall.client.post(
            f"/api/guest-orders/{order.secret}/payments", json=body, headers={"Idempotency-Key": return_url}
        )
        assert answer.json()["errors"][0]["code"] == "return_url", return_url


def test_the_page_of_the_order_shows_where_to_pay_and_then_that_it_is_paid(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    payment = stall.choose(order)
    page = stall.client.get(f"/orders/guest/{order.secret}").text
    assert payment["instructions"]["redirect"] in page
    assert "Pay now" in page
    stall.say("checkout.session.completed", stripe.pay(payment["reference"], by_bank=True))
    page = stall.client.get(f"/orders/guest/{order.secret}").text
    assert "Your payment is under way" in page
    assert "Pay now" not in page
    stall.say("checkout.session.async_payment_succeeded", stripe.bank_says(payment["reference"], yes=True))
    page = stall.client.get(f"/orders/guest/{order.secret}").text
    assert "Received so far: €10.00" in page
    assert "Pay now" not in page


def test_from_the_page_of_the_order_customers_come_back_to_it(stall: Stall, stripe: Provider) -> None:
    """Pay, look at the page, pay another way: Stripe sends customers back to the guest's page."""
    order = stall.buy()
    order_page = f"/orders/guest/{order.secret}"
    sent = stall.client.post(
        f"{order_page}/pay", data={"payment_method": "stripe:checkout", "attempt": "0"}, follow_redirects=False
    )
    assert (sent.status_code, sent.headers["location"]) == (303, order_page)
    (page,) = stripe.sessions.values()
    assert page["success_url"] == page["cancel_url"] == f"http://testserver{order_page}"
    assert page["url"] in stall.client.get(order_page).text
