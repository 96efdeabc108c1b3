"""Groups adjustments for display: one line for a code with several VAT rates, and one for a fee on each line.

Shows codes without giving them away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ...pricing.values import Adjustment

_LONGEST_WORD = 12  # codes that people remember; longer ones are drawn, and worth money to whoever reads them


def as_told(adjustments: Iterable[Adjustment]) -> list[Adjustment]:
    """Returns the adjustments in their order, adding up those of one code and label, and those of one fee on each line.

    A sum has no VAT rate: the order's VAT shows the rates.
    """
    grouped: dict[tuple[object, ...], Adjustment] = {}
    for position, adjustment in enumerate(adjustments):
        stands_alone = not adjustment.code and adjustment.line_id is None
        key = (position,) if stands_alone else (adjustment.plugin, adjustment.code, adjustment.label, adjustment.payer)
        existing = grouped.get(key)
        grouped[key] = (
            adjustment
            if existing is None
            else replace(existing, amount=existing.amount + adjustment.amount, vat_rate=None, line_id=None)
        )
    return list(grouped.values())


def shown_code(code: str) -> str:
    """Returns a code as pages of orders and e-mails show it, which others may read: only the end of a long one, such as
    that of a gift card, which opens what is left on the card."""
    return code if len(code) <= _LONGEST_WORD else f"…{code[-4:]}"


def shown_codes(codes: Iterable[str]) -> str:
    """Returns codes in one line, each as `shown_code` does."""
    return ", ".join(map(shown_code, codes))
