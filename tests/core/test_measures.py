"""Measures, product types, labels and allergens: exact, complete, and spelt as DFC spells them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commensal.base.search import search_key
from commensal.base.units.facets import ALLERGENS, LABELS
from commensal.base.units.measures import MEASURES, convert, read_unit
from commensal.base.units.product_types import (
    PRODUCT_TYPES,
    find_product_type,
    lineage,
    near_product_types,
    wide_product_types,
)


def test_tables_are_complete_and_labelled() -> None:
    assert (len(MEASURES), len(PRODUCT_TYPES), len(ALLERGENS)) == (56, 253, 14)
    for table in (MEASURES, PRODUCT_TYPES, ALLERGENS, LABELS):
        assert all(concept.term == term and concept.en and concept.fr for term, concept in table.items())
    assert all(
        broader_term in PRODUCT_TYPES
        for product_type in PRODUCT_TYPES.values()
        for broader_term in product_type.broader
    )


@given(
    quantity=st.decimals("0.001", "1000000", places=3),
    pair=st.sampled_from([(a, b) for a in MEASURES.values() for b in MEASURES.values() if a.comparable(b)]),
)
def test_what_is_converted_there_and_back_is_the_same(quantity: Decimal, pair: tuple[Any, Any]) -> None:
    converted = convert(quantity, pair[0], pair[1])
    assert converted * pair[1].factor / pair[0].factor == Fraction(quantity)


@pytest.mark.parametrize(
    ("quantity", "unit", "into", "result"),
    [
        ("1", "PoundMass", "Gram", "453.59237"),
        ("0.0625", "PoundMass", "Gram", "28.349523125"),  # the international ounce
        ("1", "Gallon", "Litre", "4.54609"),
        ("3", "Dozen", "Piece", "36"),
        ("1", "Tonne", "Kilogram", "1000"),
        ("75", "Centilitre", "Litre", "0.75"),
        ("2", "Bunch", "Bunch", "2"),
    ],
)
def test_factors_are_those_of_the_law(quantity: str, unit: str, into: str, result: str) -> None:
    assert convert(Decimal(quantity), MEASURES[unit], MEASURES[into]) == Fraction(result)


@pytest.mark.parametrize(
    ("unit", "into"), [("Kilogram", "Litre"), ("Crate", "Piece"), ("Crate", "Box"), ("Percent", "Piece")]
)
def test_what_cannot_be_compared_is_not_converted(unit: str, into: str) -> None:
    with pytest.raises(ValueError, match=f"{unit} cannot be said in {into}"):
        convert(Decimal(1), MEASURES[unit], MEASURES[into])


@pytest.mark.parametrize(
    ("typed", "term", "times"),
    [
        ("g", "Gram", "1"),
        ("kg", "Kilogram", "1"),
        ("T", "Tonne", "1"),
        ("mL", "Millilitre", "1"),
        ("L", "Litre", "1"),
        ("kL", "Litre", "1000"),
        ("lb", "PoundMass", "1"),
        ("oz", "PoundMass", "0.0625"),
        ("cL", "Centilitre", "1"),
        ("Pièces", "Piece", "1"),
        ("botte", "Bunch", "1"),
        ("Bottes", "Bunch", "1"),
        ("sacs", "Bag", "1"),
        ("KILOS ", "Kilogram", "1"),
        ("douzaine", "Dozen", "1"),
        ("boîtes", "Box", "1"),
        ("6Pack", "6Pack", "1"),
        ("items", "Piece", "1"),
        ("barquettes", "Punnet", "1"),
        ("bocaux", "Jar", "1"),
        ("mg", "Milligram", "1"),
    ],
)
def test_the_words_people_type_are_understood(typed: str, term: str, times: str) -> None:
    unit = read_unit(typed)
    assert unit is not None
    assert (unit.measure.term, unit.times) == (term, Decimal(times))


@pytest.mark.parametrize("typed", ["", "livre", "k g", "kgg", "'; --", "5"])
def test_an_unknown_or_ambiguous_unit_is_not_guessed(typed: str) -> None:
    assert read_unit(typed) is None


def test_every_term_and_label_is_understood_as_itself() -> None:
    for measure in MEASURES.values():
        for word in (measure.term, measure.en, measure.fr, measure.symbol):
            unit = read_unit(word) if word else None
            assert not word or (unit and unit.measure is measure and unit.times == 1)


@pytest.mark.parametrize(
    ("typed", "language", "term"),
    [
        ("Légumes", "fr", "vegetable"),
        ("vegetables", "fr", "vegetable"),
        ("ŒUF", "fr", "egg"),
        ("oeufs", "fr", "egg"),
        ("prune", "fr", "plum"),
        ("prune", "en", "prune"),
        ("pruneau", "en", "prune"),
        ("pommes de terre", "fr", "potato"),
        ("haricot", "fr", "bean"),
        ("haricots", "fr", "beans"),
        ("soft-drink", "fr", "soft-drink"),
        ("riz", "fr", "rice"),
        ("Brioches", "fr", "viennoiserie-"),
        ("cheddar", "en", "mature-cheese"),
        ("Crème", "fr", "fresh-cream"),
        ("viennoiserie-", "en", "viennoiserie-"),
        ("creme fraiche", "fr", "fresh-cream"),
    ],
)
def test_a_product_type_is_found_by_what_people_call_it(typed: str, language: str, term: str) -> None:
    concept = find_product_type(typed, language)
    assert concept is not None
    assert concept.term == term


def test_an_unknown_product_type_is_not_guessed() -> None:
    assert find_product_type("licorne") is None
    assert find_product_type("") is None


@pytest.mark.parametrize(
    ("typed", "language", "label"),
    [
        ("fromage", "fr", "fromage affiné"),
        ("cheese", "fr", "fromage affiné"),
        ("cheese", "en", "mature cheese"),
        ("confitur", "fr", "confiture"),
        ("mes légume", "fr", "légume"),
        ("chedar", "en", "mature cheese"),
    ],
)
def test_near_product_types_are_named_in_the_language_of_the_reader(typed: str, language: str, label: str) -> None:
    near = [concept.label(language) for concept in near_product_types(typed, language)]
    assert label in near
    assert len(near) <= 6


def test_a_wide_type_fits_what_is_near_to_none() -> None:
    assert near_product_types("licorne", "fr") == []
    assert {"boulangerie", "épicerie locale"} <= {concept.label("fr") for concept in wide_product_types()}


def test_every_product_type_is_found_by_its_own_labels() -> None:
    for product_type in PRODUCT_TYPES.values():
        for language in ("fr", "en"):
            concept = find_product_type(product_type.label(language), language)
            assert concept is not None
            assert search_key(concept.label(language)) == search_key(product_type.label(language))


def test_a_lineage_runs_from_the_top_to_the_type_itself() -> None:
    assert [concept.term for concept in lineage("raspberry")] == ["fruit", "berry", "raspberry"]
    assert [concept.term for concept in lineage("vegetable")] == ["vegetable"]
    assert max(len(lineage(term)) for term in PRODUCT_TYPES) <= 4
