"""Messages of providers: proved by the plugin, then applied one by one, each in a transaction of its own."""

from __future__ import annotations

from ...hooks import specifications
from ...hooks.values import PaymentUpdate, WebhookRequest
from ...instance import Instance
from ..enterprises.plugins import enabled_plugins
from .updates import apply_update
from .values import Payment


def is_used(instance: Instance, plugin: str, enterprise_id: str) -> bool:
    """Whether the enterprise has switched the plugin on."""
    with instance.store.read() as tx:
        return plugin in enabled_plugins(tx, enterprise_id)


def take_message(instance: Instance, plugin: str, enterprise_id: str, request: WebhookRequest) -> None:
    """Applies all that a message says of the enterprise's payments. Not inside a transaction.

    Raises `Refused` where the plugin does, and `PluginError`. What was applied before an error stays; when the provider
    sends the message again, that is nothing new.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
    updates = instance.hooks.ask(
        specifications.payment_webhook, plugin, enabled,
        instance=instance, enterprise_id=enterprise_id, request=request,
    )  # fmt: skip
    for one in updates:
        _apply(instance, plugin, enterprise_id, one)


def _apply(instance: Instance, plugin: str, enterprise_id: str, update: PaymentUpdate) -> Payment | None:
    return instance.store.transact(lambda tx: apply_update(tx, enterprise_id, plugin, update))
