"""The fields of products, orders and customers that plugins declare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..base.fields import Field
from ..base.plugin_fields import DeclaredFields, PluginFields
from . import specifications
from .dispatcher import Hooks


def declared_fields(hooks: Hooks) -> DeclaredFields:
    """Asks all enabled plugins for their fields, in the operator's order."""
    products = hooks.each(specifications.product_fields)
    orders = hooks.each(specifications.order_fields)
    customers = hooks.each(specifications.customer_fields)
    return DeclaredFields(
        products=_by_plugin((answer.plugin, answer.value) for answer in products),
        orders=_by_plugin((answer.plugin, answer.value) for answer in orders),
        customers=_by_plugin((answer.plugin, answer.value) for answer in customers),
    )


def _by_plugin(answers: Iterable[tuple[str, Sequence[Field] | None]]) -> PluginFields:
    return PluginFields({plugin: {entry.name: entry for entry in entries} for plugin, entries in answers if entries})
