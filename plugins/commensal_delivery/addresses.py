"""Validation of delivery addresses."""

from __future__ import annotations

from commensal import Address, Problem

from .zones import DeliverySettings, zone_of

_MISSING = (
    ("street", "Say in which street your order shall be brought."),
    ("postcode", "Say the postcode of where your order shall be brought."),
    ("city", "Say in which town your order shall be brought."),
)


def address_problems(settings: DeliverySettings, address: Address | None) -> list[Problem]:
    """Problems for missing fields, and for a postcode without delivery; each names its field."""
    filled = address or Address()
    problems = []
    for name, text in _MISSING:
        if not getattr(filled, name).strip():
            problems.append(Problem("address_missing", text, f"/address/{name}"))
    if filled.postcode.strip() and zone_of(settings, filled) is None:
        text = "We do not deliver to {postcode}."
        problems.append(Problem("no_delivery", text, "/address/postcode", {"postcode": filled.postcode.strip()[:20]}))
    return problems
