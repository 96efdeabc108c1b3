"""What an enterprise declares about itself before it carries goods or has them carried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from commensal import LARGEST, MinorUnits, Unfit

from .costs.law import Party

LONGEST = 100  # characters


@dataclass(frozen=True)
class Settings:
    is_farm: bool = False
    """A farm may carry goods of another farm within 100 km, for shared costs."""
    group: str = ""
    """The agricultural group (CUMA, GAEC) whose members carry for each other, as all of them write it."""
    contract: str = ""
    """The contract for common work (R3211-2), as all who are bound by it write it."""
    licence: str = ""
    """The number of the inland transport licence; needed to carry for hire."""
    offered_to: Literal["all_partners", "own_partners", "nobody"] = "all_partners"
    """Other sites that see your trips: all partners (every site that shares transport with this one), own partners
    (only those with which you trade yourself), nobody."""
    reception_hours: int = 4
    """For how many hours before a distribution begins goods are taken in here."""
    least_order: Annotated[int, MinorUnits()] = 0
    """Below this sum of its goods, nothing is ordered of a supplier when a sale closes, since nobody drives for that:
    its goods leave the orders of customers, who read why. 0: there is no such sum."""

    phone: str = ""
    """The telephone number for drivers and for those whose goods you carry; empty: that of the enterprise."""
    access: str = ""
    """What a driver needs to get in: where to ring, the code of the gate. Only whoever comes reads it, until two days
    after the trip."""

    def __post_init__(self) -> None:
        for name in ("group", "contract", "licence", "phone", "access"):
            if len(getattr(self, name)) > LONGEST:
                raise Unfit("{field}: at most {most} characters", field=name, most=LONGEST)
        if not 1 <= self.reception_hours <= 48:
            raise Unfit("reception_hours: between 1 and 48")
        if not 0 <= self.least_order <= LARGEST:
            raise Unfit("least_order: not below zero, and no more than any price")

    @property
    def party(self) -> Party:
        return Party(
            is_farm=self.is_farm, group=self.group.strip(), contract=self.contract.strip(), licence=self.licence.strip()
        )
