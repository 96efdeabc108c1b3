"""Help between farms is for shared costs and no more: what others paid a carrier in a year, against what its kilometres
cost.

Goods of others travel without a licence only if the carrier is "not paid, except, as the case may be, for shared costs"
(code des transports R3211-3 2°). Costs are those of the vehicle for the way, as for car-pooling (R3132-1): fuel, wear,
insurance, tolls; the driver's work is none. So a kilometre counts up to a limit that the operator sets, whatever the
carrier writes, and whoever has got more than their rounds of a year cost takes no more guests as help between farms.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import case, func, select

from commensal import Hooks, Transaction

from ..costs.alone import cost
from ..costs.law import Basis
from ..service_settings import ServiceSettings
from ..tables import transport_statement, transport_trip
from .needs import ID

PERIOD = timedelta(days=365)
SHARES_COSTS: tuple[Basis, ...] = ("own_account", "farm_help")
"""On these bases a carrier gets shares of its costs, and no pay."""

_trip, _statement = transport_trip.c, transport_statement.c


@dataclass(frozen=True, kw_only=True)
class HelpYear:
    """The rounds of a carrier as help between farms in the last year, by their statements. Money is in cents.

    metres:   of its rounds, with the way for its own goods
    costs:    of these kilometres, with tolls, a kilometre at `limit` at most
    received: what others paid
    limit:    cents of a kilometre
    """

    rounds: int = 0
    metres: int = 0
    costs: int = 0
    received: int = 0
    limit: int = ServiceSettings().cents_per_km

    @property
    def is_beyond_costs(self) -> bool:
        return self.received > self.costs

    def with_round(self, *, metres: int, cents_per_km: int, toll: int, received: int) -> HelpYear:
        """The year with another round."""
        costs = cost(metres, min(cents_per_km, self.limit)) + toll
        return replace(
            self,
            rounds=self.rounds + 1,
            metres=self.metres + metres,
            costs=self.costs + costs,
            received=self.received + received,
        )


def help_limit(hooks: Hooks) -> int:
    """Cents that a kilometre counts at most; what the operator has set."""
    settings = hooks.instance_settings(ID)
    return settings.cents_per_km if isinstance(settings, ServiceSettings) else ServiceSettings().cents_per_km


def help_years(tx: Transaction, hooks: Hooks, carrier_ids: Collection[str]) -> Mapping[str, HelpYear]:
    """The year of each of these carriers, by the statements that are known here, with one statement for all of them."""
    limit = help_limit(hooks)
    years = {id: HelpYear(limit=limit) for id in carrier_ids}
    if not years:
        return years
    rate = case((_trip.cents_per_km > limit, limit), else_=_trip.cents_per_km)
    query = (
        select(
            _trip.enterprise_id.label("carrier_id"),
            func.count().label("rounds"),
            func.sum(_statement.metres).label("metres"),
            func.sum(_statement.metres * rate).label("thousandths"),
            func.sum(_trip.toll).label("toll"),
            func.sum(_statement.received).label("received"),
        )
        .join_from(transport_statement, transport_trip, _trip.id == _statement.trip_id)
        .where(_trip.enterprise_id.in_(years), _trip.basis.in_(SHARES_COSTS), _statement.written_at > tx.now - PERIOD)
        .group_by(_trip.enterprise_id)
    )
    for row in tx.all(query):
        years[row["carrier_id"]] = HelpYear(
            rounds=row["rounds"],
            metres=int(row["metres"]),
            received=int(row["received"]),
            costs=(int(row["thousandths"]) + 500) // 1000 + int(row["toll"]),
            limit=limit,
        )
    return years
