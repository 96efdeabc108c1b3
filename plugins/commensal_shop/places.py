"""Ways to receive an order, by where that is: what is collected at one place stands together, and what is brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commensal import ShippingOption


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where customers collect, with the options there; or everything that is brought to them.

    `note` is how to find the door.
    """

    brought: bool
    address: str
    note: str
    options: Mapping[str, ShippingOption]


def by_place(options: Mapping[str, ShippingOption]) -> list[Place]:
    """In the order in which they are offered; what is brought comes last."""
    groups: dict[tuple[bool, str, str], dict[str, ShippingOption]] = {}
    for name, option in options.items():
        collected = ("", "") if option.needs_address else (option.address, option.note)
        where = (option.needs_address, *collected)
        groups.setdefault(where, {})[name] = option
    return [
        Place(brought=brought, address=address, note=note, options=groups[brought, address, note])
        for brought, address, note in sorted(groups, key=lambda where: where[0])
    ]
