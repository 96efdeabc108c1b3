"""Messages of providers: authenticated by the plugin, then applied one by one, each in its own transaction."""

from __future__ import annotations

from ..enterprises.plugins import enabled_plugins
from ..hooks import specifications
from ..hooks.values import PaymentUpdate, WebhookRequest
from ..instance import Instance
from .updates import apply_update
from .values import Payment


def is_switched_on(instance: Instance, plugin: str, enterprise_id: str) -> bool:
    """Tells whether the enterprise has switched the plugin on."""
    with instance.store.read() as tx:
        return plugin in enabled_plugins(tx, enterprise_id)


def apply_message(instance: Instance, plugin: str, enterprise_id: str, request: WebhookRequest) -> None:
    """Applies all updates of the enterprise's payments in a message. Not inside a transaction.

    Raises `Refused` if the plugin does, and `PluginError`. Updates applied before an error stay; when the provider
    sends the message again, they change nothing.
    """
    with instance.store.read() as tx:
        enabled = enabled_plugins(tx, enterprise_id)
    updates = instance.hooks.ask(
        specifications.payment_webhook, plugin, enabled, instance=instance, enterprise_id=enterprise_id, request=request
    )
    for update in updates:
        _apply(instance, plugin, enterprise_id, update)


def _apply(instance: Instance, plugin: str, enterprise_id: str, update: PaymentUpdate) -> Payment | None:
    return instance.store.transact(lambda tx: apply_update(tx, enterprise_id, plugin, update))
