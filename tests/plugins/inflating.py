"""A carrier that says that it drove farther than it did, and shares the cost of that by the rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from commensal_transport.costs.alone import cost
from commensal_transport.costs.sharing import Participant, shares


def inflated(content: Mapping[str, Any], *, percent: int = 20) -> dict[str, Any]:
    """The statement with its kilometres inflated, and all else worked out from them."""
    (_, metres, cents_per_km, _), toll = content["items"]
    metres = metres * (100 + percent) // 100
    total = cost(metres, cents_per_km) + toll[3]
    members = [
        Participant(name=str(number), alone=alone, detour=detour, cap=cap, tariff=tariff)
        for number, alone, detour, cap, _, tariff, _ in content["participants"]
    ]
    owed = shares(content["rule"], total, members)
    rows = [[*row[:4], owed[str(row[0])], *row[5:]] for row in content["participants"]]
    items = [["km", metres, cents_per_km, cost(metres, cents_per_km)], toll]
    return {**content, "total": total, "items": items, "participants": rows}
