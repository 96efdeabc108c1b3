"""On what basis goods of others are carried (France), and what must be so for it.

Every carriage is public unless it is shown to be for own account; the driver proves it by papers on board (code des
transports L1000-3), so each booking has its basis and the run sheet prints it. `farm_help` is R3211-3 2° (decree
2020-1088): farm to farm, within 100 km of where the carriage starts, free but for shared costs. `group` is R3211-4,
`common_work` R3211-2; `hire` needs an inland licence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ..places.routing import Point, crow_flight

Basis = Literal["own_account", "farm_help", "group", "common_work", "hire"]
BASES: tuple[Basis, ...] = get_args(Basis)
FARM_HELP = 100_000  # metres around the commune where the carriage starts


@dataclass(frozen=True, kw_only=True)
class Party:
    """What an enterprise declares about itself in its settings."""

    is_farm: bool = False
    group: str = ""
    contract: str = ""
    licence: str = ""


def proof(basis: Basis, carrier: Party) -> str | None:
    """What the carrier's papers name for this basis: the group, the contract, the licence; "" for what needs no name.

    None: the carrier may not carry on this basis.
    """
    if basis == "own_account":
        return ""
    if basis == "farm_help":
        return "" if carrier.is_farm else None
    named = {"group": carrier.group, "common_work": carrier.contract, "hire": carrier.licence}
    return named[basis] or None


def may_carry(basis: Basis, proof: str, sender: Party, stops: Sequence[Point]) -> bool:
    """Whether a carrier with this proof may carry the sender's goods along these stops, given in their order."""
    if basis == "farm_help":
        return sender.is_farm and all(crow_flight(stops[0], place) <= FARM_HELP for place in stops)
    if basis == "group":
        return sender.group == proof
    if basis == "common_work":
        return sender.contract == proof
    return basis == "hire"  # own account: only one's own goods
