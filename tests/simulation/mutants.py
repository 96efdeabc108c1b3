"""Bugs that a programmer could have made, planted by name: the simulator must find each of them.

A check that finds none of them would prove nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

from . import (
    plants_around_trade,
    plants_in_delivery,
    plants_in_leases,
    plants_in_money,
    plants_in_orders,
    plants_in_rules,
)
from .planting import Plant

MUTANTS: Mapping[str, Plant] = {
    name: plant
    for place in (
        plants_in_delivery,
        plants_in_leases,
        plants_in_money,
        plants_in_orders,
        plants_in_rules,
        plants_around_trade,
    )
    for name, plant in vars(place).items()
    if getattr(plant, "__annotations__", {}).keys() == {"stack", "return"}
}


def planted(name: str) -> ExitStack:
    """Plants the bug of this name until the block ends, or the stack is closed."""
    stack = ExitStack()
    MUTANTS[name](stack)
    return stack
