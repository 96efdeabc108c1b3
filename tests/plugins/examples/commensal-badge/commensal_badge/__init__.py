"""Badge: producers mark products that are saved from being thrown away, and the shop shows it on their rows."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import ProductField, hookimpl


@hookimpl
def product_fields() -> Sequence[ProductField]:
    """One flag. With `shown="badge"` the label stands on the row of each product that has it."""
    return [
        ProductField(
            name="saved", kind="flag", english="saved from the bin", french="sauvé du gaspillage", shown="badge"
        )
    ]
