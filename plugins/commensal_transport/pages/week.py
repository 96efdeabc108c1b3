"""Who carries what this week, on one screen: what to bring, what it costs alone, who passes by, and what comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import cos, radians

from starlette.responses import Response

from commensal import Enterprise, NotFound, Screen, Transaction, enterprises_by_id, say
from commensal.pages import Visit, on_refusal

from ..bookings.bookings import book, bookings_of_enterprise, counted_of, empties_of, report
from ..bookings.counts import REASONS, differing_counts, say_count
from ..bookings.mails import contacts_of, may_meet, tell
from ..bookings.offers import NeedAnswer, find_quotes
from ..bookings.quotes import refusal_of
from ..bookings.recurring import end_series, series_of, why_missed
from ..bookings.states import ACTIVE, TOOK_PART
from ..costs.cost_rules import rule_texts
from ..forms import as_key, key_text, optional_cents, optional_whole, whole
from ..news import ask_others
from ..places.routing import Point
from ..planning.proposals import answer_proposal, companions_of, open_proposals
from ..trips.needs import Need, correct_load, needs_of, point_of
from ..trips.trips import Trip, trip_by_id, trips_by_id, trips_of

# A map of places and of the ways between them, drawn without tiles of anybody: nobody else learns who looks where.
#
# Places are numbered; the list of their names below the drawing says the same in words.

WIDTH, TALLEST, EDGE = 360, 300, 24  # units of the drawing
_KM_PER_DEGREE = 111.2
_SCALES = (200, 100, 50, 20, 10, 5, 2, 1)  # km of the bar


@dataclass(frozen=True)
class MapPlace:
    """A numbered place at `x`, `y` of the drawing."""

    number: int
    name: str
    x: float
    y: float


@dataclass(frozen=True)
class MapDrawing:
    """`ways` are lists of corners as SVG has them; a bar of `bar` units is `bar_km` kilometres of the great circle."""

    height: int
    places: Sequence[MapPlace]
    ways: Sequence[str]
    bar: float
    bar_km: int
    width: int = WIDTH


def draw_map(names: Mapping[Point, str], ways: Sequence[Sequence[Point]]) -> MapDrawing | None:
    """Draws the places by their names, in this order, and ways along them; None where there are not two places."""
    if len(names) < 2:
        return None
    north = max(point.latitude for point in names)
    middle = cos(radians(sum(point.latitude for point in names) / len(names)))
    km = {
        point: (float(point.longitude) * middle * _KM_PER_DEGREE, float(north - point.latitude) * _KM_PER_DEGREE)
        for point in names
    }
    west = min(x for x, _ in km.values())
    wide, tall = max(x for x, _ in km.values()) - west, max(y for _, y in km.values())
    scale = min((WIDTH - 2 * EDGE) / max(wide, 0.1), (TALLEST - 2 * EDGE) / max(tall, 0.1))
    left = (WIDTH - wide * scale) / 2
    at = {point: (round(left + (x - west) * scale, 1), round(EDGE + y * scale, 1)) for point, (x, y) in km.items()}
    bar_km = next((km for km in _SCALES if km * scale <= WIDTH / 3), 1)
    return MapDrawing(
        height=round(tall * scale) + 2 * EDGE + 16,
        places=[MapPlace(number, name, *at[point]) for number, (point, name) in enumerate(names.items(), 1)],
        ways=[" ".join(f"{x},{y}" for x, y in map(at.__getitem__, way)) for way in ways],
        bar=round(bar_km * scale, 1),
        bar_km=bar_km,
    )


# Enterprises as pages name them: those of other instances with the name of their instance.


def partners_by_id(tx: Transaction, visit: Visit, ids: Collection[str]) -> dict[str, Enterprise]:
    """The existing enterprises among these ids; the name of one that lives elsewhere is followed by its instance's."""
    enterprises = enterprises_by_id(tx, ids)
    if "federation" not in visit.instance.hooks.plugins():
        return enterprises
    from ..elsewhere.names import instances_of

    instances = instances_of(visit.instance, tx, ids)
    return {
        id: replace(enterprise, name=f"{enterprise.name} ({instances[id]})") if id in instances else enterprise
        for id, enterprise in enterprises.items()
    }


def instance_names(tx: Transaction, visit: Visit, peer_ids: Collection[str]) -> dict[str, str]:
    """The names of other instances, by their ids as peers."""
    if "federation" not in visit.instance.hooks.plugins() or not peer_ids:
        return {}
    from ..elsewhere.names import names_of

    return names_of(tx, peer_ids)


def transport_url(enterprise_id: str) -> str:
    """The address of the page on which an enterprise sees who carries what."""
    return f"/office/{enterprise_id}/transport"


def week_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        context = week_of(tx, visit, shop)
    context |= {
        "refusal": lambda code: say(visit.language, refusal_of(code)),
        "done": visit.query.get("done", ""),
        "home": transport_url(shop.id),
        "wrong": visit.form.get("need", "") if visit.query.get("then") == "load" else "",
        "typed": visit.form,
        "confirming": visit.query.get("cancel", ""),
        "edited": visit.query.get("load", ""),
    }
    return Screen(template="transport/week.html", context=context)


def week_of(tx: Transaction, visit: Visit, shop: Enterprise) -> dict[str, object]:
    """What the page shows. Its statements grow with the hubs alone, not with trips or bookings."""
    hooks = visit.instance.hooks
    mine = bookings_of_enterprise(tx, shop.id)
    active = {booking.key: booking for booking in mine if booking.sender_id == shop.id and booking.state in ACTIVE}
    refused = {booking.key: booking for booking in mine if booking.sender_id == shop.id and booking.state == "refused"}
    offers = [
        NeedAnswer(need, key_text(need.key), active.get(need.key), refused.get(need.key))
        for need in sorted(needs_of(tx, hooks, shop.id), key=lambda need: need.closes <= tx.now)  # what is over, last
    ]
    if any(offer.booking is None for offer in offers):
        find_quotes(tx, hooks, shop.id, offers, visit.language)
    trips = {trip.id: trip for trip in trips_of(tx, shop.id, since=tx.now)}
    others = trips_by_id(tx, {booking.trip_id for booking in mine} - trips.keys())
    known = trips | others
    arriving = sorted(
        (booking for booking in mine if booking.receiver_id == shop.id and booking.state in ACTIVE),
        key=lambda booking: booking.delivery_at,
    )
    riding = {booking.trip_id for booking in mine if booking.state in TOOK_PART}
    past = [trip for trip in known.values() if trip.state == "driven" and (trip.id in trips or trip.id in riding)]
    named = {trip.enterprise_id for trip in known.values()} | {booking.sender_id for booking in mine}
    named |= {quote.trip.enterprise_id for offer in offers for quote in offer.quotes}
    named |= {carrier_id for offer in offers for carrier_id, _ in offer.refusals}
    named |= {carrier_id for offer in offers for carrier_id in offer.waiting}
    met: dict[str, list[str]] = {}
    for booking in mine:
        trip = known[booking.trip_id]
        if trip.enterprise_id != shop.id and may_meet(booking, trip, tx.now):
            met.setdefault(trip.enterprise_id, []).append(booking.id)
    driving = [trip for trip in trips.values() if trip.state == "open"]
    named |= {stop.enterprise_id for trip in driving for stop in trip.stops}
    proposals = open_proposals(tx, shop.id)
    companions = companions_of(tx, list(proposals.values()))
    named |= {together[0].enterprise_id for together in companions.values()}
    differing = differing_counts(tx, shop.id, states=("open", "kept", "lost"))
    named |= {id for counts in differing for id in counts.sides.values()}
    enterprises = partners_by_id(tx, visit, named)
    return {
        "differing": differing,
        "reasons": REASONS,
        "proposals": proposals,
        "companions": companions,
        "is_hub": shop.is_hub,
        "contacts": contacts_of(tx, hooks, met, enterprises),
        "series": [(series, say(visit.language, why_missed(series))) for series in series_of(tx, shop.id)],
        "rule_labels": rule_texts(tx, hooks, visit.language),
        "offers": offers,
        "trips": driving,
        "known": known,
        "past": sorted(past, key=lambda trip: trip.starts_at, reverse=True),
        "arriving": arriving,
        "empties": empties_of(tx, [booking.id for booking in arriving]),
        "counted": counted_of(tx, [booking.id for booking in arriving]),
        "map": _map_of_week(shop, [offer.need for offer in offers], driving, enterprises),
        "enterprises": enterprises,
        "zone": shop.timezone,
        "now": tx.now,
    }


def _map_of_week(
    shop: Enterprise, needs: Sequence[Need], trips: Sequence[Trip], enterprises: Mapping[str, Enterprise]
) -> MapDrawing | None:
    """Where the enterprise is, to which hubs it brings goods, and its own trips; never those of others."""
    home = point_of(shop)
    names = {home: shop.name} if home else {}
    for need in needs:
        if need.destination:
            names.setdefault(need.destination, need.shop)
    for stop in (stop for trip in trips for stop in trip.stops):
        names.setdefault(stop.place, enterprises[stop.enterprise_id].name)
    return draw_map(names, [[stop.place for stop in trip.stops] for trip in trips])


@on_refusal(week_page, {"crates", "kg", "most", "reason"})
def post_week(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Books a quote, cancels a booking, refuses goods that came warm, says what was counted, corrects a load, or ends a
    series of trips."""
    actions = {
        "accept": _accept,
        "decline": _decline,
        "ask": _ask,
        "book": _book,
        "end": _end,
        "cancel": _cancel,
        "warm": _warm,
        "load": _correct,
        "count": _count,
    }
    act = actions.get(visit.query.get("then", ""))
    if act is None:
        raise NotFound
    with visit.write() as tx:
        done = act(tx, visit, shop)
    return visit.redirect(f"{transport_url(shop.id)}?done={done}")


def _book(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    form = visit.form
    price = whole(form, "price")
    booking = book(tx, visit.instance.hooks, shop.id, as_key(form.get("need", "")), form.get("trip", ""), price=price)
    if booking.state == "ordered":  # at another instance
        return "ordered"
    tell(tx, "booked", trip_by_id(tx, booking.trip_id), [booking])
    return "booked"


def _accept(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    return answer_proposal(tx, visit.instance.hooks, shop.id, visit.form.get("proposal", ""), accepts=True)


def _decline(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    return answer_proposal(tx, visit.instance.hooks, shop.id, visit.form.get("proposal", ""), accepts=False)


def _ask(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    ask_others(tx, shop.id)
    return "asked"


def _cancel(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    booking = report(tx, shop.id, visit.form.get("booking", ""), "cancel")
    tell(tx, "cancelled", trip_by_id(tx, booking.trip_id), [booking])
    return booking.state


def _end(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    end_series(tx, shop.id, visit.form.get("series", ""))
    return "ended"


def _warm(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    return report(tx, shop.id, visit.form.get("booking", ""), "refuse_warm", note=visit.form.get("note", "")).state


def _count(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    form = visit.form
    reason = next((reason for reason in REASONS if reason == form.get("reason")), None)
    counts = say_count(
        tx,
        shop.id,
        form.get("booking", ""),
        loaded=optional_whole(form, "loaded"),
        unloaded=optional_whole(form, "unloaded"),
        reason=reason or "",
    )
    return {"same": "counted", "lost": "lost", "kept": "kept", "open": "said"}[counts.state]


def _correct(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    crates, kg = whole(visit.form, "crates"), whole(visit.form, "kg")
    boxes = "own_boxes" in visit.form
    key = as_key(visit.form.get("need", ""))
    most = optional_cents(visit.form, "most")
    correct_load(tx, visit.instance.hooks, shop.id, key, crates=crates, kg=kg, own_boxes=boxes, most=most)
    ask_others(tx, shop.id)
    return "load"
