"""Who we are: makes a hub or a producer, and changes what others read about it."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from commensal import (
    Address,
    Enterprise,
    FoundPlace,
    Invalid,
    Problem,
    Transaction,
    Unauthorised,
    coordinates_in_field,
    find_place,
    read_coordinates,
)
from commensal.enterprises import (
    change_enterprise,
    country_names,
    create_enterprise,
    demand_founder,
    enable_first_plugins,
)
from commensal.pages import Visit, on_refusal

from ..frame.desk import open_desk
from ..frame.fields import fields_of, fields_with, texts_in, typed_texts
from ..frame.render import paragraphs_of, plain_of, show

_TEXTS = (
    "name",
    "slug",
    "email",
    "phone",
    "contact_name",
    "website",
    "social_media",
    "street",
    "postcode",
    "city",
    "vat_number",
    "timezone",
)
_CHOICES = ("visibility", "language", "country")
_TICKS = ("is_hub", "is_producer")
_SIMPLE = ("name", "email", "phone", "street", "postcode", "city")  # of a new enterprise
_FIELDS = {*_TEXTS, *_CHOICES, *_TICKS, *fields_of("descriptions"), "description", "coordinates"}


def found_page(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        raise Unauthorised
    with visit.read() as tx:
        demand_founder(tx, visit.actor, visit.instance.settings.security.new_enterprises)
    typed = _typed(visit) if visit.form else {"is_hub": "1"}
    return show(visit, None, "found", typed={**dict.fromkeys(_FIELDS, ""), **typed})


@on_refusal(found_page, _FIELDS)
def post_found(visit: Visit) -> Response:
    """Makes the enterprise, of which the visitor is the owner, and leads to its first steps."""
    settings = visit.instance.settings
    typed = _typed(visit)
    _refuse_neither(typed)
    with visit.write() as tx:
        owner_id = demand_founder(tx, visit.actor, settings.security.new_enterprises)
        address = _found(tx, visit, owner_id, typed)
    return visit.redirect(address)


def _found(tx: Transaction, visit: Visit, owner_id: str, typed: dict[str, str]) -> str:
    settings = visit.instance.settings
    texts: Any = {name: typed[name] for name in _SIMPLE}
    new = create_enterprise(
        tx,
        owner_id=owner_id,
        currency=settings.currency,
        language=visit.language,
        timezone=settings.timezone,
        visibility="public",
        is_hub="is_hub" in typed,
        is_producer="is_producer" in typed,
        **texts,
    )
    if "is_hub" in typed:
        enable_first_plugins(tx, visit.instance.hooks, new.id)
    return f"/office/{new.id}"


def _typed(visit: Visit) -> dict[str, str]:
    names = (*_TEXTS, *_CHOICES, "description", "coordinates")
    texts = {name: visit.form.get(name, "").strip() for name in names} | typed_texts(visit, "descriptions")
    return texts | {name: "1" for name in _TICKS if name in visit.form}


def _refuse_neither(typed: dict[str, str]) -> None:
    if not any(name in typed for name in _TICKS):
        raise Invalid([Problem("kind", "Tick what it does: sell, produce, or both.", "/is_hub")])


# ------------------------------------------------------------------------------------------------ changing it


def profile_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
    shown = {**dict.fromkeys(_FIELDS, ""), **_typed(visit)} if visit.form else _as_text(desk.enterprise)
    proposal = _found_place(visit, desk.enterprise) if "saved" in visit.query and not visit.mistakes else None
    if proposal is not None:
        shown["coordinates"] = coordinates_in_field(proposal.latitude, proposal.longitude)
    version = visit.form.get("version", "") or str(desk.enterprise.version)
    return show(
        visit,
        desk,
        "profile",
        at="settings",
        typed=shown,
        version=version,
        saved="saved" in visit.query,
        proposal=proposal,
        countries=country_names(visit.language),
    )


def _found_place(visit: Visit, enterprise: Enterprise) -> FoundPlace | None:
    """Where its address is, as a proposal for whoever has just saved it without coordinates."""
    if enterprise.latitude is not None:
        return None
    names = ("street", "postcode", "city", "country")
    return find_place(visit.instance, Address(**{name: getattr(enterprise, name) for name in names}))


@on_refusal(profile_page, _FIELDS)
def post_profile(visit: Visit) -> Response:
    typed = _typed(visit)
    _refuse_neither(typed)
    changes = _read(typed)
    with visit.write() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        stories = {language: paragraphs_of(text) for language, text in texts_in(typed, "descriptions").items()}
        changes["descriptions"] = {**desk.enterprise.descriptions, **stories}
        change_enterprise(tx, desk.enterprise.id, visit.form_version, **changes)
    return visit.redirect(f"{desk.address}/settings/profile?saved=1")


def _as_text(enterprise: Enterprise) -> dict[str, str]:
    texts = {name: getattr(enterprise, name) for name in (*_TEXTS, *_CHOICES)}
    ticks = {name: "1" if getattr(enterprise, name) else "" for name in _TICKS}
    place = coordinates_in_field(enterprise.latitude, enterprise.longitude)
    stories = {language: plain_of(story) for language, story in enterprise.descriptions.items()}
    return {
        **texts,
        **ticks,
        **fields_with("descriptions", stories),
        "coordinates": place,
        "description": plain_of(enterprise.description),
    }


def _read(typed: dict[str, str]) -> Any:
    """The fields of the enterprise as they were typed. Raises `Invalid` for coordinates that are none."""
    place = read_coordinates(typed["coordinates"])
    if isinstance(place, Problem):
        raise Invalid([place])
    return {
        **{name: typed[name] for name in (*_TEXTS, *_CHOICES)},
        **{name: name in typed for name in _TICKS},
        "description": paragraphs_of(typed["description"]),
        "latitude": place[0],
        "longitude": place[1],
    }
