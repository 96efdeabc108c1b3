"""DFC measures with their exact factors, and the words that people type for them.

Terms are those of the DFC measures taxonomy. Factors are rational, so that a conversion there and back is exact.
Packages (a crate, a bunch) have no size: each is comparable only with itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from ..search import search_key
from .product_types import Concept

Dimension = Literal["mass", "volume", "length", "count", "package", "ratio"]


@dataclass(frozen=True, kw_only=True)
class Measure(Concept):
    """factor: its size in the dimension's base unit (gram, millilitre, metre, piece); 1 for packages
    symbol: the same in every language; "" if it has none
    """

    symbol: str
    dimension: Dimension
    factor: Fraction

    def comparable(self, other: Measure) -> bool:
        """Whether quantities in the two measures can be converted into each other."""
        if self.dimension in ("package", "ratio"):
            return self.term == other.term
        return self.dimension == other.dimension


@dataclass(frozen=True)
class TypedUnit:
    """A unit that somebody typed, as `times` of `measure` (an ounce is 0.0625 pounds)."""

    measure: Measure
    times: Decimal


def convert(quantity: Decimal, measure: Measure, into: Measure) -> Fraction:
    """The quantity in another measure, exactly. Raises `ValueError` if the measures are not comparable."""
    if not measure.comparable(into):
        raise ValueError(f"{measure.term} cannot be said in {into.term}")
    return Fraction(quantity) * measure.factor / into.factor


def read_unit(typed: str) -> TypedUnit | None:
    """The unit of a DFC term, a symbol, or a word in French or English; None if there is none.

    Case and accents do not matter: ``T`` and ``t`` are the tonne, ``ML`` is the millilitre.
    """
    return _TYPED.get(search_key(typed))


_ROWS: tuple[tuple[str, str, str, str, Dimension, int | Fraction], ...] = (
    ("Milligram", "milligram", "milligramme", "mg", "mass", Fraction(1, 1000)),
    ("Gram", "gram", "gramme", "g", "mass", 1),
    ("Kilogram", "kilogram", "kilogramme", "kg", "mass", 1000),
    ("Tonne", "tonne", "tonne", "t", "mass", 1_000_000),
    ("PoundMass", "pound", "livre anglaise", "lb", "mass", Fraction(45_359_237, 100_000)),  # international pound, 1959
    ("Millilitre", "millilitre", "millilitre", "mL", "volume", 1),
    ("Centilitre", "centilitre", "centilitre", "cL", "volume", 10),
    ("Decilitre", "decilitre", "décilitre", "dL", "volume", 100),
    ("Litre", "litre", "litre", "L", "volume", 1000),
    ("Gallon", "gallon (UK)", "gallon (GB)", "gal", "volume", Fraction(454_609, 100)),  # imperial, as DFC has it
    ("Centimetre", "centimetre", "centimètre", "cm", "length", Fraction(1, 100)),
    ("Decimetre", "decimetre", "décimètre", "dm", "length", Fraction(1, 10)),
    ("Metre", "metre", "mètre", "m", "length", 1),
    ("Kilometre", "kilometre", "kilomètre", "km", "length", 1000),
    ("Inch", "inch", "pouce", "in", "length", Fraction(254, 10_000)),
    ("Piece", "piece", "pièce", "", "count", 1),
    ("Pair", "pair", "paire", "", "count", 2),
    ("4Pack", "4 pack", "pack de 4", "", "count", 4),
    ("6Pack", "6 pack", "pack de 6", "", "count", 6),
    ("HalfDozen", "half dozen", "demi-douzaine", "", "count", 6),
    ("Dozen", "dozen", "douzaine", "", "count", 12),
    ("Bag", "bag", "sac", "", "package", 1),
    ("Basket", "basket", "panier", "", "package", 1),
    ("BeerCrate", "beer crate", "casier à bière", "", "package", 1),
    ("Bottle", "bottle", "bouteille", "", "package", 1),
    ("Box", "box", "boîte", "", "package", 1),
    ("Bucket", "bucket", "seau", "", "package", 1),
    ("Bunch", "bunch", "botte", "", "package", 1),
    ("Bundle", "bundle", "lot", "", "package", 1),
    ("Can", "can", "canette", "", "package", 1),
    ("Carton", "carton", "carton", "", "package", 1),
    ("Cask", "cask", "tonneau", "", "package", 1),
    ("Crate", "crate", "cagette", "", "package", 1),
    ("Cup", "cup", "tasse", "", "package", 1),
    ("Drum", "drum", "baril", "", "package", 1),
    ("GrainBulk", "grain bulk", "grain en vrac", "", "package", 1),
    ("Jar", "jar", "bocal", "", "package", 1),
    ("Keg", "keg", "fût", "", "package", 1),
    ("Kit", "kit", "kit", "", "package", 1),
    ("LiquidBulk", "liquid bulk", "liquide en vrac", "", "package", 1),
    ("Net", "net", "filet", "", "package", 1),
    ("NoduleBulk", "nodule bulk", "nodule en vrac", "", "package", 1),
    ("Package", "package", "colis", "", "package", 1),
    ("Packet", "packet", "sachet", "", "package", 1),
    ("Pallet", "pallet", "palette", "", "package", 1),
    ("Pot", "pot", "pot", "", "package", 1),
    ("Pouch", "pouch", "poche", "", "package", 1),
    ("PowderBulk", "powder bulk", "poudre en vrac", "", "package", 1),
    ("Punnet", "punnet", "barquette", "", "package", 1),
    ("Roll", "roll", "rouleau", "", "package", 1),
    ("Tablet", "tablet", "tablette", "", "package", 1),
    ("Tin", "tin", "boîte de conserve", "", "package", 1),
    ("Tray", "tray", "plateau", "", "package", 1),
    ("Tub", "tub", "bac", "", "package", 1),
    ("Tube", "tube", "tube", "", "package", 1),
    ("Percent", "percent", "pour cent", "%", "ratio", 1),
)

# Words beyond terms, labels, symbols and their plurals in -s. DFC has no ounce and no kilolitre.
_WORDS: dict[str, tuple[str, str]] = {
    "gr": ("Gram", "1"),
    "kilo": ("Kilogram", "1"),
    "lbs": ("PoundMass", "1"),
    "livres anglaises": ("PoundMass", "1"),
    "oz": ("PoundMass", "0.0625"),
    "ounce": ("PoundMass", "0.0625"),
    "once": ("PoundMass", "0.0625"),
    "kl": ("Litre", "1000"),
    "kilolitre": ("Litre", "1000"),
    "hl": ("Litre", "100"),
    "hectolitre": ("Litre", "100"),
    "liter": ("Litre", "1"),
    "milliliter": ("Millilitre", "1"),
    "gallon": ("Gallon", "1"),
    "meter": ("Metre", "1"),
    "inches": ("Inch", "1"),
    "u": ("Piece", "1"),
    "unit": ("Piece", "1"),
    "unite": ("Piece", "1"),
    "item": ("Piece", "1"),
    "each": ("Piece", "1"),
    "pc": ("Piece", "1"),
    "pcs": ("Piece", "1"),
    "pce": ("Piece", "1"),
    "dz": ("Dozen", "1"),
    "douz": ("Dozen", "1"),
    "pack": ("Package", "1"),
    "caisse": ("Crate", "1"),
    "boxes": ("Box", "1"),
    "bunches": ("Bunch", "1"),
    "pouches": ("Pouch", "1"),
    "bocaux": ("Jar", "1"),
    "seaux": ("Bucket", "1"),
    "tonneaux": ("Cask", "1"),
    "rouleaux": ("Roll", "1"),
    "plateaux": ("Tray", "1"),
    "conserve": ("Tin", "1"),
    "boites de conserve": ("Tin", "1"),
    "casiers a biere": ("BeerCrate", "1"),
    "packs de 4": ("4Pack", "1"),
    "packs de 6": ("6Pack", "1"),
    "half dozens": ("HalfDozen", "1"),
}

MEASURES: dict[str, Measure] = {
    term: Measure(term=term, en=en, fr=fr, symbol=symbol, dimension=dimension, factor=Fraction(factor))
    for term, en, fr, symbol, dimension, factor in _ROWS
}


def _typed_words() -> dict[str, TypedUnit]:
    units: dict[str, TypedUnit] = {}
    for word, (term, times) in _WORDS.items():
        units[word] = TypedUnit(MEASURES[term], Decimal(times))
    for measure in MEASURES.values():
        for word in (measure.term, measure.en, measure.fr, measure.symbol):
            if word:
                units.setdefault(search_key(word), TypedUnit(measure, Decimal(1)))
    for word, unit in list(units.items()):
        if len(word) >= 3:  # a word, not a symbol
            units.setdefault(f"{word}s", unit)
    return units


_TYPED = _typed_words()
