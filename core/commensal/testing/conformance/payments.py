"""Checks payment methods: they have names, begin each payment once, and refuse forged messages."""

from __future__ import annotations

from ...base.errors import PluginError, Refused
from ...base.languages.catalogs import LANGUAGES
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.values import PaymentStart, WebhookRequest
from ...payments.begin import begin_payment
from ...payments.methods import METHOD, choose_method
from ...payments.values import Payment
from ..shop import Shop
from .check import Nonconforming, Subject, check, demand

_FORGED = (
    WebhookRequest(body=b"", headers={}),
    WebhookRequest(body=b"{}", headers={"content-type": "application/json"}),
    WebhookRequest(body=b"\xff\x00 no JSON", headers={"content-type": "application/json", "signature": "x"}),
    WebhookRequest(
        body=b'{"id": "1", "type": "payment", "state": "paid", "amount": 1000}',
        headers={"signature": "t=1,v1=00", "stripe-signature": "t=1,v1=00", "authorization": "Bearer x"},
    ),
)


@check("payment_methods")
def its_ways_to_pay_have_ids_and_labels_of_their_own(subject: Subject) -> None:
    with subject.shop() as shop:
        for language in LANGUAGES:
            methods = shop.payment_methods(language)
            demand(methods, f"it offers no way to pay to a reader of {language!r}; prepare the shop so that it does")
            ids, labels = [method.id for method in methods], [method.label.strip() for method in methods]
            demand(all(METHOD.fullmatch(id) for id in ids), f"ids have small letters, digits and _.-: {ids}")
            demand(len(set(ids)) == len(ids), f"two ways to pay have one id: {ids}")
            demand(all(labels) and len(set(labels)) == len(labels), f"labels must differ, and say something: {labels}")


@check("start_payment")
def a_payment_begins_once(subject: Subject) -> None:
    """The id of the payment is the idempotency key: whoever is asked twice answers the same."""
    with subject.shop() as shop:
        for number, method in enumerate(shop.payment_methods()):
            shop.order(payment_method=method.id)
            first, second = (_start(shop, method.id, f"conformance {number}") for _ in range(2))
            demand(first == second, f"{method.id}: asked twice for one payment, it said {first} and then {second}")
            shop.cancel()


def _start(shop: Shop, method: str, key: str) -> PaymentStart | str:
    """The answer of the plugin, or the code of its refusal."""
    assert shop.latest is not None
    instance, order = shop.instance, shop.latest
    plugin, _, name = method.partition(":")
    chosen = choose_method(instance, order.id, method, "en")
    with instance.store.write() as tx:
        payment: Payment = begin_payment(tx, instance.hooks, chosen, key)
        enabled = enabled_plugins(tx, shop.id)
    try:
        return instance.hooks.ask(
            specifications.start_payment,
            plugin,
            enabled,
            instance=instance,
            payment=payment,
            method=name,
            order_number=order.number or 0,
            email=order.email,
            return_url="http://testserver/",
            language="en",
        )
    except Refused as refusal:
        return refusal.code


@check("payment_webhook")
def it_refuses_messages_that_nobody_signed(subject: Subject) -> None:
    with subject.shop() as shop:
        with shop.instance.store.read() as tx:
            enabled = enabled_plugins(tx, shop.id)
        for request in _FORGED:
            try:
                updates = shop.instance.hooks.ask(
                    specifications.payment_webhook,
                    subject.plugin,
                    enabled,
                    instance=shop.instance,
                    enterprise_id=shop.id,
                    request=request,
                )
            except Refused:
                continue
            except PluginError as error:
                raise Nonconforming(f"to {request.body!r} it should say no with Refused, not: {error.what}") from error
            raise Nonconforming(f"it believed {request.body!r}, which nobody signed, and answered {updates}")
