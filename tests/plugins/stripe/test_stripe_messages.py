"""Messages of Stripe: forged, repeated, late, early, of other shops. Only Stripe's answers to our requests count."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from commensal.instance import Instance
from commensal.orders.questions import order_by_secret
from commensal.parts.cli.check import report_state
from commensal.parts.serving.app import make_app
from commensal.payments.problems import problems_of
from commensal.people.codes import fingerprint

from .conftest import Stall
from .provider import SIGNING, Provider, signed

COMPLETED = "checkout.session.completed"


def pages(stripe: Provider) -> list[str]:
    return list(stripe.sessions)


def test_what_stripe_has_not_signed_is_refused_and_told_nothing(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    requests_before = len(stripe.asked)
    genuine = signed(COMPLETED, paid)
    forgeries = [
        signed(COMPLETED, paid, secret="whsec_theirs"),
        signed(COMPLETED, paid, at=int(time.time()) - 3600),
        {**genuine, "content": genuine["content"].replace(b"cs_test", b"cs_tesT")},
        {**genuine, "headers": {}},
        {**genuine, "headers": {"Stripe-Signature": "nonsense"}},
        {"content": b"\xff\xfe", "headers": genuine["headers"]},
    ]
    for message in forgeries:
        answer = stall.client.post("/-/stripe/webhook/shop", **message)
        assert (answer.status_code, answer.content) == (400, b"")
    assert (stall.states(order), len(stripe.asked)) == (["Pending"], requests_before)


def test_without_its_signature_checked_anybody_could_have_us_ask_stripe(
    stall: Stall, stripe: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the guard, what counts is still Stripe's answer, so nobody pays by a forgery alone."""
    monkeypatch.setattr("stripe.WebhookSignature.verify_header", lambda *args: True)
    order = stall.buy()
    reference = stall.choose(order)["reference"]
    requests_before = len(stripe.asked)
    unpaid = signed(COMPLETED, stripe.sessions[reference], secret="whsec_theirs")
    assert stall.client.post("/-/stripe/webhook/shop", **unpaid).status_code == 200
    assert (stall.states(order), len(stripe.asked) > requests_before) == (["Pending"], True)


def test_a_message_that_is_repeated_is_applied_once(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    message = signed(COMPLETED, stripe.pay(stall.choose(order)["reference"]))
    assert {stall.client.post("/-/stripe/webhook/shop", **message).status_code for _ in range(5)} == {200}
    assert stall.journal() == [("payment", 1000)]


def test_messages_out_of_order_and_of_both_kinds_end_the_same(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    (intent,) = stripe.intents
    for kind, stripe_object in (
        ("payment_intent.succeeded", intent),
        ("checkout.session.expired", {**paid, "status": "expired", "payment_status": "unpaid"}),
        ("payment_intent.payment_failed", {**intent, "status": "requires_payment_method"}),
        (COMPLETED, paid),
    ):
        assert stall.say(kind, stripe_object) == 200
        assert stall.states(order) == ["Done"]
    assert stall.journal() == [("payment", 1000)]


@pytest.mark.parametrize(
    ("changes", "code"), [({"amount_total": 1}, "other_amount"), ({"currency": "usd"}, "other_currency")]
)
def test_another_amount_or_currency_is_not_applied_but_told(
    stall: Stall, stripe: Provider, changes: dict[str, object], code: str, capsys: pytest.CaptureFixture[str]
) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    paid = stripe.pay(page)
    paid.update(changes)
    assert [stall.say(COMPLETED, paid) for _ in range(2)] == [200, 200]
    assert (stall.states(order), stall.journal(), stall.problems()) == (["Pending"], [], [code])
    assert report_state(stall.instance)
    assert code in capsys.readouterr().out

    (problem,) = stall.ask("/payment-problems").json()["items"]
    assert (problem["plugin"], problem["order_id"]) == ("stripe", order.id)
    assert stall.ask(f"/payment-problems/{problem['id']}/settlement", {}).json()["settled_by"]
    assert stall.problems() == []
    paid.update({"amount_total": 1000, "currency": "eur"})


def test_the_payment_of_another_shop_is_none_of_ours(stall: Stall, stripe: Provider) -> None:
    """Two shops may share an account at Stripe: each gets the messages of both."""
    stall.neighbour()
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    assert stall.say(COMPLETED, paid, shop="neighbour") == 200
    assert stall.states(order) == ["Pending"]

    lying = {**paid, "metadata": {**paid["metadata"], "commensal_enterprise": "neighbour"}}
    assert stall.say(COMPLETED, lying, shop="neighbour") == 200
    assert (stall.states(order), stall.journal(), stall.problems()) == (["Pending"], [], [])
    with stall.instance.store.read() as tx:
        assert [problem.code for problem in problems_of(tx, "neighbour")] == ["unknown_payment"]


def test_a_message_that_is_quicker_than_the_answer(stall: Stall, stripe: Provider) -> None:
    """The customer has paid, and Stripe says so before our request for the page is answered."""
    order = stall.buy()
    outcomes = []

    def pay_at_once(path: str) -> None:
        if path == "POST /v1/checkout/sessions":
            outcomes.append(
                (stall.states(order), stall.say(COMPLETED, stripe.pay(pages(stripe)[0])), stall.states(order))
            )

    stripe.then = pay_at_once
    assert stall.choose(order)["state"] == "Done"
    assert outcomes == [(["Started"], 200, ["Done"])]
    assert (stall.states(order), stall.journal()) == (["Done"], [("payment", 1000)])


def test_choosing_anew_before_the_answer_closes_the_page_once_it_is_known(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()

    def choose_cash(path: str) -> None:
        if path == "POST /v1/checkout/sessions":
            stall.choose(order, "cash:cash")
            stall.run_jobs()

    stripe.then = choose_cash
    assert stall.choose(order)["state"] == "Cancelled"
    stripe.then = lambda path: None
    stall.run_jobs()
    assert stripe.sessions[pages(stripe)[0]]["status"] == "expired"


def test_money_that_comes_after_the_close_pays_the_order(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    page = stall.choose(order)["reference"]
    stall.run_jobs(days=2)
    assert stall.say(COMPLETED, stripe.pay(page)) == 200
    with stall.instance.store.read() as tx:
        paid_order = order_by_secret(tx, fingerprint(order.secret))
    assert (paid_order.state, paid_order.payment_state) == ("Complete", "Paid")


def test_money_for_a_cancelled_order_is_written_down_told_and_given_back(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    stall.cancel(order)
    assert stall.say(COMPLETED, paid) == 200
    assert (stall.journal(), stall.problems()) == ([("payment", 1000)], ["owed"])
    assert stall.payments(order)["balance"] == -1000
    stall.run_jobs()
    stall.run_jobs(days=1)
    assert (stall.journal(), stall.problems()) == ([("payment", 1000), ("refund", -1000)], [])
    assert (stripe.charged(), stripe.refunded()) == (1000, 1000)


def test_money_that_comes_twice_is_told_and_left_to_the_shop(stall: Stall, stripe: Provider) -> None:
    """Paid on the page, then chosen again and paid in cash while Stripe could not be reached."""
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    stripe.silent = True
    stall.choose(order, "cash:cash")
    stripe.silent = False
    stall.ask(f"/orders/{order.id}/payments", {"method": "cash:cash", "amount": 1000})
    stall.say(COMPLETED, paid)
    stall.run_jobs(days=2)
    assert (stall.problems(), stripe.refunded()) == (["owed"], 0)
    assert stall.payments(order)["balance"] == -1000


def test_twenty_messages_at_once_are_one_payment(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    start, statuses = threading.Barrier(20), []

    def send_message() -> None:
        start.wait()
        statuses.append(stall.say(COMPLETED, paid))

    threads = [threading.Thread(target=send_message) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 20
    assert stall.journal() == [("payment", 1000)]


def test_messages_arrive_only_where_they_are_awaited(stall: Stall, stripe: Provider) -> None:
    paid = signed(COMPLETED, {"object": "checkout.session", "id": "cs_x"})
    for path in ("/-/stripe/webhook/nowhere", "/-/cash/webhook/shop", "/-/nothing/webhook/shop"):
        assert stall.client.post(path, **paid).status_code in (404, 405), path
    assert stall.client.get("/-/stripe/webhook/shop").status_code in (404, 405)
    assert stall.client.post("/-/stripe/webhook/shop", content=b"x" * 300_000).status_code == 413
    for stripe_object in ({"object": "customer", "id": "cus_1"}, {"object": "checkout.session", "id": "cs_other"}):
        assert stall.say("whatever.happened", stripe_object) == 200
    assert stripe.asked == []


def test_no_browser_rule_stands_in_the_way_of_a_signed_message(stall: Stall) -> None:
    message = signed("customer.created", {"object": "customer", "id": "cus_1"})
    browser = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site", "Cookie": "session=x"}
    message["headers"] |= browser
    assert stall.client.post("/-/stripe/webhook/shop", **message).status_code == 200


def test_a_message_is_repeated_while_stripe_cannot_be_asked(stall: Stall, stripe: Provider) -> None:
    order = stall.buy()
    paid = stripe.pay(stall.choose(order)["reference"])
    stripe.silent = True
    assert stall.say(COMPLETED, paid) == 500
    stripe.silent = False
    assert (stall.say(COMPLETED, paid), stall.states(order)) == (200, ["Done"])


def test_the_messages_of_localstripe_itself(instance: Instance, stall: Stall, stripe: Provider) -> None:
    """The messages are sent and signed by another program, over a real socket."""
    order = stall.buy()
    page = stall.choose(order)["reference"]
    with serving(instance) as (address, arrived):
        webhook_settings = {
            "url": f"{address}/-/stripe/webhook/shop",
            "secret": SIGNING,
            "events": ["payment_intent.succeeded"],
        }
        assert httpx.post(f"{stripe.behind}/_config/webhooks/ours", json=webhook_settings).is_success
        stripe.pay(page)
        assert arrived.wait(20)
        httpx.post(f"{stripe.behind}/_config/webhooks/ours", json={**webhook_settings, "events": []})
    assert stall.states(order) == ["Done"]


@contextmanager
def serving(instance: Instance) -> Iterator[tuple[str, threading.Event]]:
    """Serves the application on a port of this machine. Yields its address and an event set after each answer."""
    app, arrived, ready = make_app(instance), threading.Event(), threading.Event()

    async def watched_app(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        await app(scope, receive, send)  # type: ignore[arg-type]
        if scope["type"] == "http":
            arrived.set()

    server = uvicorn.Server(uvicorn.Config(watched_app, port=0, log_level="error", lifespan="off"))
    started = server.startup

    async def startup(sockets: object = None) -> None:
        await started(sockets)  # type: ignore[arg-type]
        ready.set()

    server.startup = startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(20)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}", arrived
    finally:
        server.should_exit = True
        thread.join()
