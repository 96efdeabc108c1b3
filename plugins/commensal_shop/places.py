"""Groups shipping options: pickups at the same place together, deliveries together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commensal import ShippingOption


@dataclass(frozen=True, kw_only=True)
class ShippingGroup:
    """The options of one pickup place, or all deliveries (`brought`). `note` says how to find the place."""

    brought: bool
    address: str
    note: str
    options: Mapping[str, ShippingOption]


def group_by_place(options: Mapping[str, ShippingOption]) -> list[ShippingGroup]:
    """Groups in the order in which the options are offered; deliveries come last."""
    groups: dict[tuple[bool, str, str], dict[str, ShippingOption]] = {}
    for name, option in options.items():
        place = ("", "") if option.needs_address else (option.address, option.note)
        key = (option.needs_address, *place)
        groups.setdefault(key, {})[name] = option
    return [
        ShippingGroup(brought=brought, address=address, note=note, options=groups[brought, address, note])
        for brought, address, note in sorted(groups, key=lambda key: key[0])
    ]
