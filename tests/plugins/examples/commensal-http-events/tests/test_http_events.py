"""Events of orders are posted to the address of the hub."""

import json

import httpx
import pytest
from commensal.testing import Gateway, Shop, conforms

URL = "https://events.example/orders"

test_it_conforms = conforms("http_events", together_with=("shop", "office"))


@pytest.mark.plugins("http_events", settings={"url": URL, "token": "a secret"})
def test_each_event_of_an_order_is_posted(shop: Shop, gateway: Gateway) -> None:
    gateway.on("POST", URL, httpx.Response(204))
    shop.order({"carrots": 4})
    shop.run_jobs()
    shop.change({"carrots": 2})
    shop.cancel()
    shop.run_jobs()
    requests = gateway.asked("POST", URL)
    assert {request.headers["Authorization"] for request in requests} == {"Bearer a secret"}
    messages = [json.loads(request.read()) for request in requests]
    assert [message["event"] for message in messages] == ["order_placed", "order_changed", "order_cancelled"]
    assert {request.headers["Idempotency-Key"] for request in requests} == {message["id"] for message in messages}
    assert {message["order"] for message in messages} == {1}


@pytest.mark.plugins("http_events")
def test_an_address_that_cannot_be_is_refused(shop: Shop) -> None:
    refused = shop.try_to_ask("PUT", "/plugins/http_events", {"settings": {"url": "ftp://events.example"}}, version=1)
    assert refused.status_code == 422
