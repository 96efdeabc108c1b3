"""Away: a producer says once for how long nothing comes, for all hubs of this site. What is ordered is named first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from starlette.responses import Response

from commensal import Invalid, Problem, Refused, SaleDemand, Transaction, read_day
from commensal.pages import NO_MISTAKES, Mistakes, Visit, mistakes, status_of
from commensal.parts.sale_calendar import absences_of, add_absence, end_absence
from commensal.parts.supply import demand_of_supplier, sales_without

from ..frame.desk import Desk, open_desk
from ..frame.fields import goes_back, is_sure
from ..frame.render import show

_DAYS = ("first_day", "last_day")


def away_page(
    visit: Visit,
    typed: Mapping[str, str] | None = None,
    errors: Mistakes = NO_MISTAKES,
    status: int = 200,
    *,
    asking: tuple[date, date] | None = None,
    ordered: Sequence[SaleDemand] = (),
    hidden: int = 0,
) -> Response:
    """`hidden`: pieces that are ordered at hubs which show their orders only once the sale has closed."""
    with visit.read() as tx:
        desk = open_desk(tx, visit, "products:write")
        absences = absences_of(tx, desk.enterprise.id)
    return show(
        visit,
        desk,
        "away",
        at="bring",
        status=status,
        absences=absences,
        mistakes=errors,
        typed={**dict.fromkeys(_DAYS, ""), **(typed or {})},
        done=visit.query.get("done", ""),
        asking=asking,
        ordered=ordered,
        hidden=hidden,
    )


def post_away(visit: Visit) -> Response:
    """Shows what is ordered for these days, then takes the goods off the sales; or ends an absence."""
    typed = dict(visit.form)
    if goes_back(visit):
        return away_page(visit, typed)
    try:
        if visit.query.get("then") == "end":
            with visit.write() as tx:
                desk = open_desk(tx, visit, "products:write")
                end_absence(tx, desk.enterprise.id, visit.form.get("absence", ""))
            return visit.redirect(f"{desk.address}/away?done=ended")
        days = _read_days(visit)
        with visit.write() as tx, tx.attempt() as attempt:
            desk = open_desk(tx, visit, "products:write")
            add_absence(tx, desk.enterprise.id, *days)
            ordered = _ordered(tx, visit, desk, *days)
            pieces = sum(sale.pieces for sale in sales_without(tx, desk.enterprise.id, *days))
            if not is_sure(visit):
                attempt.rollback()
    except Refused as error:
        return away_page(visit, typed, mistakes(visit, error, _DAYS.__contains__), status_of(error))
    if not is_sure(visit):
        shown = sum(line.quantity for sale in ordered if not sale.origin for line in sale.lines)
        return away_page(visit, typed, asking=days, ordered=ordered, hidden=max(0, pieces - shown))
    return visit.redirect(f"{desk.address}/away?done=away")


def _read_days(visit: Visit) -> tuple[date, date]:
    days, problems = list[date](), list[Problem]()
    for name in _DAYS:
        try:
            days.append(read_day(visit.form.get(name, "").strip()))
        except ValueError:
            problems.append(Problem("day", "Write a day like 2026-08-14.", f"/{name}"))
    if problems:
        raise Invalid(problems)
    return days[0], days[1]


def _ordered(tx: Transaction, visit: Visit, desk: Desk, first_day: date, last_day: date) -> Sequence[SaleDemand]:
    """What is ordered already for hand-outs in these days, on all sites."""
    sales = demand_of_supplier(tx, visit.instance.hooks, desk.enterprise.id).sales
    return [
        sale for sale in sales if sale.begins_at and first_day <= desk.enterprise.date_at(sale.begins_at) <= last_day
    ]
