"""Money received for a customer and not for an order: a plugin keeps it for them, such as on a prepaid account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...base.errors import Conflict
from ...enterprises.plugins import enabled_plugins
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...storage.database import Transaction


@dataclass(frozen=True, kw_only=True)
class CreditTarget:
    """Where a customer's money can be kept: the plugin that keeps it, and how people call it there."""

    plugin: str
    label: str


def credit_targets(
    tx: Transaction, hooks: Hooks, enterprise_id: str, customer_id: str, language: str
) -> Sequence[CreditTarget]:
    """Returns where money of this customer can be kept; empty if no plugin keeps any for them."""
    answers = hooks.each(
        specifications.credit_target,
        enabled_plugins(tx, enterprise_id),
        tx=tx,
        enterprise_id=enterprise_id,
        customer_id=customer_id,
        language=language,
    )
    return [CreditTarget(plugin=answer.plugin, label=answer.value) for answer in answers if answer.value]


def credit_customer(
    tx: Transaction,
    hooks: Hooks,
    enterprise_id: str,
    customer_id: str,
    plugin: str,
    amount: int,
    *,
    note: str,
    person_id: str | None,
) -> None:
    """Lets the plugin keep `amount` minor units for the customer; a negative amount takes back what was kept by error.

    `note` says where the money came from, `person_id` who recorded it. Call it once for each movement of money, in the
    transaction that records it. Raises `Conflict` if the plugin keeps nothing for this customer, or is switched off,
    and if what is to be taken back is spent already.
    """
    enabled = enabled_plugins(tx, enterprise_id)
    if plugin not in enabled or plugin not in hooks.implementing(specifications.credit_customer, enabled):
        raise Conflict("no_credit", "The account of this customer is switched off: switch it on first.")
    hooks.tell(
        specifications.credit_customer,
        plugin,
        enabled,
        tx=tx,
        enterprise_id=enterprise_id,
        customer_id=customer_id,
        amount=amount,
        note=note,
        person_id=person_id,
    )
