"""The settings that all fees share, however they are worked out."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal

import msgspec

from commensal import MEASURES, MinorUnits, Names, NamesSale, NamesShipping, PricedLine, Unfit, in_language

DEAREST = 1_000_000  # minor units, of one fee
_ID = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

Amount = Annotated[int, msgspec.Meta(ge=0, le=DEAREST), MinorUnits()]


class Fee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="calculator"):
    """A fee with the way it is worked out as its ``calculator``."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """What customers read beside the amount."""

    names: Annotated[Mapping[str, Annotated[str, msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=20)] = {}
    """The name in other languages"""

    type: Literal["packing", "transport", "admin", "sales", "fundraising"] = "admin"
    """What it is for."""

    supplier: Annotated[str, msgspec.Meta(max_length=200), Names("enterprise")] = ""
    """An enterprise, by its name or id: only what it supplies bears the fee. Empty: all goods do."""

    payee: Literal["shop", "coordinator", "supplier"] = "shop"
    """Who gets it: the shop, who coordinates its sales, or who supplies the goods."""

    vat_rate: Decimal | None = None
    """Percent. Empty: outside VAT."""

    categories: tuple[Annotated[_ID, Names("category")], ...] = ()
    """Customer categories, by name or id: only their customers pay it. Empty: everybody does."""

    sale_sessions: tuple[Annotated[_ID, NamesSale()], ...] = ()
    """Sales of the hub, by id or by a name that only one has: it is charged only there. Empty: in all of them."""

    shipping: tuple[Annotated[_ID, NamesShipping()], ...] = ()
    """Ways to receive the goods: a plugin, like ``delivery``, or one option of it, ``pickup:<id>``. Empty: any way."""

    def __post_init__(self) -> None:
        if self.vat_rate is not None:
            refuse_percentage("vat_rate", self.vat_rate)

    def named(self, language: str) -> str:
        """The name for a customer who reads this language; without one in it, the hub's own."""
        return in_language(language, "", self.name, self.names).text


def refuse_percentage(name: str, value: Decimal) -> None:
    """Raises `Unfit` unless the value is a percentage."""
    if not value.is_finite() or not 0 <= value <= 100:
        raise Unfit("{name}: a percentage must be between 0 and 100", name=name)


# Quantities to which fees apply: delivered pieces, and their weight.

_GRAMS = 1000  # of a kilogram, and millilitres of a litre


def pieces(line: PricedLine) -> int:
    """Returns the pieces that the customer gets: none if the weight at packing is zero."""
    return 0 if line.final_quantity == 0 else line.quantity


def kilograms(line: PricedLine, of_a_piece: Decimal) -> Fraction:
    """Returns the line's weight as measured at packing, else its nominal content. A litre counts as a kilogram.

    `of_a_piece` is the weight of one piece, in kilograms, of goods sold neither by weight nor by volume.
    """
    measure = MEASURES.get(line.unit)
    if measure is None or measure.dimension not in ("mass", "volume"):
        return Fraction(of_a_piece) * pieces(line)
    content = line.unit_quantity * line.quantity if line.final_quantity is None else line.final_quantity
    return Fraction(content) * measure.factor / _GRAMS
