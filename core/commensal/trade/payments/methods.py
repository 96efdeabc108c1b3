"""The ways to pay that a shop offers, as its plugins tell them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...base.errors import NotFound
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...hooks.values import PaymentMethod
from ...instance import Instance
from ..enterprises.plugins import enabled_plugins
from ..orders.questions import orders_by_id
from ..orders.selling import known_customer
from ..orders.values import Order

METHOD = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z0-9_.-]{1,40}")  # "plugin:method"


@dataclass(frozen=True, kw_only=True)
class ChosenMethod:
    """The way to pay ("plugin:method") that somebody wants for an order, and whether it is offered to them for it."""

    order_id: str
    method: str
    offered: bool


def payment_methods(
    instance: Instance, enterprise_id: str, language: str, *, person_id: str | None = None
) -> list[PaymentMethod]:
    """Ways to pay at the shop for this person (None: not logged in), each with the id "plugin:method", in the
    operator's order of plugins.

    Asks plugins, which may take seconds: never call it inside a transaction. A plugin that fails, or offers what is no
    way to pay, is left out, and noted.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
        customer_id = known_customer(tx, enterprise_id, person_id).customer_id
    return _ask(instance, enabled, enterprise_id, person_id, customer_id, language)


def payment_methods_of_order(instance: Instance, order: Order, language: str) -> list[PaymentMethod]:
    """The same for a placed order: what its customer has, where it is proven who that is. Not inside a transaction."""
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, order.enterprise_id)
    return _ask(instance, enabled, order.enterprise_id, order.person_id, order.customer_id, language)


def choose_method(instance: Instance, order_id: str, method: str, language: str) -> ChosenMethod:
    """Asks the plugin of `method` whether it offers it for the order. Not inside a transaction.

    `begin_payment` refuses what is not offered. Raises `NotFound` for an order that does not exist.
    """
    plugin = method.partition(":")[0]
    with instance.store.read() as tx:
        order = orders_by_id(tx, [order_id]).get(order_id)
        if order is None:
            raise NotFound("no_order", "There is no such order.")
        enabled = {id: chosen for id, chosen in enabled_plugins(tx, order.enterprise_id).items() if id == plugin}
    found = _ask(instance, enabled, order.enterprise_id, order.person_id, order.customer_id, language)
    return ChosenMethod(order_id=order_id, method=method, offered=method in {one.id for one in found})


def _ask(
    instance: Instance,
    enabled: Mapping[str, Mapping[str, Any]],
    enterprise_id: str,
    person_id: str | None,
    customer_id: str | None,
    language: str,
) -> list[PaymentMethod]:
    answers = instance.hooks.each(
        specifications.payment_methods, enabled, instance=instance, enterprise_id=enterprise_id,
        person_id=person_id, customer_id=customer_id, language=language,
    )  # fmt: skip
    return [one for answer in answers for one in _offered(instance.hooks, answer.plugin, answer.value or ())]


def _offered(hooks: Hooks, plugin: str, offered: Sequence[PaymentMethod]) -> Iterator[PaymentMethod]:
    for one in offered:
        if METHOD.fullmatch(f"{plugin}:{one.id}"):
            yield replace(one, id=f"{plugin}:{one.id}")
        else:
            hooks.blame(specifications.payment_methods, plugin, f"{one.id!r:.100} is no id of a way to pay")
