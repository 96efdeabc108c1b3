"""Parses single cells: text to a value, or a `Problem` that says what is wrong and what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache

from ...base.errors import Problem
from ...base.languages.catalogs import MOST
from ...base.money import LARGEST, read_amount
from ...base.search import finds_nearly, search_key
from ...base.units.measures import MEASURES, TypedUnit, read_unit
from ...base.units.product_types import (
    Concept,
    concepts_by_name,
    find_product_type,
    near_product_types,
    wide_product_types,
)
from ...products.fields import ProductField
from ...products.vat import read_rate
from .findings import Suggestions

_NUMBER = re.compile(r"[0-9]{1,9}(?:[.,][0-9]{1,18})?")
_RATE = re.compile(r"(?:tva|vat|taux|tax)?[ :]*([0-9]{1,3}(?:[.,][0-9]{1,3})?) *%?(?: *(?:de )?(?:tva|vat))?")
_SEPARATORS = re.compile(r"[,;\n]")
_IN_LANGUAGE = re.compile(r" *([a-z]{2,3}) *: *(.*?) *")
_YES = frozenset(("1", "yes", "y", "true", "oui", "o", "vrai", "x"))
_NO = frozenset(("0", "no", "n", "false", "non", "faux"))
_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
MOST_PIECES = 10**9
_WORD = re.compile(r"[^\W_]+")
_SHOWN = 3
_LOOKED_AT = 30  # labels that are compared exactly, after a quick comparison of all
_LONGEST = 60  # characters that are compared


@dataclass(frozen=True, kw_only=True)
class CellFormat:
    """How cells are parsed.

    language: of the headers; a label is looked up in this language first
    currency: ISO 4217, of prices and deposits
    suggestions: the similar words that errors name, of all cells of a file
    """

    currency: str
    language: str
    suggestions: Suggestions = field(default_factory=Suggestions, compare=False)


def read_flag(cell: str, cell_format: CellFormat) -> bool | Problem:
    """Yes or no in French or English, or 1 or 0; an empty cell is no."""
    key = search_key(cell)
    if key in _YES:
        return True
    if key in _NO or not key:
        return False
    return Problem("flag", "{cell} is neither yes nor no.", values={"cell": cell[:40]})


def read_price(cell: str, cell_format: CellFormat) -> int | Problem:
    """A price in minor units of the enterprise's currency; its sign or code may follow the number."""
    plain = cell.removesuffix(cell_format.currency).removesuffix(_SIGNS.get(cell_format.currency, cell_format.currency))
    amount = read_amount(plain, cell_format.currency)
    if isinstance(amount, int) and not 0 <= amount <= LARGEST:
        return Problem("amount", "{cell} is less than nothing, or too much.", values={"cell": cell[:40]})
    return amount


def read_deposit(cell: str, cell_format: CellFormat) -> int | Problem:
    """A deposit in minor units; 0 for an empty cell."""
    return read_price(cell, cell_format) if cell else 0


def read_pieces(cell: str, cell_format: CellFormat) -> int | Problem:
    """A whole number of pieces, zero or more."""
    number = _number(cell)
    if number is None or number != int(number) or number > MOST_PIECES:
        return Problem("not_whole", "{cell} is not a number of pieces, such as 12.", values={"cell": cell[:40]})
    return int(number)


def read_low_level(cell: str, cell_format: CellFormat) -> int | Problem:
    """A whole number of pieces; -1 for an empty cell: nobody is told."""
    return read_pieces(cell, cell_format) if cell else -1


def read_tolerance(cell: str, cell_format: CellFormat) -> Decimal | Problem | None:
    """Percent that a piece may weigh more or less: ``8``, ``8 %``, ``± 8 %``; None for an empty cell."""
    number = _number(cell.removeprefix("±").removesuffix("%").strip()) if cell else Decimal(0)
    if number is None or number > 100:
        return Problem("tolerance", "{cell} is not a tolerance in percent, such as 8.", values={"cell": cell[:40]})
    return number if cell else None


def read_vat(cell: str, cell_format: CellFormat) -> Decimal | Problem:
    """A rate in percent: ``5.5``, ``5,5 %``, ``TVA 5,5 %``."""
    match = _RATE.fullmatch(search_key(cell))
    if match is None:
        text = "{cell} is not a VAT rate. Write it in percent, such as 5.5, or choose one rate for all such rows."
        return Problem("unknown_vat", text, values={"cell": cell[:60]})
    rate = Decimal(match[1].replace(",", "."))
    if 0 < rate < Decimal("0.5"):  # a spreadsheet cell that shows 5.5 % holds 0.055
        text = "{cell} is not a VAT rate in percent. If the cell is formatted as a percentage, make it a number."
        return Problem("unknown_vat", text, values={"cell": cell[:60]})
    return read_rate(rate)


_UNKNOWN_TYPE = "{cell} is not a product type we know. The nearest ones are {near}."


def read_category(cell: str, cell_format: CellFormat) -> str | Problem:
    """The term of a DFC product type, from its label or the term itself."""
    concept = find_product_type(cell, cell_format.language)
    if concept is not None:
        return concept.term
    language = cell_format.language
    problem = cell_format.suggestions.find(("category", cell, language), lambda: _unknown_type(cell, language))
    return problem or Problem("unknown_category", _UNKNOWN_TYPE, values={"cell": cell[:60], "near": "…"})


def _unknown_type(cell: str, language: str) -> Problem:
    near = near_product_types(cell, language)
    if not near:
        text = "{cell} is not a product type we know. One of the wide ones always fits: {near}."
        wide = ", ".join(concept.label(language) for concept in wide_product_types())
        return Problem("unknown_category", text, values={"cell": cell[:60], "near": wide})
    languages = (language, "en" if language == "fr" else "fr")
    spoken = (each for each in languages if any(_has_word_of(cell, concept.label(each)) for concept in near))
    shown_in = next(spoken, language)
    labels = ", ".join(concept.label(shown_in) for concept in near)
    return Problem("unknown_category", _UNKNOWN_TYPE, values={"cell": cell[:60], "near": labels})


def _has_word_of(cell: str, label: str) -> bool:
    return any(finds_nearly(label, word) for word in cell[:_LONGEST].split())


def texts_reader(field: ProductField) -> Callable[[str, CellFormat], dict[str, str] | Problem]:
    """The function that reads a text by language, each on a line of its own, such as ``en: Red onions``."""

    def read(cell: str, cell_format: CellFormat) -> dict[str, str] | Problem:
        lines = [_IN_LANGUAGE.fullmatch(line) for line in cell.split("\n") if line.strip()]
        texts = {line[1]: line[2] for line in lines if line is not None and line[2]}
        if None in lines or len(texts) > MOST or any(len(text) > field.most for text in texts.values()):
            text = "Write each language on a line of its own, like en: Red onions, in at most {most} characters."
            return Problem("languages", text, values={"most": field.most})
        return texts

    return read


def texts_cell(texts: Mapping[str, str]) -> str:
    """The cell that `texts_reader` reads. Lines of HTML are joined: their ends are spaces there."""
    lines = (": ".join((language, " ".join(text.splitlines()))) for language, text in sorted(texts.items()))
    return "\n".join(line.strip() for line in lines)


def read_field(field: ProductField, cell: str, cell_format: CellFormat) -> object:
    """The value of a plugin's field, by the field's kind; a number as text."""
    if field.kind == "flag":
        return read_flag(cell, cell_format)
    if field.kind == "amount":
        return read_deposit(cell, cell_format)
    if field.kind == "number":
        return cell.replace(",", ".")
    if field.kind in ("texts", "htmls"):
        return texts_reader(field)(cell, cell_format)
    if field.kind in ("term", "terms"):
        terms = terms_reader(field)(cell, cell_format)
        return terms if field.kind == "terms" or isinstance(terms, Problem) else next(iter(terms), None)
    return cell


def terms_reader(field: ProductField) -> Callable[[str, CellFormat], tuple[str, ...] | Problem]:
    """The function that reads labels or terms of the field's vocabulary between commas, as terms; each once."""
    by_name = concepts_by_name(field.vocabulary.values())

    def read(cell: str, cell_format: CellFormat) -> tuple[str, ...] | Problem:
        terms, strange = _terms(cell, lambda word: by_name.get(search_key(word)))
        if strange is None:
            return terms
        return _unknown_term(field.name, _near(strange, field.vocabulary, cell_format))

    return read


def _unknown_term(name: str, values: dict[str, str]) -> Problem:
    if name == "labels":
        text = "{cell} is not a label we know. The nearest ones are {near}."
        return Problem("unknown_label", text, values=values)
    if name == "allergens":
        text = "{cell} is not one of the allergens that the law lists. The nearest ones are {near}."
        return Problem("unknown_allergen", text, values=values)
    text = "{cell} is not known here. The nearest ones are {near}."
    return Problem("unknown_term", text, values=values)


def read_units(cell: str, cell_format: CellFormat) -> Decimal | Problem:
    """The net content of one piece: a number above zero."""
    return _number(cell) or Problem(
        "not_a_number", "{cell} is not a number above 0, such as 0.5.", values={"cell": cell[:40]}
    )


def read_measure(cell: str, cell_format: CellFormat) -> TypedUnit | Problem:
    """The unit that a French or English word means, also those of OFN: ounces, kilolitres (1,000 litres)."""
    unit = read_unit(cell)
    if unit is not None:
        return unit
    text = "{cell} is not a unit we know. The nearest ones are {near}."
    return Problem("unknown_unit", text, values=_near(cell, MEASURES, cell_format))


def _number(cell: str) -> Decimal | None:
    plain = cell.replace("\N{NO-BREAK SPACE}", "").replace("\N{NARROW NO-BREAK SPACE}", "")  # 1 000 in French
    return Decimal(plain.replace(",", ".")) if _NUMBER.fullmatch(plain) else None


def _terms(cell: str, find: Callable[[str], Concept | None]) -> tuple[tuple[str, ...], str | None]:
    """The terms of all words of a cell, and the first unknown word, if any."""
    words = [word.strip() for word in _SEPARATORS.split(cell) if word.strip()]
    concepts = {word: find(word) for word in words}
    strange = next((word for word, concept in concepts.items() if concept is None), None)
    return tuple(dict.fromkeys(concept.term for concept in concepts.values() if concept is not None)), strange


def _near(cell: str, known: Mapping[str, Concept], cell_format: CellFormat) -> dict[str, str]:
    """Values for an error: the cell's text, and the known labels that are most similar to it."""
    question = (tuple(known), cell[:_LONGEST], cell_format.language)
    labels = cell_format.suggestions.find(question, lambda: nearest(cell, known.values(), cell_format.language))
    return {"cell": cell[:60], "near": labels or "…"}


def nearest(typed: str, concepts: Iterable[Concept], language: str) -> str:
    """Up to three labels in French or English, those of `language` first, that share a word or look alike."""
    other = "en" if language == "fr" else "fr"
    known = list(concepts)
    labels = dict.fromkeys([concept.label(language) for concept in known] + [concept.label(other) for concept in known])
    return ", ".join(_nearest(search_key(typed[:_LONGEST]), tuple(labels)))


@lru_cache(maxsize=1024)
def _nearest(key: str, labels: tuple[str, ...]) -> list[str]:
    words = _words(key)
    sharing = [label for label in labels if words & _words(_key(label))]
    matcher = SequenceMatcher(b=key)

    def similarity(label: str, quick: bool = False) -> float:
        matcher.set_seq1(_key(label))
        return matcher.quick_ratio() if quick else matcher.ratio()

    similar = sharing or sorted(labels, key=lambda label: similarity(label, quick=True), reverse=True)[:_LOOKED_AT]
    return sorted(similar, key=similarity, reverse=True)[:_SHOWN]


@lru_cache(maxsize=4096)
def _key(label: str) -> str:
    return search_key(label)


@lru_cache(maxsize=4096)
def _words(key: str) -> frozenset[str]:
    """Words of three letters and more (AB too), without a plural's ending."""
    return frozenset(word.rstrip("sx") for word in _WORD.findall(key) if len(word) > 2 or word == "ab")
