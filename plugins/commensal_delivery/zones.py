"""Delivery zones, as an enterprise sets them, and the price of delivery to a zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

import msgspec

from commensal import MEASURES, OFFERS_NOTHING, Address, MinorUnits, PricedLine, Problem, Unfit, hookimpl, in_language

MOST_ZONES = 50
MOST_POSTCODES = 300  # of one zone
MOST_STEPS = 20  # of one zone
DEAREST = 1_000_000  # minor units
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}", re.ASCII)
_COUNTRY = re.compile(r"([A-Z]{2})?", re.ASCII)
_PATTERN = re.compile(r"[0-9A-Z]{1,10}\*?", re.ASCII)
_RANGE = re.compile(r"(\d{2,10})-(\d{2,10})", re.ASCII)


@dataclass(frozen=True)
class Step:
    """A price for heavy orders."""

    above: Decimal
    """The weight in kilograms above which it counts."""
    price: Annotated[int, MinorUnits()]
    """Instead of the price of the zone."""

    def __post_init__(self) -> None:
        if not (self.above.is_finite() and self.above > 0):
            raise Unfit("a step begins above a weight in kilograms, like 10 or 2.5")
        _refuse_price(self.price, "the price of a step must be between 0 and {most} minor units")


@dataclass(frozen=True)
class Zone:
    """An area that the van goes to. Amounts are with VAT or without, as the enterprise's prices are."""

    id: str
    """A short name that slots refer to, like "centre"; it stays when the zone is renamed."""
    name: str
    """What customers read."""
    postcodes: tuple[str, ...]
    """Like "37000", "37*" for all that begin so, "37100-37199" for a range of as many digits."""
    country: str = ""
    """ISO 3166-1 alpha-2; empty: the `country` of these settings."""
    price: Annotated[int, MinorUnits()] = 0
    """What bringing an order costs."""
    steps: tuple[Step, ...] = ()
    """Other prices for heavy orders; of several, that of the highest weight that is exceeded counts."""
    free_from: Annotated[int, MinorUnits()] | None = None
    """The value of the goods from which delivery costs nothing; none: it always costs."""
    minimum: Annotated[int, MinorUnits()] = 0
    """The value of the goods that an order must have to be brought."""
    names: Annotated[Mapping[str, Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=20)] = field(
        default_factory=dict
    )
    """The name in other languages"""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            text = "{id!r:.60} is not an id of a zone; write small letters, digits, - and _, like 'centre'"
            raise Unfit(text, id=self.id)
        if not 0 < len(self.name.strip()) <= 100:
            raise Unfit("zone {id}: a name has 1 to 100 characters", id=self.id)
        if not 0 < len(self.postcodes) <= MOST_POSTCODES:
            raise Unfit("zone {id}: it has 1 to {most} postcodes", id=self.id, most=MOST_POSTCODES)
        wrong = next((postcode for postcode in self.postcodes if not is_pattern(postcode)), None)
        if wrong is not None:
            text = "zone {id}: {wrong!r:.60} is not a postcode; write 37000, 37* or 37100-37199"
            raise Unfit(text, id=self.id, wrong=wrong)
        if not _COUNTRY.fullmatch(self.country):
            raise Unfit("zone {id}: a country has two capital letters, like FR", id=self.id)
        if len(self.steps) > MOST_STEPS or len({step.above for step in self.steps}) < len(self.steps):
            text = "zone {id}: it has at most {most} steps, each above another weight"
            raise Unfit(text, id=self.id, most=MOST_STEPS)
        for name, amount in (("price", self.price), ("minimum", self.minimum), ("free_from", self.free_from or 0)):
            _refuse_price(amount, "zone {id}: {name} must be between 0 and {most} minor units", id=self.id, name=name)

    def named(self, language: str) -> str:
        """The name for a customer who reads this language; without one in it, the hub's own."""
        return in_language(language, "", self.name, self.names).text


@dataclass(frozen=True)
class DeliverySettings:
    zones: tuple[Zone, ...] = ()
    """Where orders are brought. The first zone that has a postcode counts: write narrow ones before wide ones."""
    country: str = "FR"
    """ISO 3166-1 alpha-2: that of the shop, which zones and addresses without a country mean."""
    vat_rate: Decimal | None = Decimal(20)
    """Percent of the price of delivery; none: outside VAT. Carriage bears 20 percent in France (CGI art. 278)."""

    def __post_init__(self) -> None:
        if len(self.zones) > MOST_ZONES:
            raise Unfit("there are at most {most} zones", most=MOST_ZONES)
        if len({zone.id for zone in self.zones}) < len(self.zones):
            raise Unfit("two zones have the same id")
        if not self.country or not _COUNTRY.fullmatch(self.country):
            raise Unfit("a country has two capital letters, like FR")
        if self.vat_rate is not None and not (self.vat_rate.is_finite() and 0 <= self.vat_rate <= 100):
            raise Unfit("a VAT rate must be between 0 and 100 percent")

    def zone(self, id: str) -> Zone | None:
        """The zone with this id; None if it no longer exists."""
        return next((zone for zone in self.zones if zone.id == id), None)


def zone_of(settings: DeliverySettings, address: Address | None) -> Zone | None:
    """The first zone with the postcode of the address; None if there is no such zone, or no postcode."""
    postcode = normalized(address.postcode) if address else ""
    if address is None or not postcode:
        return None
    country = address.country.strip().upper() or settings.country
    zones = (zone for zone in settings.zones if (zone.country or settings.country) == country)
    return next((zone for zone in zones if any(matches(pattern, postcode) for pattern in zone.postcodes)), None)


def price_in(zone: Zone, lines: Iterable[PricedLine]) -> int:
    """The price of delivering these goods to the zone, in minor units, by ordered (not weighed) quantities."""
    ordered = tuple(lines)
    if zone.free_from is not None and value_of(ordered) >= zone.free_from:
        return 0
    weight = weight_of(ordered)
    exceeded = [step for step in zone.steps if weight > Fraction(step.above)]
    return max(exceeded, key=lambda step: step.above).price if exceeded else zone.price


def value_of(lines: Iterable[PricedLine]) -> int:
    """The value of the ordered goods in minor units, without deposits, fees and discounts."""
    return sum(line.price * line.quantity for line in lines)


def weight_of(lines: Iterable[PricedLine]) -> Fraction:
    """The weight in kilograms of all goods sold in a measure of mass; others count as weightless."""
    return sum((_kilograms(line) for line in lines), Fraction(0))


def _kilograms(line: PricedLine) -> Fraction:
    measure = MEASURES.get(line.unit)
    if measure is None or measure.dimension != "mass":
        return Fraction(0)
    return Fraction(line.unit_quantity) * measure.factor * line.quantity / 1000  # of grams


def _refuse_price(amount: int, text: str, **values: str) -> None:
    if not 0 <= amount <= DEAREST:
        raise Unfit(text, most=DEAREST, **values)


def normalized(postcode: str) -> str:
    """A postcode for comparison: upper case, without blanks and dashes ("sw1a 1aa", "00-950")."""
    return "".join(postcode.split()).replace("-", "").upper()


def is_pattern(text: str) -> bool:
    """Whether `text` is a pattern of postcodes: one ("37000"), a prefix ("37*"), or a range of equal length
    ("37100-37199")."""
    ends = _range_ends(text)
    return ends[0] <= ends[1] if ends else bool(_PATTERN.fullmatch(normalized(text)))


def matches(pattern: str, postcode: str) -> bool:
    """Whether the pattern matches a postcode in `normalized` form."""
    ends = _range_ends(pattern)
    if ends:
        return len(postcode) == len(ends[0]) and postcode.isdigit() and ends[0] <= postcode <= ends[1]
    prefix = normalized(pattern)
    return postcode.startswith(prefix[:-1]) if prefix.endswith("*") else postcode == prefix


def _range_ends(pattern: str) -> tuple[str, str] | None:
    """First and last postcode of a range; None for other patterns. In "00-950" the parts differ in length: no range."""
    match = _RANGE.fullmatch("".join(pattern.split()))
    return (match[1], match[2]) if match and len(match[1]) == len(match[2]) else None


# Validation of delivery addresses.

_MISSING = (
    ("street", "Say in which street your order shall be brought."),
    ("postcode", "Say the postcode of where your order shall be brought."),
    ("city", "Say in which town your order shall be brought."),
)


def address_problems(settings: DeliverySettings, address: Address | None) -> list[Problem]:
    """Problems for missing fields, and for a postcode without delivery; each names its field."""
    filled = address or Address()
    problems = []
    for name, text in _MISSING:
        if not getattr(filled, name).strip():
            problems.append(Problem("address_missing", text, f"/address/{name}"))
    if filled.postcode.strip() and zone_of(settings, filled) is None:
        text = "We do not deliver to {postcode}."
        problems.append(Problem("no_delivery", text, "/address/postcode", {"postcode": filled.postcode.strip()[:20]}))
    return problems


# Checks that the settings are enough to deliver.


@hookimpl
def check_settings(settings: DeliverySettings) -> Sequence[Problem]:
    if settings.zones:
        return []
    text = "Add a zone with its postcodes and its price: without one nobody is offered a delivery."
    return [Problem(OFFERS_NOTHING, text, "/settings/zones")]
