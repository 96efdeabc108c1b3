"""The fields of products that plugins declare."""

from __future__ import annotations

from ..base.plugin_fields import PluginFields
from . import specifications
from .dispatcher import Hooks


def declared_product_fields(hooks: Hooks) -> PluginFields:
    """Asks all enabled plugins for their fields of products, in the operator's order."""
    answers = hooks.each(specifications.product_fields)
    return PluginFields(
        {answer.plugin: {entry.name: entry for entry in answer.value} for answer in answers if answer.value}
    )
