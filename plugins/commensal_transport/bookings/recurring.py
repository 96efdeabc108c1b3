"""Trips that come back, each week or each second one: every day is a trip of its own, with bookings and a statement.

A trip needs goods of its carrier, and goods come from sales. So the next trip is offered by itself as soon as all sales
whose goods are taken in on its way have closed; where the carrier brings nothing that day, there is none. Two farms
that take turns drive each second week.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import insert, select, update

from commensal import (
    Conflict,
    Hooks,
    Instance,
    Invalid,
    NotFound,
    Problem,
    Refused,
    SaleDemand,
    Transaction,
    enterprise_by_id,
    shifted,
)
from commensal.parts.supply import demand_of_supplier
from commensal.sale_sessions import next_opening

from ..costs.law import Basis
from ..settings import Settings
from ..tables import transport_series
from ..trips.needs import Need, needs_of
from ..trips.trips import AHEAD, TripTerms, refusal
from .bookings import carried_keys, offer_trip

Rhythm = Literal["FREQ=WEEKLY", "FREQ=WEEKLY;INTERVAL=2"]
RHYTHMS: tuple[Rhythm, ...] = get_args(Rhythm)
MOST = 20  # series of an enterprise

_series = transport_series.c


@dataclass(frozen=True, kw_only=True)
class RecurringTrip:
    """A trip that comes back. Money is in cents of euros; times are UTC, and those of its next trip.

    rhythm:    recurrence rule (RFC 5545), on the clock of the carrier
    missed_at: when the last trip that could not be offered would have started; `reason` is the code of why not
    """

    id: str
    enterprise_id: str
    rhythm: str
    vehicle_id: str
    basis: Basis
    rule: str
    toll: int
    stop_price: int
    crate_price: int
    starts_at: datetime
    ends_at: datetime
    book_until: datetime
    missed_at: datetime | None
    reason: str
    ended_at: datetime | None

    @property
    def terms(self) -> TripTerms:
        """The terms of its next trip."""
        return TripTerms(
            vehicle_id=self.vehicle_id,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            book_until=self.book_until,
            basis=self.basis,
            rule=self.rule,
            toll=self.toll,
            stop_price=self.stop_price,
            crate_price=self.crate_price,
        )


def start_series(tx: Transaction, enterprise_id: str, terms: TripTerms, rhythm: str) -> RecurringTrip:
    """Makes a trip that was offered by these terms come back; the first by itself is the one after it.

    Raises `Invalid` for a rhythm that is none of `RHYTHMS`, `Conflict` if the enterprise has too many series.
    """
    if rhythm not in RHYTHMS:
        raise Invalid([Problem("repeat", "Choose one of the answers.", "/repeat")])
    if len(series_of(tx, enterprise_id)) >= MOST:
        raise Conflict("too_many_series", "At most {most} trips come back by themselves.", most=MOST)
    until = terms.book_until or terms.starts_at - timedelta(hours=12)
    series = RecurringTrip(
        id=tx.new_id(),
        enterprise_id=enterprise_id,
        rhythm=rhythm,
        vehicle_id=terms.vehicle_id,
        basis=terms.basis,
        rule=terms.rule,
        toll=terms.toll,
        stop_price=terms.stop_price,
        crate_price=terms.crate_price,
        starts_at=terms.starts_at,
        ends_at=terms.ends_at,
        book_until=until,
        missed_at=None,
        reason="",
        ended_at=None,
    )
    values = {column.name: getattr(series, column.name) for column in transport_series.columns}
    tx.execute(insert(transport_series).values(values))
    return _advance(tx, series)


def series_of(tx: Transaction, enterprise_id: str) -> list[RecurringTrip]:
    """The series of an enterprise that have not ended, the next trip first."""
    query = select(transport_series).where(_series.enterprise_id == enterprise_id, _series.ended_at.is_(None))
    return [RecurringTrip(**row) for row in tx.all(query.order_by(_series.starts_at, _series.id))]


def end_series(tx: Transaction, enterprise_id: str, series_id: str) -> None:
    """No trip is offered by itself any more; those that were offered stay. Raises `NotFound`."""
    running = (_series.id == series_id, _series.enterprise_id == enterprise_id, _series.ended_at.is_(None))
    if not tx.change(update(transport_series).where(*running).values(ended_at=tx.now)):
        raise NotFound


def why_missed(series: RecurringTrip) -> Conflict:
    """Why the last trip could not be offered, for people."""
    match series.reason:
        case "full" | "time" | "class" | "place":
            return refusal(series.reason)
        case "already":
            return Conflict("already", "These goods travel with another trip already; cancel that booking first.")
        case _:
            return Conflict("terms", "Its vehicle, its legal basis or its times are not valid any more.")


# ------------------------------------------------------------------------------------------------ each day's trip


def offer_due(instance: Instance) -> None:
    """Offers the next trip of each series whose sales have closed: a transaction for each, so that none holds up the
    others."""
    with instance.store.read() as tx:
        soon = (_series.ended_at.is_(None), _series.starts_at < tx.now + AHEAD)
        ids = [row["id"] for row in tx.all(select(_series.id).where(*soon).order_by(_series.starts_at, _series.id))]
    for series_id in ids:
        with instance.store.write() as tx:
            _offer_next(tx, instance.hooks, series_id)


def _offer_next(tx: Transaction, hooks: Hooks, series_id: str) -> None:
    running = (_series.id == series_id, _series.ended_at.is_(None))
    row = tx.first(select(transport_series).where(*running).with_for_update())
    if row is None:
        return
    series = RecurringTrip(**row)
    if series.book_until <= tx.now:
        _advance(tx, series)
        return
    needs = _needs_on_the_way(tx, hooks, series)
    if not needs or _waits_for_sales(tx, hooks, series):
        return
    try:
        with tx.attempt():
            offer_trip(tx, hooks, series.enterprise_id, series.terms, [need.key for need in needs])
    except Refused as error:
        code = error.problems[0].code if error.problems else error.code
        missed = {"missed_at": series.starts_at, "reason": code[:40]}
        tx.execute(update(transport_series).where(_series.id == series.id).values(missed))
    _advance(tx, series)


def _needs_on_the_way(tx: Transaction, hooks: Hooks, series: RecurringTrip) -> list[Need]:
    """What the carrier brings on the day of the next trip, and nobody carries yet."""
    carried = carried_keys(tx, series.enterprise_id)
    return [
        need
        for need in needs_of(tx, hooks, series.enterprise_id)
        if need.key not in carried and need.alone and need.opens < series.ends_at and need.closes > series.starts_at
    ]


def _waits_for_sales(tx: Transaction, hooks: Hooks, series: RecurringTrip) -> bool:
    """Whether a sale is still open whose goods this trip would bring, and closes in time for others to book."""
    sales = demand_of_supplier(tx, hooks, series.enterprise_id).sales
    running = [sale for sale in sales if not sale.final and _is_served(sale, series)]
    return any(sale.cut_off is not None and sale.cut_off < series.book_until for sale in running)


def _is_served(sale: SaleDemand, series: RecurringTrip) -> bool:
    """Whether goods of a sale are taken in while this trip is on the road, as far as its hub's hours are known."""
    if sale.begins_at is None or sale.shop_id == series.enterprise_id:
        return False
    opens = sale.begins_at - timedelta(hours=Settings.reception_hours)
    return opens < series.ends_at and sale.begins_at > series.starts_at


def _advance(tx: Transaction, series: RecurringTrip) -> RecurringTrip:
    """Moves a series to its next trip that can still be booked. 10:00 stays 10:00 when the clocks change."""
    timezone = enterprise_by_id(tx, series.enterprise_id).timezone
    notice = series.starts_at - series.book_until
    following = next_opening(series.rhythm, series.starts_at, timezone, not_before=tx.now + notice)
    if following is None:
        values: dict[str, Any] = {"ended_at": tx.now}
    else:
        starts_at, rhythm = following
        later = {
            name: shifted(getattr(series, name), timezone, start=series.starts_at, new_start=starts_at)
            for name in ("ends_at", "book_until")
        }
        values = {"starts_at": starts_at, "rhythm": rhythm, **later}
    tx.execute(update(transport_series).where(_series.id == series.id).values(values))
    return RecurringTrip(**tx.one(select(transport_series).where(_series.id == series.id)))
