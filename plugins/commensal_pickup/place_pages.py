"""Pages in the office for places: where they are, when they are open, and on which days they are closed."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

from starlette.responses import Response

from commensal import (
    LANGUAGES,
    Address,
    Enterprise,
    FoundPlace,
    Invalid,
    Problem,
    Screen,
    Stale,
    Transaction,
    coordinates_in_field,
    digits,
    find_place,
    read_amount,
    read_coordinates,
    read_decimal,
    read_whole,
)
from commensal.pages import Visit, day_field, on_refusal

from .booking import PREFIX
from .closing import add_closure, closed_with_orders, remove_closure
from .hours import Hours, Weekday
from .places import MOST_PLACES, STANDARD_RATE, Place, add_place, archive_place, change_place, place_by_id, places_of
from .slots import closures_of

DAYS: tuple[Weekday, ...] = get_args(Weekday)
_SPAN = re.compile(r"\s*(\d{1,2})[:hH.]?(\d{2})?\s*[-–—]\s*(\d{1,2})[:hH.]?(\d{2})?\s*", re.ASCII)
_TEXTS = ("name", "street", "postcode", "city", "note")
_OTHERS = ("coordinates", "price", "vat_rate", *DAYS)
_TRANSLATED = ("names", "notes")  # each has a field for every language, such as "names/en"
_FIELDS = {*_TEXTS, *_OTHERS, *(f"{text}/{language}" for text in _TRANSLATED for language in LANGUAGES)}
_CLOSING = ("first_day", "last_day", "reason", *(f"reasons/{language}" for language in LANGUAGES))
_SAVED = ("added", "saved")


def places_url(enterprise_id: str) -> str:
    """The address of the page with all places of an enterprise."""
    return f"/office/{enterprise_id}/places"


def orders_url(enterprise_id: str, session_id: str, slot_id: str) -> str:
    """The address of the office's page on which the orders of a slot are read and moved."""
    return f"/office/{enterprise_id}/orders/move?sale={session_id}&from={PREFIX}{slot_id}"


def places_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        places = places_of(tx, shop.id, limit=MOST_PLACES)
    context = {"places": places, "done": visit.query.get("done", ""), "home": places_url(shop.id)}
    return Screen(template="pickup/places.html", context=context)


def place_page(visit: Visit, shop: Enterprise) -> Screen:
    """The form of a place, or of a new one."""
    with visit.read() as tx:
        place = place_by_id(tx, shop.id, visit.path["place"]) if "place" in visit.path else None
        closures = closures_of(tx, shop.id, place.id) if place else ()
        held = [slot for slot in closed_with_orders(tx, shop.id) if place and slot.place_id == place.id]
    saves = "name" in visit.form
    shown = _typed(visit) if saves else _as_text(place, shop.currency, visit.language)
    proposal = _found_place(visit, shop, place) if place and visit.query.get("done") in _SAVED and not saves else None
    if proposal is not None:
        shown["coordinates"] = coordinates_in_field(proposal.latitude, proposal.longitude)
    context = {
        "place": place,
        "closures": closures,
        "home": places_url(shop.id),
        "days": DAYS,
        "typed": shown,
        "closing": {name: visit.form.get(name, "") for name in _CLOSING},
        "proposal": proposal,
        "version": visit.form.get("version") or _version(place),
        "confirming": visit.query.get("ask", ""),
        "done": visit.query.get("done", ""),
        "held": held,
        "orders_of": {slot.id: orders_url(shop.id, slot.session_id, slot.id) for slot in held},
    }
    return Screen(template="pickup/place.html", context=context)


def _typed(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip() for name in _FIELDS}


def _found_place(visit: Visit, shop: Enterprise, place: Place) -> FoundPlace | None:
    """Where its address is, as a proposal for whoever has just saved it without coordinates."""
    if place.latitude is not None:
        return None
    address = Address(street=place.street, postcode=place.postcode, city=place.city, country=shop.country)
    return find_place(visit.instance, address)


def _version(place: Place | None) -> str:
    return str(place.version) if place else ""


@on_refusal(place_page)
def post_place(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Saves a place, adds or removes a closure, or archives the place."""
    actions = {"close": _add_closure, "open": _remove_closure, "archive": _archive}
    save = actions.get(visit.query.get("then", ""), _save)
    with visit.write() as tx:
        address = save(tx, visit, shop)
    return visit.redirect(address)


def _save(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    values = _read(visit, shop.currency)
    before = place_by_id(tx, shop.id, visit.path["place"]) if "place" in visit.path else None
    for text in _TRANSLATED:  # what other languages have than the form has fields for stays
        values[text] = {**(getattr(before, text) if before else {}), **_in_languages(visit, text)}
    if before is None:
        return f"{places_url(shop.id)}/{add_place(tx, shop.id, **values).id}?done=added"
    place = change_place(tx, shop.id, visit.path["place"], _number(visit.form.get("version", "")), **values)
    here = f"{places_url(shop.id)}/{place.id}" if place.latitude is None and place.city else places_url(shop.id)
    return f"{here}?done=saved"


def _archive(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    archive_place(tx, shop.id, visit.path["place"], _number(visit.form.get("version", "")))
    return f"{places_url(shop.id)}?done=archived"


def _add_closure(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    shop_id, place_id = shop.id, visit.path["place"]
    days = {name: day_field(visit.form, name) if visit.form.get(name) else None for name in ("first_day", "last_day")}
    first_day = days["first_day"]
    if first_day is None:
        raise Invalid([Problem("day", "Give a day, like 2026-06-30.", "/first_day")])
    reason, reasons = visit.form.get("reason", ""), _in_languages(visit, "reasons")
    add_closure(tx, shop_id, place_id, first_day=first_day, last_day=days["last_day"], reason=reason, reasons=reasons)
    return f"{places_url(shop_id)}/{place_id}?done=closed"


def _remove_closure(tx: Transaction, visit: Visit, shop: Enterprise) -> str:
    shop_id, place_id = shop.id, visit.path["place"]
    remove_closure(tx, shop_id, place_id, visit.form.get("closure", ""))
    return f"{places_url(shop_id)}/{place_id}?done=opened"


# ------------------------------------------------------------------------------------------------ fields


def _number(text: str) -> int:
    """The version of a form. Raises `Stale` for what is none."""
    version = read_whole(text)
    if version is None:
        raise Stale
    return version


def _read(visit: Visit, currency: str) -> dict[str, Any]:
    """The fields of a place as they were typed. Raises `Invalid` with every mistake."""
    form, problems = visit.form, list[Problem]()
    values: dict[str, object] = {name: form.get(name, "") for name in _TEXTS}
    place = read_coordinates(form.get("coordinates", ""))
    price = read_amount(form.get("price", "") or "0", currency)
    for field, result in (("coordinates", place), ("price", price)):
        if isinstance(result, Problem):
            problems.append(Problem(result.code, result.text, f"/{field}", result.values))
    if not isinstance(place, Problem):
        values["latitude"], values["longitude"] = place
    values["price"] = price
    values["vat_rate"] = _read_rate(form.get("vat_rate", ""), problems)
    values["hours"] = tuple(hours for day in DAYS for hours in _read_hours(day, form.get(day, ""), problems))
    if problems:
        raise Invalid(problems)
    return values


def _in_languages(visit: Visit, text: str) -> dict[str, str]:
    """What was typed into the fields of a text that the form has, by language; "" where it was taken out."""
    fields = ((language, f"{text}/{language}") for language in LANGUAGES)
    return {language: visit.form[name].replace("\r", "").strip() for language, name in fields if name in visit.form}


def _read_rate(text: str, problems: list[Problem]) -> Decimal | None:
    """Percent; None for an empty field: outside VAT."""
    if not text.strip():
        return None
    try:
        return read_decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        problems.append(Problem("vat_rate", "A VAT rate must be between 0 and 100 percent.", "/vat_rate"))
        return None


def _read_hours(day: Weekday, text: str, problems: list[Problem]) -> list[Hours]:
    """The hours of one day: "17:00-19:30", several with commas, in French also "17h-19h30"."""
    hours = []
    for part in filter(str.strip, re.split(r"[,;]", text)):
        match = _SPAN.fullmatch(part)
        if match is None:
            problems.append(Problem("hours", "Write hours like 17:00-19:30, several with a comma.", f"/{day}"))
            return []
        begins, ends = (f"{int(match[place]):02d}:{match[place + 1] or '00'}" for place in (1, 3))
        if begins >= ends or ends > "24:00" or max(begins[3:], ends[3:]) > "59":
            problems.append(Problem("hours", "Write hours like 17:00-19:30, several with a comma.", f"/{day}"))
            return []
        hours.append(Hours(weekday=day, begins=begins, ends=ends))
    return hours


def _as_text(place: Place | None, currency: str, language: str) -> dict[str, str]:
    """The fields of a place as they are typed; of a new one, what is usual."""
    if place is None:
        return {**dict.fromkeys(_FIELDS, ""), "vat_rate": str(STANDARD_RATE)}
    numbers = {
        "price": f"{Decimal(place.price).scaleb(-digits(currency)):f}" if place.price else "",
        "vat_rate": "" if place.vat_rate is None else f"{place.vat_rate.normalize():f}",
    }
    mark = "," if language == "fr" else "."
    return {
        **{name: getattr(place, name) for name in _TEXTS},
        **{
            f"{text}/{language}": getattr(place, text).get(language, "")
            for text in _TRANSLATED
            for language in LANGUAGES
        },
        **{name: text.replace(".", mark) for name, text in numbers.items()},
        **{day: hours_of_day(place, day) for day in DAYS},
        "coordinates": coordinates_in_field(place.latitude, place.longitude),
    }


def hours_of_day(place: Place, day: str) -> str:
    return ", ".join(f"{hours.begins}-{hours.ends}" for hours in place.hours if hours.weekday == day)
