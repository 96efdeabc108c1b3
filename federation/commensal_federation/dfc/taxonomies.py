"""DFC's taxonomies: their terms, with English and French labels.

Measures, product types, certifications, origins and allergens come from the core; the others from ``tables/``.
"""

from __future__ import annotations

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


def _read(name: str) -> dict[str, Concept]:
    lines = (_TABLES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return {term: Concept(term=term, broader=tuple(broader.split()), en=en, fr=fr) for term, broader, en, fr in rows}
