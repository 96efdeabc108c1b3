"""Ways to receive an order, by where that is: what is collected at one place stands together, and what is brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commensal import ShippingOption


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where customers collect, with the options there; or everything that is brought to them."""

    brought: bool
    address: str
    options: Mapping[str, ShippingOption]


def by_place(options: Mapping[str, ShippingOption]) -> list[Place]:
    """In the order in which they are offered; what is brought comes last."""
    groups: dict[tuple[bool, str], dict[str, ShippingOption]] = {}
    for name, option in options.items():
        where = (option.needs_address, "" if option.needs_address else option.address)
        groups.setdefault(where, {})[name] = option
    return [
        Place(brought=brought, address=address, options=groups[brought, address])
        for brought, address in sorted(groups, key=lambda where: where[0])
    ]
