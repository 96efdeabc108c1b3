"""The fields of an enterprise's profile and their validation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, TypedDict
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from babel import Locale
from babel.core import get_global
from babel.numbers import is_currency

from ..base.errors import Invalid, Problem
from ..base.languages.catalogs import LANGUAGES, read_others
from ..base.search import search_key
from ..base.texts import clean_html, read_phone, read_text, refuse_links
from ..people.email import read_email

# Slugs: the names of enterprises in addresses of pages.

LONGEST = 60  # characters
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_slug(text: str) -> bool:
    """Whether `text` has only lower-case ASCII letters, digits and single hyphens between them, and is not an id."""
    return len(text) <= LONGEST and _SLUG.fullmatch(text) is not None and _ID.fullmatch(text) is None


def slugs_for(name: str, id: str) -> Iterator[str]:
    """Slugs for this name, best first: ``ferme-de-l-oree``, ``ferme-de-l-oree-2`` …, and one with a part of `id`."""
    plain = re.sub(r"[^a-z0-9]+", "-", search_key(name)).strip("-")[:LONGEST].strip("-") or "enterprise"
    yield plain
    short = plain[: LONGEST - 15].strip("-")
    yield from (f"{short}-{number}" for number in range(2, 10))
    yield f"{short}-{id[-12:]}"


_ADDRESS = re.compile(r"""[^\s<>"'`{}|\\^]{1,300}""")
VISIBILITIES = ("public", "link", "hidden")
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})  # unions, and codes for tests
_LIMITS = {"name": 200, "contact_name": 100, "street": 200, "postcode": 20, "city": 100, "vat_number": 20}  # characters


@cache
def _country_codes() -> frozenset[str]:
    return frozenset(code for code in map(str, Locale("en").territories) if len(code) == 2 and code.isalpha())


@cache
def country_names(language: str) -> Mapping[str, str]:
    """The names of countries in a language by their ISO 3166-1 code, in the order of the names."""
    names = Locale.parse(language).territories
    known = {code: str(names[code]) for code in _country_codes() - _NO_COUNTRIES if code in names}
    return dict(sorted(known.items(), key=lambda country: search_key(country[1])))


def country_of_zone(timezone: str) -> str:
    """The country whose clocks an IANA time zone has, as the Unicode CLDR knows it; France where it knows none."""
    return str(get_global("zone_territories").get(timezone, "FR"))


class EnterpriseFields(TypedDict, total=False):
    """`latitude` and `longitude` are degrees (WGS 84); `country` is ISO 3166-1 alpha-2, `timezone` IANA.

    `visibility` is "public", "link" (visible to those who have its address) or "hidden" (visible to its members).
    `description` is HTML, `descriptions` the same in further languages, by their ISO 639 codes. `contact_name` is whom
    to ask for; `social_media` has addresses of pages, one a line.
    """

    name: str
    slug: str
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
    vat_number: str
    prices_include_vat: bool


def read_fields(attributes: Mapping[str, object], *, phone: str = "") -> dict[str, Any]:
    """Validates `attributes` and returns column values of an enterprise. `phone` is the number that is stored so far,
    here or at home. Raises `Invalid` with every mistake."""
    problems: list[Problem] = []
    values: dict[str, Any] = dict(attributes)
    for name, most in _LIMITS.items():
        if name in values:
            values[name] = read_text(values[name], f"/{name}", problems, least=int(name == "name"), most=most)
    if "phone" in values:
        values["phone"] = read_phone(values["phone"], "/phone", problems, stored=phone)
    if "name" in values:
        refuse_links(values["name"], "/name", problems, hosts=False)  # some are named after their site
    if "website" in values:
        values["website"] = read_addresses(values["website"], "/website", problems, most=1)
    if "social_media" in values:
        values["social_media"] = read_addresses(values["social_media"], "/social_media", problems, most=10)
    if "description" in values:
        values["description"] = clean_html(values["description"])
    if "descriptions" in values:
        values["descriptions"] = read_others(
            values["descriptions"], "/descriptions", problems, lambda text, _: clean_html(text)
        )
    if "vat_number" in values:
        values["vat_number"] = values["vat_number"].replace(" ", "").upper()
    if values.get("email"):
        address = read_email(values["email"])
        values["email"] = address
        if isinstance(address, Problem):
            problems.append(address)
    for name, (fits, text) in _RULES.items():
        if name in values and not fits(values[name]):
            problems.append(Problem(name, text, f"/{name}"))
    if (values.get("latitude") is None) != (values.get("longitude") is None):
        problems.append(Problem("place", "Give latitude and longitude, or neither.", "/latitude"))
    if problems:
        raise Invalid(problems)
    return values


def read_addresses(text: str, where: str, problems: list[Problem], *, most: int) -> str:
    """Addresses of pages as they are stored: one a line, each with its scheme. Adds a mistake to `problems`."""
    addresses = [word if "://" in word else f"https://{word}" for word in text.split()]
    for address in addresses:
        parts = urlsplit(address) if _ADDRESS.fullmatch(address) else None
        if parts is None or parts.scheme not in ("https", "http") or "." not in parts.netloc:
            problems.append(Problem("address", "This is not the address of a page, like https://farm.example.", where))
            break
    if len(addresses) > most:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": most}))
    return "\n".join(dict.fromkeys(addresses))


def _degrees_within(most: int) -> Callable[[Decimal | None], bool]:
    def fits(degrees: Decimal | None) -> bool:
        return degrees is None or (degrees.is_finite() and abs(degrees) <= most and degrees == round(degrees, 7))

    return fits


_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "slug": (is_slug, "Use small letters from a to z, digits and hyphens, at most 60."),
    "visibility": (lambda value: value in VISIBILITIES, "The visibility is public, link or hidden."),
    "country": (lambda value: value in _country_codes(), "This is not the two-letter code of a country, like FR."),
    "currency": (is_currency, "This is not a currency of ISO 4217, like EUR."),
    "latitude": (_degrees_within(90), "The latitude is between -90 and 90 degrees, with at most 7 decimals."),
    "longitude": (_degrees_within(180), "The longitude is between -180 and 180 degrees, with at most 7 decimals."),
    "language": (lambda value: value in LANGUAGES, "This language is not spoken here."),
    "timezone": (lambda value: value in available_timezones(), "This is not a time zone, like Europe/Paris."),
    "vat_number": (
        lambda value: value == "" or (value.isascii() and value.isalnum()),
        "A VAT number has letters and digits.",
    ),
}
