"""Groups shipping options: pickups at the same place on the same day together, deliveries of a day together.

The label of an option names all of it: place, day and time. Under a heading with the place and the day the time is
enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from commensal import ShippingOption, format_day, format_span


@dataclass(frozen=True, kw_only=True)
class ShippingGroup:
    """The options of one pickup place on a day, or all deliveries of a day (`brought`).

    name:    of the place, "" if options do not name one; day: in words; note: how to find the place
    options: with the text of each, by id
    """

    brought: bool
    name: str
    address: str
    note: str
    day: str
    options: Mapping[str, tuple[ShippingOption, str]]


def group_by_place(options: Mapping[str, ShippingOption], zone: str, language: str) -> list[ShippingGroup]:
    """Groups in the order in which the options are offered; deliveries come last. `zone` is the shop's time zone."""
    groups: dict[tuple[bool, str, str, str, str], dict[str, tuple[ShippingOption, str]]] = {}
    for id, option in options.items():
        name, text = _name_and_time(option, zone, language)
        place = ("", "", "") if option.needs_address else (name, option.address, option.note)
        key = (option.needs_address, *place, format_day(option.begins_at, zone, language))
        groups.setdefault(key, {})[id] = (option, text)
    return [
        ShippingGroup(brought=key[0], name=key[1], address=key[2], note=key[3], day=key[4], options=groups[key])
        for key in sorted(groups, key=lambda key: key[0])
    ]


def _name_and_time(option: ShippingOption, zone: str, language: str) -> tuple[str, str]:
    """The name of the place and the hours. If the label does not end with the time, it is shown as it is."""
    span = format_span(option.begins_at, option.ends_at, zone, language)
    if not option.label.endswith(span) or len(option.label) == len(span):
        return "", option.label
    hours = span.removeprefix(format_day(option.begins_at, zone, language)).lstrip(", ")
    return option.label.removesuffix(span).rstrip(", "), hours
