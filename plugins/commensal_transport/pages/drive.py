"""The pages on which an enterprise offers a trip of its own: \"I drive anyway\", planned rounds, and its vehicles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from starlette.responses import Response

from commensal import Enterprise, Invalid, Problem, Row, Screen, Transaction, enterprises_by_id
from commensal.pages import Visit, on_refusal

from ..bookings.bookings import bookings_of_enterprise, offer_trip
from ..bookings.recurring import start_series
from ..bookings.states import ACTIVE
from ..costs.alone import CENTS_PER_KM
from ..costs.cost_rules import rule_texts
from ..costs.law import BASES
from ..forms import as_key, cents, key_text, moment, typed_moment, whole
from ..places.loads import CLASSES
from ..planning.planning import suppliers_of
from ..planning.proposals import ask_for_plan, newest_plan, rounds_of_plan
from ..trips.help_years import help_years
from ..trips.needs import Need, needs_of
from ..trips.trips import TripTerms, newest_trip
from ..trips.vehicles import add_vehicle, archive_vehicle, vehicles_of
from .week import transport_url

_SLACK = timedelta(hours=1)  # for stops on the way, at both ends
_FIELDS = {
    "vehicle_id",
    "starts_at",
    "ends_at",
    "book_until",
    "basis",
    "rule",
    "toll",
    "stop_price",
    "crate_price",
    "needs",
    "repeat",
}


_EMPTY = {
    "basis": "farm_help",
    "rule": "same_saving/1",
    "toll": "",
    "stop_price": "",
    "crate_price": "",
    "starts_at": "",
    "ends_at": "",
    "book_until": "",
    "repeat": "",
}


def drive_page(visit: Visit, shop: Enterprise) -> Screen | Response:
    with visit.read() as tx:
        needs = open_needs(tx, visit, shop)
        vehicles, before = vehicles_of(tx, shop.id), newest_trip(tx, shop.id)
        rules = rule_texts(tx, visit.instance.hooks, visit.language)
        year = help_years(tx, visit.instance.hooks, [shop.id])[shop.id]
        now = tx.now
    if not vehicles:
        return visit.redirect(f"{transport_url(shop.id)}/vehicles?done=first")
    typed = {**_EMPTY, **(visit.form or _proposed(needs, before, shop.timezone, now))}
    context = {
        "needs": [(f"need/{key_text(need.key)}", need) for need in needs],
        "vehicles": vehicles,
        "typed": typed,
        "home": transport_url(shop.id),
        "bases": BASES,
        "rules_of_plugins": rules,
        "zone": shop.timezone,
        "sent": bool(visit.form),
        "year": year,
    }
    return Screen(template="transport/drive.html", context=context)


def open_needs(tx: Transaction, visit: Visit, shop: Enterprise) -> list[Need]:
    """What the enterprise must bring and nobody carries yet, as far as its places are known."""
    mine = bookings_of_enterprise(tx, shop.id)
    carried = {booking.key for booking in mine if booking.sender_id == shop.id and booking.state in ACTIVE}
    needs = needs_of(tx, visit.instance.hooks, shop.id)
    return [need for need in needs if need.key not in carried and need.alone and need.closes > tx.now]


def _proposed(needs: Sequence[Need], before: Row | None, timezone: str, now: datetime) -> dict[str, str]:
    """The form as it is proposed: the hours of last time on the day of the first need, else just in time for it."""
    typed = dict(_EMPTY)
    if not needs:
        return typed
    first = needs[0]
    assert first.alone is not None
    half = timedelta(minutes=first.alone.minutes) / 2
    starts, ends = max(first.opens, now) - half, first.closes + half + _SLACK
    if before:
        zone = ZoneInfo(timezone)
        day = first.closes.astimezone(zone).date()
        usual = datetime.combine(day, before["starts_at"].astimezone(zone).time(), zone)
        if now < usual < first.closes:
            starts, ends = usual, usual + (before["ends_at"] - before["starts_at"])
        typed |= {"basis": before["basis"], "rule": before["rule"], "vehicle_id": before["vehicle_id"]}
    starts = max(starts - _SLACK if not before else starts, now + timedelta(minutes=5))
    return typed | {
        "starts_at": typed_moment(starts, timezone),
        "ends_at": typed_moment(ends, timezone),
        "book_until": typed_moment(
            max(now, starts - timedelta(hours=12))
            if starts - now < timedelta(hours=13)
            else starts - timedelta(hours=12),
            timezone,
        ),
        **{f"need/{key_text(need.key)}": "1" for need in needs if need.closes < first.closes + timedelta(hours=12)},
    }


@on_refusal(drive_page, _FIELDS)
def post_drive(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Offers the trip."""
    with visit.write() as tx:
        keys = [as_key(name.removeprefix("need/")) for name in visit.form if name.startswith("need/")]
        terms = _read(visit, shop.timezone)
        trip = offer_trip(tx, visit.instance.hooks, shop.id, terms, keys)
        if visit.form.get("repeat"):
            start_series(tx, shop.id, terms, visit.form["repeat"])
    return visit.redirect(f"{transport_url(shop.id)}/trips/{trip.id}?done=offered")


def _read(visit: Visit, timezone: str) -> TripTerms:
    form = visit.form
    starts, ends = moment(form, "starts_at", timezone), moment(form, "ends_at", timezone)
    if starts is None or ends is None:
        raise Invalid([Problem("moment", "Give a day and a time, like 2026-06-04 18:00.", "/starts_at")])
    basis = next((basis for basis in BASES if basis == form.get("basis")), None)
    if basis is None or not form.get("rule"):
        raise Invalid([Problem("basis", "Choose one of the answers.", "/basis" if basis is None else "/rule")])
    return TripTerms(
        vehicle_id=form.get("vehicle_id", ""),
        starts_at=starts,
        ends_at=ends,
        book_until=moment(form, "book_until", timezone),
        basis=basis,
        rule=form["rule"],
        toll=cents(form, "toll"),
        stop_price=cents(form, "stop_price"),
        crate_price=cents(form, "crate_price"),
    )


# The page on which a hub has rounds planned for what comes to it, and reads who has accepted.


def plan_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        plan = newest_plan(tx, shop.id)
        rounds = rounds_of_plan(tx, plan.id) if plan else []
        suppliers = len(suppliers_of(tx, visit.instance.hooks, shop.id))
        enterprises = enterprises_by_id(tx, {each.enterprise_id for goods in rounds for each in goods})
    context = {
        "plan": plan,
        "rounds": rounds,
        "suppliers": suppliers,
        "enterprises": enterprises,
        "zone": shop.timezone,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="transport/plan.html", context=context)


def post_plan(visit: Visit, shop: Enterprise) -> Response:
    """Has rounds planned anew."""
    with visit.write() as tx:
        ask_for_plan(tx, shop.id)
    return visit.redirect(f"{transport_url(shop.id)}/plan?done=asked")


# The page of an enterprise's vehicles.


def vehicles_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        vehicles = vehicles_of(tx, shop.id)
    usual = {
        "name": "",
        "crates": "60",
        "kg": "700",
        "cold": "0",
        "keeping": "ambient",
        "cents_per_km": f"0.{CENTS_PER_KM}",
    }
    context = {
        "vehicles": vehicles,
        "typed": {**usual, **visit.form},
        "classes": CLASSES,
        "home": transport_url(shop.id),
        "done": visit.query.get("done", ""),
    }
    return Screen(template="transport/vehicles.html", context=context)


@on_refusal(vehicles_page)
def post_vehicles(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Adds a vehicle, or archives one."""
    with visit.write() as tx:
        if visit.query.get("then") == "archive":
            archive_vehicle(tx, shop.id, visit.form.get("vehicle", ""), visit.form_version)
        else:
            form = visit.form
            keeping = next((each for each in CLASSES if each == form.get("keeping")), None)
            if keeping is None:
                raise Invalid([Problem("keeping", "Choose one of the answers.", "/keeping")])
            add_vehicle(
                tx,
                shop.id,
                name=form.get("name", ""),
                crates=whole(form, "crates"),
                kg=whole(form, "kg"),
                cold=whole(form, "cold", 0),
                keeping=keeping,
                cents_per_km=cents(form, "cents_per_km"),
            )
    return visit.redirect(f"{transport_url(shop.id)}/vehicles?done=saved")
