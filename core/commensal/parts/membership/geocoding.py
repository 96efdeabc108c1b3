"""Asks plugins where an address is (hook `geocode`)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ...hooks import specifications
from ...hooks.values import FoundPlace

if TYPE_CHECKING:
    from ...instance import Instance
    from ...pricing.values import Address

_LONGEST = 300  # characters of a label or a source


def find_place(instance: Instance, address: Address) -> FoundPlace | None:
    """Where the first plugin that knows the address says it is; None if none does, or if it names no town.

    Asks services outside, for up to five seconds: call it outside of transactions. What is found is a proposal for
    whoever has typed the address.
    """
    if not (address.postcode.strip() or address.city.strip()):
        return None
    hook = specifications.geocode
    for answer in instance.hooks.each(hook, None, instance=instance, address=address):
        if answer.value is not None and _is_place(answer.value):
            return answer.value
        instance.hooks.blame(hook, answer.plugin, "what it found is not a place on earth, or has no label or source")
    return None


def _is_place(place: FoundPlace) -> bool:
    on_earth = all(
        degrees.is_finite() and abs(degrees) <= most
        for degrees, most in ((place.latitude, Decimal(90)), (place.longitude, Decimal(180)))
    )
    return on_earth and all(0 < len(text.strip()) <= _LONGEST for text in (place.label, place.source))
