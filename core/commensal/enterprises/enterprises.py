"""Enterprises: producers, hubs, or both; and the rules that say to whom they are visible."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Unpack
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, bindparam, exists, func, insert, or_, select

from ..base.errors import Conflict, Forbidden, Invalid, Problem
from ..base.search import matches, search_key
from ..people.tables import person
from ..storage.database import Transaction, edit_row, insert_or, refuse_conflict
from .fields import EnterpriseFields, country_of_zone, read_fields, slugs_for
from .tables import enterprise, enterprise_grant, enterprise_member

MOST = 100  # enterprises that one person owns, unless they run the instance
EnterpriseKind = Literal["", "producer", "hub"]


@dataclass(frozen=True, kw_only=True)
class Enterprise:
    """A producer, a hub, or both. `fields.EnterpriseFields` explains the fields.

    `currency` (ISO 4217) is the currency of its prices and never changes.
    """

    id: str
    slug: str
    name: str
    description: str
    descriptions: Mapping[str, str]
    is_producer: bool
    is_hub: bool
    visibility: str
    email: str
    phone: str
    contact_name: str
    website: str
    social_media: str
    street: str
    postcode: str
    city: str
    country: str
    latitude: Decimal | None
    longitude: Decimal | None
    language: str
    timezone: str
    currency: str
    vat_number: str
    prices_include_vat: bool
    created_at: datetime
    archived_at: datetime | None
    version: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def date_at(self, moment: datetime) -> date:
        """Returns the date on the enterprise's calendar at a moment, which has a time zone."""
        return moment.astimezone(self.zone).date()


COLUMNS = [enterprise.c[field.name] for field in fields(Enterprise)]
_BY_IDS = select(*COLUMNS).where(enterprise.c.id.in_(bindparam("ids", expanding=True)))
_SLUG_TAKEN = Invalid([Problem("slug_taken", "Another enterprise has this address already.", "/slug")])
_NEW: EnterpriseFields = {
    "name": "",
    "description": "",
    "descriptions": {},
    "is_producer": False,
    "is_hub": False,
    "visibility": "link",
    "email": "",
    "phone": "",
    "contact_name": "",
    "website": "",
    "social_media": "",
    "street": "",
    "postcode": "",
    "city": "",
    "country": "FR",
    "latitude": None,
    "longitude": None,
    "vat_number": "",
    "prices_include_vat": True,
}


def create_enterprise(
    tx: Transaction, *, owner_id: str, currency: str, kept_by: str | None = None, **attributes: Unpack[EnterpriseFields]
) -> Enterprise:
    """Creates an enterprise owned by this person, or `kept_by` a hub (`keeper_at`), run by its members.

    Name, language and time zone are required; slug and country are made from name and time zone. Raises `Invalid` with
    every mistake, `Forbidden` while the owner's address is not confirmed, `Conflict` for too many enterprises.
    """
    refuse_owner(tx, owner_id)
    country = country_of_zone(attributes.get("timezone", ""))
    values = read_fields({**_NEW, "country": country, **attributes, "currency": currency})
    row = {"id": tx.new_id(), "created_at": tx.now, "version": 1, **values, "search": _search_text(values)}
    slug, row["kept_by"] = attributes.get("slug"), kept_by
    created = _insert(tx, row, [slug] if slug else list(slugs_for(row["name"], row["id"])))
    if kept_by is not None:
        return created
    membership = {"enterprise_id": created.id, "person_id": owner_id, "role": "owner", "since": tx.now}
    tx.execute(insert(enterprise_member).values(membership))
    return created


def copy_enterprise(
    tx: Transaction, *, currency: str, id: str | None = None, **attributes: Unpack[EnterpriseFields]
) -> Enterprise:
    """Creates the local copy of an enterprise whose home is another instance. It has no members, so nobody edits it.

    `id` is its id at home; None gives the copy an id of its own. Raises `Invalid` with every mistake.
    """
    phone = attributes.get("phone", "")  # what is kept at home stays
    values = read_fields({**_NEW, **attributes, "currency": currency}, phone=phone)
    row = {"id": id or tx.new_id(), "created_at": tx.now, "version": 1, **values, "search": _search_text(values)}
    return _insert(tx, row, list(slugs_for(row["name"], row["id"])))


def change_enterprise(
    tx: Transaction, enterprise_id: str, version: int, **changes: Unpack[EnterpriseFields]
) -> Enterprise:
    """Changes the profile of an enterprise. Raises `Invalid` with every mistake, `NotFound`, `Stale`."""
    before = tx.one(select(*COLUMNS).where(enterprise.c.id == enterprise_id))
    values = read_fields(changes, phone=before["phone"])
    values["search"] = _search_text({**before, **values})
    with refuse_conflict(tx, duplicate=_SLUG_TAKEN):
        return _edit(tx, enterprise_id, version, values)


def archive_enterprise(tx: Transaction, enterprise_id: str, version: int) -> Enterprise:
    """Hides a closed enterprise from everybody but its members; deletes nothing. Raises `NotFound`, `Stale`."""
    return _edit(tx, enterprise_id, version, {"archived_at": tx.now})


def restore_enterprise(tx: Transaction, enterprise_id: str, version: int) -> Enterprise:
    """Makes an archived enterprise active again. Raises `NotFound`, `Stale`."""
    return _edit(tx, enterprise_id, version, {"archived_at": None})


# ------------------------------------------------------------------------------------------------ questions


def enterprise_by_id(tx: Transaction, enterprise_id: str) -> Enterprise:
    """The enterprise with this id. Checks no permission. Raises `NotFound`."""
    return Enterprise(**tx.one(select(*COLUMNS).where(enterprise.c.id == enterprise_id)))


def enterprises_by_id(tx: Transaction, ids: Collection[str]) -> dict[str, Enterprise]:
    """The existing enterprises among `ids`, by id. Checks no permission."""
    rows = tx.all(_BY_IDS, {"ids": sorted(set(ids))}) if ids else ()
    return {row["id"]: Enterprise(**row) for row in rows}


def find_enterprise(tx: Transaction, id_or_slug: str, *, person_id: str | None = None) -> Enterprise:
    """The enterprise, if it is visible to this person (None: to everybody). Raises `NotFound`.

    Hidden and archived enterprises are visible to their own members and to the members of enterprises to which they
    granted ReadEnterprise or WriteEnterprise.
    """
    has_name = or_(enterprise.c.id == id_or_slug, enterprise.c.slug == id_or_slug)
    is_listed = and_(enterprise.c.archived_at.is_(None), enterprise.c.visibility != "hidden")
    is_visible = is_listed if person_id is None else or_(is_listed, _is_known_to(person_id))
    return Enterprise(**tx.one(select(*COLUMNS).where(has_name, is_visible)))


def every_enterprise(tx: Transaction) -> Iterator[Enterprise]:
    """All enterprises by slug, hidden and archived ones included. For operators of the instance only."""
    for row in tx.execute(select(*COLUMNS).order_by(enterprise.c.slug)).mappings():
        yield Enterprise(**row)


def list_enterprises(
    tx: Transaction, *, search: str = "", kind: EnterpriseKind = "", after: str = "", limit: int = 50
) -> Sequence[Enterprise]:
    """Public enterprises ordered by slug, beginning after the slug `after`.

    Only those with every word of `search` in their name, town or postcode, and of this `kind` if given.
    """
    query = select(*COLUMNS).where(
        enterprise.c.visibility == "public", enterprise.c.archived_at.is_(None), enterprise.c.slug > after
    )
    if search:
        query = query.where(matches(enterprise.c.search, search))
    if kind:
        query = query.where(enterprise.c.is_producer if kind == "producer" else enterprise.c.is_hub)
    return [Enterprise(**row) for row in tx.all(query.order_by(enterprise.c.slug).limit(limit))]


def _is_known_to(person_id: str) -> ColumnElement[bool]:
    member, grant = enterprise_member.c, enterprise_grant.c
    granted = and_(
        grant.grantor_id == enterprise.c.id,
        grant.grantee_id == member.enterprise_id,
        grant.scope.in_(("ReadEnterprise", "WriteEnterprise")),
    )
    lets_look = exists().where(granted).correlate(enterprise, enterprise_member)
    is_member_or_grantee = or_(member.enterprise_id == enterprise.c.id, lets_look)
    return exists().where(member.person_id == person_id, is_member_or_grantee).correlate(enterprise)


# ------------------------------------------------------------------------------------------------ steps


def _edit(tx: Transaction, enterprise_id: str, version: int, values: Mapping[str, object]) -> Enterprise:
    row = edit_row(tx, enterprise, enterprise.c.id == enterprise_id, version=version, values=values)
    return Enterprise(**{column.name: row[column.name] for column in COLUMNS})


def _insert(tx: Transaction, values: Mapping[str, object], slugs: Sequence[str]) -> Enterprise:
    for slug in slugs:
        new = insert_or(tx, enterprise).values({**values, "slug": slug})
        row = tx.first(new.on_conflict_do_nothing(index_elements=["slug"]).returning(*COLUMNS))
        if row is not None:
            return Enterprise(**row)
    raise _SLUG_TAKEN


def refuse_owner(tx: Transaction, owner_id: str) -> None:
    """Raises `Forbidden` or `Conflict` if the person may not own one more enterprise, `NotFound` if they do not exist.

    Operators of the instance may own any number.
    """
    owned = select(func.count()).where(enterprise_member.c.person_id == owner_id, enterprise_member.c.role == "owner")
    query = select(person.c.confirmed_at, person.c.is_operator, owned.scalar_subquery().label("owned"))
    row = tx.one(query.where(person.c.id == owner_id))
    if row["confirmed_at"] is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    if row["owned"] >= MOST and not row["is_operator"]:
        raise Conflict("too_many_enterprises", "You own {most} enterprises already.", most=MOST)


def _search_text(values: Mapping[str, object]) -> str:
    return search_key(f"{values['name']} {values['city']} {values['postcode']}")


# Where an enterprise gets e-mails about its own affairs.


@dataclass(frozen=True, kw_only=True)
class EnterpriseAddresses:
    """`emails`: the enterprise's address; else those of its owners, or of the hub that keeps it. `language`: its."""

    name: str
    language: str
    emails: tuple[str, ...]


def addresses_of(tx: Transaction, enterprise_id: str) -> EnterpriseAddresses:
    """Returns the addresses of an enterprise. Raises `NotFound`."""
    row = tx.one(
        select(enterprise.c.name, enterprise.c.email, enterprise.c.language, enterprise.c.kept_by).where(
            enterprise.c.id == enterprise_id
        )
    )
    owners = (
        select(person.c.email)
        .join(enterprise_member, enterprise_member.c.person_id == person.c.id)
        .where(enterprise_member.c.enterprise_id == enterprise_id, enterprise_member.c.role == "owner")
        .order_by(person.c.email)
    )
    emails = (row["email"],) if row["email"] else tuple(owner["email"] for owner in tx.all(owners))
    if not emails and row["kept_by"]:
        emails = addresses_of(tx, row["kept_by"]).emails
    return EnterpriseAddresses(name=row["name"], language=row["language"], emails=emails)
