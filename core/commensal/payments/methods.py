"""The payment methods that a shop's plugins offer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ..base.errors import NotFound
from ..base.languages.catalogs import translate
from ..enterprises.installed import plugin_name
from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.dispatcher import Hooks
from ..hooks.values import PaymentMethod
from ..instance import Instance
from ..orders.questions import orders_by_id
from ..orders.sale_context import known_customer
from ..orders.values import Order

WRITTEN_OFF = "commensal:written_off"  # no money: cents that nobody will pay or fetch
METHOD = re.compile(r"[a-z][a-z0-9_]{0,39}:[a-z0-9_.-]{1,40}")  # "plugin:method"


@dataclass(frozen=True, kw_only=True)
class ChosenMethod:
    """The payment method ("plugin:method") chosen for an order, and whether its plugin offers it for this order."""

    order_id: str
    method: str
    offered: bool


def plugins_that_take_payments(hooks: Hooks) -> frozenset[str]:
    """Ids of the plugins that can offer ways to pay."""
    return frozenset(hooks.implementing(specifications.payment_methods))


def payment_methods(
    instance: Instance,
    enterprise_id: str,
    language: str,
    *,
    person_id: str | None = None,
    customer_id: str | None = None,
) -> list[PaymentMethod]:
    """Returns the shop's payment methods for this person (None: not logged in), with ids "plugin:method", in the
    operator's order of plugins. `customer_id` is the customer for whom the shop itself orders.

    Asks plugins, which may take seconds: never call it inside a transaction. A plugin that fails or offers an invalid
    method is left out and logged.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
        customer_id = customer_id or known_customer(tx, enterprise_id, person_id).customer_id
    return _ask_plugins(instance, enabled, enterprise_id, person_id, customer_id, language)


def payment_methods_of_order(instance: Instance, order: Order, language: str) -> list[PaymentMethod]:
    """Returns the payment methods for a placed order and its customer, if proven. Not inside a transaction."""
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, order.enterprise_id)
    return _ask_plugins(instance, enabled, order.enterprise_id, order.person_id, order.customer_id, language)


def choose_method(instance: Instance, order_id: str, method: str, language: str) -> ChosenMethod:
    """Asks the plugin of `method` whether it offers the method for the order. Not inside a transaction.

    `begin_payment` refuses a method that is not offered. Raises `NotFound` for an order that does not exist.
    """
    plugin = method.partition(":")[0]
    with instance.store.read() as tx:
        order = orders_by_id(tx, [order_id]).get(order_id)
        if order is None:
            raise NotFound("no_order", "There is no such order.")
        enabled = {
            plugin_id: settings
            for plugin_id, settings in enabled_plugins(tx, order.enterprise_id).items()
            if plugin_id == plugin
        }
    methods = _ask_plugins(instance, enabled, order.enterprise_id, order.person_id, order.customer_id, language)
    return ChosenMethod(order_id=order_id, method=method, offered=method in {offer.id for offer in methods})


def method_name(method: str, language: str) -> str:
    """Returns what people call a payment method ("plugin:method"): the name of its plugin, which need not be asked, and
    not be in use any more. A method that is not called like its plugin stands behind it: "Stripe (checkout)".
    """
    if method == WRITTEN_OFF:
        return translate(language, "Written off")
    plugin, _, own_id = method.partition(":")
    name = plugin_name(plugin, language) if plugin else ""
    if not name or name == plugin:
        return method
    return name if own_id in plugin.split("_") else f"{name} ({own_id})"


def _ask_plugins(
    instance: Instance,
    enabled: Mapping[str, Mapping[str, object]],
    enterprise_id: str,
    person_id: str | None,
    customer_id: str | None,
    language: str,
) -> list[PaymentMethod]:
    answers = instance.hooks.each(
        specifications.payment_methods,
        enabled,
        instance=instance,
        enterprise_id=enterprise_id,
        person_id=person_id,
        customer_id=customer_id,
        language=language,
    )
    return [
        method for answer in answers for method in _valid_methods(instance.hooks, answer.plugin, answer.value or ())
    ]


def _valid_methods(hooks: Hooks, plugin: str, offered: Sequence[PaymentMethod]) -> Iterator[PaymentMethod]:
    for method in offered:
        if METHOD.fullmatch(f"{plugin}:{method.id}"):
            yield replace(method, id=f"{plugin}:{method.id}")
        else:
            hooks.blame(specifications.payment_methods, plugin, f"{method.id!r:.100} is not an id of a way to pay")
