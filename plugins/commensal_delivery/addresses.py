"""What an address must say so that an order can be brought there."""

from __future__ import annotations

from commensal import Address, Problem

from .zones import DeliverySettings, zone_of

_MISSING = (
    ("street", "Say in which street your order shall be brought."),
    ("postcode", "Say the postcode of where your order shall be brought."),
    ("city", "Say in which town your order shall be brought."),
)


def address_problems(settings: DeliverySettings, address: Address | None) -> list[Problem]:
    """What is missing, and whether anybody goes there: each problem names its field."""
    given = address or Address()
    found = []
    for name, text in _MISSING:
        if not getattr(given, name).strip():
            found.append(Problem("address_missing", text, f"/address/{name}"))
    if given.postcode.strip() and zone_of(settings, given) is None:
        text = "We do not deliver to {postcode}."
        found.append(Problem("no_delivery", text, "/address/postcode", {"postcode": given.postcode.strip()[:20]}))
    return found
