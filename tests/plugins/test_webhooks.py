"""Webhooks: events of a shop reach other software over real HTTP, signed as Standard Webhooks requires."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.base.clock import ManualClock
from commensal.base.errors import Invalid
from commensal.enterprises.tokens import make_token
from commensal.instance import Instance, InstanceSettings
from commensal.instance.settings import OutboundSettings
from commensal.sale_sessions.coordinations import open_coordination
from commensal.sale_sessions.sessions import add_session
from commensal.stock.lots import lots_of
from commensal.stock.movements import count_stock, receive_stock
from commensal.testing import RunJobs, Shop
from commensal.testing.instances import Plan
from commensal.testing.receiver import PlannedAnswer, ReceivedRequest, Receiver
from commensal.testing.shop import open_shop
from commensal_webhooks.signing import headers

PLUGINS = ("cash", "webhooks")


@pytest.fixture
def settings(settings: InstanceSettings) -> InstanceSettings:
    return replace(settings, outbound=OutboundSettings(allow=("127.0.0.1",)))


@pytest.fixture
def shop(instance: Instance, client: TestClient, clock: ManualClock) -> Iterator[Shop]:
    shop = open_shop(instance, client, RunJobs(instance, clock), Plan(plugins=PLUGINS))
    yield shop
    shop.check()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def add_hook(shop: Shop, receiver: Receiver, *events: str, **fields: Any) -> tuple[dict[str, Any], str]:
    """Adds a hook for these events (all if none is given). Returns it and its secret."""
    answer = shop.ask("POST", "/-/webhooks/hooks", {"url": f"{receiver.url}/told", "events": events, **fields})
    return answer["hook"], answer["secret"]


def received_events(receiver: Receiver) -> list[tuple[str, dict[str, Any]]]:
    """Returns the kinds and data of the received messages, in the order of the events."""
    bodies = sorted((json.loads(request.body) for request in receiver.received), key=lambda request: request["id"])
    return [(body["kind"], body["data"]) for body in bodies]


def signatures_right(received: ReceivedRequest, secret: str) -> list[bool]:
    """Returns for each signature of the message whether it is right, computed from the text of the standard alone."""
    key = base64.b64decode(secret[len("whsec_") :])
    signed_content = (
        f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    )
    expected = "v1," + base64.b64encode(hmac.digest(key, signed_content, hashlib.sha256)).decode()
    return [signature == expected for signature in received.headers["webhook-signature"].split(" ")]


# ------------------------------------------------------------------------------------------------ the message


def test_an_order_reaches_the_address_that_wants_to_know_signed(
    shop: Shop, receiver: Receiver, clock: ManualClock
) -> None:
    _, secret = add_hook(shop, receiver, "order_placed")
    order = shop.order({"carrots": 4, "juice": 1})
    shop.run_jobs()
    (message,) = receiver.received
    assert (message.method, message.path, message.headers["content-type"]) == ("POST", "/told", "application/json")
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert signatures_right(message, secret) == [True]
    assert message.headers["webhook-timestamp"] == str(int(clock.now().timestamp()))
    body = json.loads(message.body)
    assert (body["id"], body["kind"], body["enterprise"]) == (message.headers["webhook-id"], "order_placed", "shop")
    assert body["at"] == "2026-06-04T10:00:00Z"
    order_told = body["data"]["order"]
    assert (order_told["id"], order_told["number"], order_told["total"], order_told["currency"]) == (
        order.id,
        order.number,
        1350,
        "EUR",
    )
    assert [(line["name"], line["quantity"], line["amount"]) for line in order_told["lines"]] == [
        ("Carrots", 4, 1000),
        ("Juice", 1, 300),
    ]


def test_the_example_of_the_standard_is_signed_as_it_says() -> None:
    """The test vector of the standard's own libraries: msg_p5jXN8AQM9LWM0D4loKWxJek at 1614265330."""
    sent_at, secret = datetime.fromtimestamp(1614265330, UTC), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    signed_headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", sent_at, b'{"test": 2432232314}', [secret])
    assert signed_headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_customers_are_named_only_where_the_hook_says_so(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "order_placed")
    shop.order(name="Zoé Quelqu’un", email="zoe@example.org", phone="0611223344", note="sonner fort")
    shop.run_jobs()
    assert not any(word in receiver.received[0].body.decode() for word in ("Zoé", "zoe@", "0611223344", "sonner"))
    add_hook(shop, receiver, "order_placed", personal=True)
    shop.order(name="Zoé Quelqu’un", email="zoe@example.org", phone="0611223344")
    shop.run_jobs()
    customers = [data["order"]["customer"] for _, data in received_events(receiver) if "customer" in data["order"]]
    assert [(customer["name"], customer["email"], customer["phone"]) for customer in customers] == [
        ("Zoé Quelqu’un", "zoe@example.org", "0611223344")
    ]


def test_a_short_message_goes_to_who_passes_it_on_for_customers_who_want_it(shop: Shop, receiver: Receiver) -> None:
    """Not to an address for everything, and not without the customers; nobody is asked then."""
    add_hook(shop, receiver, personal=True)
    add_hook(shop, receiver, "notice")
    ada = shop.somebody()
    shop.prove_phone(ada, "webhooks", "+33611223344")
    wish: dict[str, Any] = {"person": ada, "phone": "0611223344", "consents": ("webhooks:notices",)}
    with pytest.raises(Invalid, match="not asked any more"):
        shop.order(**wish)
    add_hook(shop, receiver, "notice", personal=True)
    order = shop.order(**wish)
    shop.run_jobs()
    (data,) = [data for kind, data in received_events(receiver) if kind == "notice"]
    notice = data["notice"]
    assert notice["to"] == {"name": "Ada", "phone": "+33611223344", "email": "ada@example.org", "language": "en"}
    assert (notice["kind"], notice["link"]) == ("order_placed", f"{shop.instance.settings.base_url}/orders/{order.id}")
    assert "order 1" in notice["text"]


def test_a_secret_is_shown_once_and_renewed_without_losing_a_message(shop: Shop, receiver: Receiver) -> None:
    created, old_secret = add_hook(shop, receiver, "order_placed")
    assert old_secret not in str(shop.ask("GET", "/-/webhooks/hooks"))
    assert len(base64.b64decode(old_secret.removeprefix("whsec_"))) == 32
    new_secret = shop.ask("POST", f"/-/webhooks/hooks/{created['id']}/secret", version=1)["secret"]
    assert new_secret != old_secret
    shop.order()
    shop.run_jobs()
    assert (signatures_right(receiver.received[0], new_secret), signatures_right(receiver.received[0], old_secret)) == (
        [True, False],
        [False, True],
    )
    shop.order()
    shop.run_jobs(hours=23, minutes=59)
    assert len(signatures_right(receiver.received[1], new_secret)) == 1 + 1
    shop.order(by_hub=True)
    shop.run_jobs(minutes=1)
    last_message = receiver.received[-1]
    assert (signatures_right(last_message, new_secret), signatures_right(last_message, old_secret)) == ([True], [False])


# ------------------------------------------------------------------------------------------------ every event


def test_everything_that_happens_to_an_order_is_told(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "order_placed", "order_changed", "order_cancelled", "order_fulfilled")
    first_order = shop.order({"chicken": 1, "carrots": 1})
    shop.run_jobs(seconds=1)
    shop.change({"chicken": 1, "carrots": 3})
    shop.run_jobs(seconds=1)
    shop.weigh({"chicken": "1.87"})
    shop.run_jobs(seconds=1)
    shop.hand_over()
    shop.run_jobs(seconds=1)
    shop.order()
    shop.cancel()
    shop.run_jobs(seconds=1)
    kinds_and_orders = [(kind, data["order"]["id"] == first_order.id) for kind, data in received_events(receiver)]
    assert kinds_and_orders == [
        ("order_placed", True),
        ("order_changed", True),
        ("order_changed", True),
        ("order_fulfilled", True),
        ("order_placed", False),
        ("order_cancelled", False),
    ]
    weighed_order = received_events(receiver)[2][1]["order"]
    assert [line["final_quantity"] for line in weighed_order["lines"]] == ["1.87", None]
    assert weighed_order["total"] == 2244 + 750


def test_an_order_is_told_as_it_is_when_the_message_is_made(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "order_placed")
    shop.order({"carrots": 4})
    shop.change({"carrots": 6})
    shop.run_jobs()
    assert [(kind, data["order"]["total"]) for kind, data in received_events(receiver)] == [("order_placed", 1500)]


def test_money_that_comes_and_goes_is_told(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "payment_received", "payment_refunded")
    order = shop.order()
    shop.receive("cash:cash")
    shop.ask("POST", f"/orders/{order.id}/refunds", {"method": "cash:cash", "amount": 300, "anyway": True})
    shop.run_jobs()
    events_told = [
        (kind, data["payment"]["kind"], data["payment"]["amount"]) for kind, data in received_events(receiver)
    ]
    assert events_told == [("payment_received", "payment", 1000), ("payment_refunded", "refund", 300)]
    assert {data["payment"]["order_id"] for _, data in received_events(receiver)} == {order.id}


def test_a_correction_of_the_journal_is_no_payment(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "payment_received", "payment_refunded")
    shop.order()
    shop.receive("cash:cash")
    shop.ask("POST", "/journal/1/correction")
    shop.run_jobs()
    assert [kind for kind, _ in received_events(receiver)] == ["payment_received"]


def test_a_sale_is_told_when_it_opens_and_when_it_is_over(shop: Shop, receiver: Receiver, clock: ManualClock) -> None:
    add_hook(shop, receiver, "sale_opened", "sale_completed")
    session = _open_sale(shop, opens_in=timedelta(hours=3))
    shop.run_jobs()
    assert [data["sale"]["id"] for _, data in received_events(receiver)] == ["shop-session"], (
        "it was open when the hook was made"
    )
    shop.run_jobs(hours=2, minutes=59)
    assert len(receiver.received) == 1
    shop.run_jobs(minutes=1)
    assert [(kind, data["sale"]["id"]) for kind, data in received_events(receiver)][1:] == [("sale_opened", session)]
    shop.run_jobs(hours=48)
    shop.run_jobs(hours=1)
    assert sorted((kind, data["sale"]["id"]) for kind, data in received_events(receiver)) == sorted(
        [
            ("sale_opened", "shop-session"),
            ("sale_completed", "shop-session"),
            ("sale_opened", session),
            ("sale_completed", session),
        ]
    )


def test_what_people_do_to_stock_is_told_and_what_orders_do_is_not(
    shop: Shop, receiver: Receiver, instance: Instance
) -> None:
    add_hook(shop, receiver, "stock_changed")
    with instance.store.write() as tx:
        honey = next(lot for lot in lots_of(tx, "shop") if lot.name == "honey")
        receive_stock(tx, "shop", honey.id, Decimal(5))
    shop.order({"honey": 2})
    shop.run_jobs()
    shop.cancel()
    shop.run_jobs()
    assert [(kind, data["lot"]["free"], data["lot"]["reserved"]) for kind, data in received_events(receiver)] == [
        ("stock_changed", "6", "2")
    ]
    with instance.store.write() as tx:
        count_stock(tx, "shop", honey.id, Decimal(4))
    shop.run_jobs(seconds=1)
    assert received_events(receiver)[1][1]["lot"] == {
        "id": honey.id,
        "name": "honey",
        "unit": "Piece",
        "unlimited": False,
        "on_hand": "4",
        "free": "4",
        "reserved": "0",
        "sold": "0",
        "low_level": None,
    }


def _open_sale(shop: Shop, opens_in: timedelta) -> str:
    """Opens another sale of the shop for a day. Returns its id."""
    with shop.instance.store.write() as tx:
        opens_at = tx.now + opens_in
        closes_at = opens_at + timedelta(days=1)
        sale = open_coordination(tx, coordinator_id="shop", name="Soon", opens_at=opens_at, closes_at=closes_at)
        session = add_session(
            tx,
            sale.id,
            "shop",
            shop_id="shop",
            catalog_id="shop-catalog",
            begins_at=closes_at,
            ends_at=closes_at + timedelta(hours=2),
        )
    return session.id


# ------------------------------------------------------------------------------------------------ hooks


def test_each_hook_gets_what_it_wants_once(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver, "order_placed")
    add_hook(shop, receiver, "order_cancelled")
    add_hook(shop, receiver)
    shop.order()
    shop.cancel()
    shop.run_jobs()
    shop.run_jobs(days=1)
    kinds = [json.loads(request.body)["kind"] for request in receiver.received if b"order_" in request.body]
    assert sorted(kinds) == ["order_cancelled"] * 2 + ["order_placed"] * 2


def test_nothing_is_told_of_another_shop_nor_after_the_plugin_is_switched_off(shop: Shop, receiver: Receiver) -> None:
    add_hook(shop, receiver)
    shop.neighbour().order()
    shop.run_jobs()
    assert [kind for kind, _ in received_events(receiver)] == ["sale_opened"]
    shop.order()
    shop.do_without("webhooks")
    shop.run_jobs()
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.2/",
        "http://10.0.0.1/",
        "https://[::1]/",
        "http://2130706433/",
        "https://0x7f.1/",
        "ftp://x.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https://",
        "nonsense",
        "https://8.8.8.8:22/",
    ],
)
def test_addresses_that_cannot_be_are_refused_when_they_are_set(shop: Shop, url: str) -> None:
    answer = shop.try_to_ask("POST", "/-/webhooks/hooks", {"url": url})
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/url"]


def test_a_hook_needs_the_plugin(shop: Shop, receiver: Receiver) -> None:
    shop.do_without("webhooks")
    answer = shop.try_to_ask("POST", "/-/webhooks/hooks", {"url": receiver.url})
    assert (answer.status_code, answer.json()["code"]) == (404, "plugin_off")


def test_hooks_and_deliveries_of_another_shop_do_not_exist(shop: Shop, receiver: Receiver) -> None:
    created, _ = add_hook(shop, receiver)
    delivery = shop.ask("POST", f"/-/webhooks/hooks/{created['id']}/test")
    neighbour = shop.neighbour()
    neighbour.use("webhooks")
    assert neighbour.ask("GET", "/-/webhooks/hooks") == []
    hook_path, message = f"hooks/{created['id']}", f"deliveries/{delivery['id']}"
    for method, path in (
        ("POST", f"{hook_path}/test"),
        ("GET", f"{hook_path}/deliveries"),
        ("DELETE", hook_path),
        ("GET", message),
        ("POST", f"{message}/again"),
    ):
        assert neighbour.try_to_ask(method, f"/-/webhooks/{path}").status_code == 404, path
    assert neighbour.try_to_ask("PATCH", f"/-/webhooks/hooks/{created['id']}", {}, version=1).status_code == 404


def test_a_test_is_sent_whatever_the_hook_wants_and_sent_again_with_the_same_id(shop: Shop, receiver: Receiver) -> None:
    created, secret = add_hook(shop, receiver, "order_placed")
    delivery = shop.ask("POST", f"/-/webhooks/hooks/{created['id']}/test")
    assert delivery["state"] == "waiting"
    assert shop.try_to_ask("POST", f"/-/webhooks/deliveries/{delivery['id']}/again").status_code == 409
    shop.run_jobs()
    assert received_events(receiver) == [("test", {})]
    shop.ask("POST", f"/-/webhooks/deliveries/{delivery['id']}/again")
    shop.run_jobs(hours=1)
    first_message, second_message = receiver.received
    assert (first_message.body, first_message.headers["webhook-id"]) == (
        second_message.body,
        second_message.headers["webhook-id"],
    )
    assert first_message.headers["webhook-timestamp"] != second_message.headers["webhook-timestamp"]
    assert signatures_right(second_message, secret) == [True]
    delivery_shown = shop.ask("GET", f"/-/webhooks/deliveries/{delivery['id']}")
    assert delivery_shown["message"].encode() == first_message.body
    assert (delivery_shown["delivery"]["state"], delivery_shown["delivery"]["status"]) == ("delivered", 200)


def test_one_test_is_on_its_way_at_a_time(shop: Shop, receiver: Receiver) -> None:
    path = f"/-/webhooks/hooks/{add_hook(shop, receiver)[0]['id']}/test"
    assert [shop.try_to_ask("POST", path).status_code for _ in range(3)] == [201, 409, 409]
    shop.run_jobs()
    assert shop.try_to_ask("POST", path).status_code == 201


def test_a_token_for_settings_alone_does_not_read_customers_by_messages(shop: Shop, receiver: Receiver) -> None:
    added, _ = add_hook(shop, receiver)
    sent = shop.ask("POST", f"/-/webhooks/hooks/{added['id']}/test")
    with shop.instance.store.write() as tx:
        narrow = make_token(tx, shop.owner.id, name="Settings", scopes={"plugins:write"}).secret
    narrow_shop = replace(shop, token=narrow)
    tries = (
        ("POST", "hooks", {"url": f"{receiver.url}/theirs", "personal": True}),
        ("PATCH", f"hooks/{added['id']}", {"url": f"{receiver.url}/theirs"}),
        ("GET", f"deliveries/{sent['id']}", None),
    )
    answers = [narrow_shop.try_to_ask(method, f"/-/webhooks/{path}", body, version=1) for method, path, body in tries]
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert narrow_shop.try_to_ask("GET", "/-/webhooks/hooks").status_code == 200


def test_a_hook_that_is_removed_is_sent_nothing_more(shop: Shop, receiver: Receiver) -> None:
    created, _ = add_hook(shop, receiver)
    shop.order()
    shop.ask("POST", f"/-/webhooks/hooks/{created['id']}/test")
    shop.ask("DELETE", f"/-/webhooks/hooks/{created['id']}")
    shop.run_jobs()
    assert receiver.received == []


def test_an_answer_is_not_read_and_a_success_is_any_2xx(shop: Shop, receiver: Receiver) -> None:
    created, _ = add_hook(shop, receiver, "order_placed")
    receiver.say(PlannedAnswer(202, body=b"x" * 1000), PlannedAnswer(204))
    shop.order()
    shop.order()
    shop.run_jobs()
    items = shop.ask("GET", f"/-/webhooks/hooks/{created['id']}/deliveries")["items"]
    assert sorted((row["state"], row["status"], row["tries"]) for row in items) == [
        ("delivered", 202, 1),
        ("delivered", 204, 1),
    ]
