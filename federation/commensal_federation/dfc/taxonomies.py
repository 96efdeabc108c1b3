"""DFC's taxonomies: their terms, with English and French labels.

Measures, product types, certifications, origins and allergens come from the core; the others from ``tables/``.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

from commensal import ALLERGENS, LABELS, MEASURES, ORIGINS, PRODUCT_TYPES, Concept

_TABLES = Path(__file__).with_name("tables")
# Currencies in the taxonomy of measures. Others are written by their QUDT IRI, as version 2 writes all currencies.
CURRENCIES = {
    "Euro": "EUR",
    "PoundSterling": "GBP",
    "USDollar": "USD",
    "AustralianDollar": "AUD",
    "CanadianDollar": "CAD",
}
CURRENCY_TERMS = {code: term for term, code in CURRENCIES.items()}
_SIGNS = {"€": "EUR", "£": "GBP"}  # of one currency only
# Codes of units besides DFC's terms, labels and symbols, in small letters: of UN/CEFACT, of QUDT, and words in use.
_UNITS = {
    "grm": "Gram",
    "gm": "Gram",
    "kgm": "Kilogram",
    "kilogm": "Kilogram",
    "mgm": "Milligram",
    "milligm": "Milligram",
    "ltr": "Litre",
    "liter": "Litre",
    "mlt": "Millilitre",
    "millil": "Millilitre",
    "clt": "Centilitre",
    "centil": "Centilitre",
    "mtr": "Metre",
    "cmt": "Centimetre",
    "centim": "Centimetre",
    "c62": "Piece",
    "h87": "Piece",
    "ea": "Piece",
    "each": "Piece",
    "unit": "Piece",
    "unité": "Piece",
    "units": "Piece",
    "dzn": "Dozen",
}
SCOPES = ("ReadEnterprise", "WriteEnterprise", "ReadProducts", "WriteProducts", "ReadOrders", "WriteOrders")


@cache
def taxonomy(prefix: str) -> dict[str, Concept]:
    """All concepts of a taxonomy by their terms. `prefix` is dfc-pt, dfc-f, dfc-m or dfc-v."""
    if prefix == "dfc-pt":
        return dict(PRODUCT_TYPES)
    if prefix == "dfc-f":
        return {**LABELS, **ORIGINS, **_read("facets")}
    if prefix == "dfc-m":
        return {**MEASURES, **ALLERGENS, **_read("measures")}
    return _read("vocabulary")


def find_term(prefix: str, name: str) -> str | None:
    """The term with this name: the term itself in any capitals, its label in English or French, or a unit's symbol.

    None for a name of no term, and for one of several: a prune is a plum in French.
    """
    return name if name in taxonomy(prefix) else _terms_by_name(prefix).get(name.strip().casefold())


def find_spelling(prefix: str, term: str) -> str | None:
    """The term in the capitals of the taxonomy; None if it is not a term."""
    return term if term in taxonomy(prefix) else _terms_in_small_letters(prefix).get(term.casefold())


@cache
def _terms_by_name(prefix: str) -> dict[str, str]:
    terms: dict[str, set[str]] = {}
    for term, concept in taxonomy(prefix).items():
        for name in {term, concept.en, concept.fr, getattr(concept, "symbol", "")} - {""}:
            terms.setdefault(name.casefold(), set()).add(term)
    known = {name: min(named) for name, named in terms.items() if len(named) == 1}
    return {**known, **_UNITS} if prefix == "dfc-m" else known


@cache
def _terms_in_small_letters(prefix: str) -> dict[str, str]:
    return {term.casefold(): term for term in taxonomy(prefix)}


def narrowest(prefix: str, terms: Collection[str]) -> str | None:
    """The one of these terms that lies below all others, such as `apples` of `fruit` and `apples`; None without one."""
    return next((term for term in terms if set(terms) <= _with_broader(prefix, term)), None)


def _with_broader(prefix: str, term: str) -> set[str]:
    broader, waiting = set[str](), [term]
    while waiting:
        name = waiting.pop()
        concept = taxonomy(prefix).get(name)
        if name not in broader and concept is not None:
            waiting += concept.broader
        broader.add(name)
    return broader


def find_currency(name: str) -> str | None:
    """The code (ISO 4217) of a currency's code, its name in DFC, or its sign; None if it is none that is known."""
    text = name.partition(":")[2] if name.startswith(("cur:", "dfc-m:", "unit:")) else name.strip()
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    return _SIGNS.get(text) or CURRENCIES.get(find_term("dfc-m", text) or "")


def _read(name: str) -> dict[str, Concept]:
    lines = (_TABLES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {term: Concept(term=term, broader=tuple(broader.split()), en=en, fr=fr) for term, broader, en, fr in rows}
