"""What suppliers are to bring, over the API: for themselves, and for coordinators of sales."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Routes
from ...base.errors import Invalid, Problem
from ..sale_calendar.absences import Absence, absences_of, add_absence, end_absence
from ..supply.demand import Demand, SupplierTotals, demand_of_coordination, demand_of_supplier

routes = Routes("demand")

LONGEST_AGO = timedelta(days=366)


class DemandQuery(Body, frozen=True, kw_only=True):
    """Sales whose distribution ends after `since`, by default those still to come; or one `session` of this
    instance."""

    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    session: Annotated[str, msgspec.Meta(max_length=64)] = ""


class NewAbsence(Body, frozen=True, kw_only=True):
    """First and last day, both included, where the distribution is."""

    first_day: date
    last_day: date


@routes.get("/enterprises/{enterprise}/absences", scope="demand:read")
def absences(call: Call, enterprise: str) -> Sequence[Absence]:
    """The periods to come in which the enterprise, as a supplier, brings nothing."""
    return absences_of(call.tx, enterprise)


@routes.post("/enterprises/{enterprise}/absences", scope="products:write", status=201)
def create_absence(call: Call, enterprise: str, body: NewAbsence) -> Absence:
    """Takes the enterprise's goods off all sales whose distribution is in these days, also those of hubs on other
    instances, which are told. What is ordered stays ordered."""
    return add_absence(call.tx, enterprise, body.first_day, body.last_day)


@routes.delete("/enterprises/{enterprise}/absences/{absence}", scope="products:write")
def delete_absence(call: Call, enterprise: str, absence: str) -> None:
    """Ends an absence: the goods are on sale again."""
    end_absence(call.tx, enterprise, absence)


@routes.get("/enterprises/{enterprise}/demand", scope="demand:read")
def demand(call: Call, enterprise: str, query: DemandQuery) -> Demand:
    """What this enterprise is to bring as a supplier, by sale and over all sales and instances, without customers.

    Running sums of another enterprise's sale are there if it grants ReadOrders; after the cut-off they need no grant.
    """
    if query.since is not None and query.since < call.tx.now - LONGEST_AGO:
        raise Invalid([Problem("too_long_ago", "Demand goes back for a year.", "/since")])
    return demand_of_supplier(
        call.tx, call.instance.hooks, enterprise, since=query.since, session_id=query.session or None
    )


@routes.get("/enterprises/{enterprise}/coordinations/{coordination}/demand", scope="orders:read")
def coordination_demand(call: Call, enterprise: str, coordination: str) -> list[SupplierTotals]:
    """What each supplier brings to all shops of a sale together."""
    return demand_of_coordination(call.tx, coordination, enterprise)
