"""The settings of a hub: its programmes, each with its fund, its group of customers, and its budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from commensal import CUSTOMER, LABELS, LARGEST, MinorUnits, Names, NotFound, Unfit, lineage

MOST = 10  # programmes of one hub

Amount = Annotated[int, msgspec.Meta(ge=0, le=LARGEST), MinorUnits()]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Programme(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement with a fund. It grants a percentage of the goods, or an amount for each order."""

    id: Annotated[str, msgspec.Meta(pattern="^[a-z0-9-]{1,40}$")]
    """Names the programme in addresses and in the books: it stays the same for ever."""

    payer: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """The fund's name, as customers and its own accountants read it."""

    category: Annotated[Word, Names("category")]
    """The customer category that is helped, by its name or id."""

    budget: Amount
    """What the fund has promised for a year."""

    percent: Decimal = Decimal(0)
    """Percent of the goods, from 0 to 100."""

    amount: Amount = 0
    """Instead of a percentage: as much for each order, but no more than its goods cost."""

    most_per_order: Amount | None = None
    """Empty: no maximum."""

    most_per_customer: Amount | None = None
    """For one customer in a year. Empty: no maximum."""

    first_month: Annotated[int, msgspec.Meta(ge=1, le=12)] = 1
    """The month in which the fund's year begins; the year is called after the calendar year it begins in."""

    excluded_types: tuple[Word, ...] = ()
    """DFC product types that are not helped, with all kinds below them: ``alcoholic-beverage``."""

    excluded_labels: tuple[Word, ...] = ()
    """DFC labels whose products are not helped."""

    valid_from: date | None = None
    """First day of distributions that are helped, by the hub's clocks."""

    valid_to: date | None = None
    """Last day of distributions that are helped."""

    show_names: bool = False
    """The fund's statement shows customers' names. Only with their consent: it reveals that they are in need."""

    def __post_init__(self) -> None:
        if not self.percent.is_finite() or not 0 <= self.percent <= 100:
            raise Unfit("percent: a percentage must be between 0 and 100")
        if bool(self.percent) == bool(self.amount):
            raise Unfit("percent: give either a percentage or an amount")
        if self.payer.strip().lower() == CUSTOMER:
            raise Unfit("payer: name who pays instead of the customer")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise Unfit("valid_to: it ends before it begins")
        for term in self.excluded_types:
            if not _is_product_type(term):
                raise Unfit("excluded_types: {term!r} is not a DFC product type", term=term)
        for term in self.excluded_labels:
            if term not in LABELS:
                raise Unfit("excluded_labels: {term!r} is not a DFC label", term=term)

    def holds_on(self, day: date) -> bool:
        """Tells whether the programme covers goods distributed on this day."""
        return (self.valid_from is None or self.valid_from <= day) and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Settings:
    programmes: Annotated[tuple[Programme, ...], msgspec.Meta(max_length=MOST)] = ()
    """The hub's programmes. A customer in several groups gets the first programme's grant up to its limit, then the
    next one's."""

    def __post_init__(self) -> None:
        ids = [programme.id for programme in self.programmes]
        duplicate = next((programme_id for programme_id in ids if ids.count(programme_id) > 1), None)
        if duplicate is not None:
            raise Unfit("programmes: {id!r} is there twice", id=duplicate)

    def programme(self, id: str) -> Programme:
        """Returns the programme with this id. Raises `NotFound`."""
        for programme in self.programmes:
            if programme.id == id:
                return programme
        raise NotFound("no_programme", "There is no programme {programme} here.", programme=id[:40])


def _is_product_type(term: str) -> bool:
    try:
        return bool(lineage(term))
    except KeyError:
        return False
