"""The settings of a hub: its fees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from .by_order import (
    FlatPercentItemTotal,
    FlatPercentPerItem,
    FlatPercentWithin,
    FlatRate,
    FlexiRate,
    PerItem,
    PriceSack,
    Weight,
    WeightSteps,
)

MOST = 10  # fees of one hub

AnyFee = (
    FlatPercentItemTotal
    | FlatPercentPerItem
    | FlatPercentWithin
    | FlatRate
    | FlexiRate
    | PerItem
    | PriceSack
    | Weight
    | WeightSteps
)


@dataclass(frozen=True)
class Settings:
    fees: Annotated[tuple[AnyFee, ...], msgspec.Meta(max_length=MOST)] = ()
    """The fees, each with its ``calculator`` and what that needs, in the order in which customers see them."""
