"""CO2 report: what carrying the goods to the hub causes, from the kilometres that producers name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from commensal import (
    Chart,
    Column,
    Line,
    ProductField,
    Quantity,
    Query,
    Report,
    Series,
    a_period,
    hookimpl,
    look,
    product_values,
    translate,
)

KILOGRAMS = {"Kilogram": Decimal(1), "Gram": Decimal("0.001"), "Litre": Decimal(1), "Millilitre": Decimal("0.001")}


@dataclass(frozen=True)
class Settings:
    grams: Decimal = Decimal("0.2")
    """Grams of CO2 for each kilogram and kilometre; 0.2 is a small van."""

    def __post_init__(self) -> None:
        if not 0 < self.grams <= 10:
            raise ValueError("grams: more than 0, at most 10")


@hookimpl
def enterprise_settings() -> type:
    return Settings


@hookimpl
def product_fields() -> Sequence[ProductField]:
    return [
        ProductField(
            name="km", kind="number", english="kilometres to the hub", french="kilomètres jusqu’au hub", most=20_000
        )
    ]


@hookimpl
def reports(language: str, settings: Settings) -> Sequence[Report]:
    return [
        Report(
            id="transport",
            label=translate(language, "CO₂ of transport"),
            description=translate(
                language, "What carrying each product to the hub causes, as far as its kilometres are known."
            ),
            columns=[
                Column(name="product", label=translate(language, "Product")),
                Column(name="weight", label=translate(language, "Weight"), kind="quantity", summed=True),
                Column(name="km", label=translate(language, "Kilometres"), kind="whole"),
                Column(name="grams", label=translate(language, "Grams of CO₂"), kind="whole", summed=True),
            ],
            rows=partial(_lines, settings=settings),  # a report gets no settings of its own
            parameters=a_period(language),
            charts=partial(_charts, settings=settings),
        )
    ]


class Carried(NamedTuple):
    """A line of the report."""

    product: str
    weight: Quantity
    km: int
    grams: int


def _lines(query: Query, settings: Settings) -> Iterator[Line]:
    yield from _carried(query, settings)


def _charts(query: Query, settings: Settings) -> Sequence[Chart]:
    most = _carried(query, settings)[:12]
    series = Series(translate(query.language, "Grams of CO₂"), [line.grams for line in most])
    title = translate(query.language, "CO₂ of transport")
    return [Chart(title=title, labels=[line.product for line in most], series=[series])]


def _carried(query: Query, settings: Settings) -> list[Carried]:
    """A line for each product, the one that causes most first. Two statements, however many orders there are."""
    sold = list(look(query, "order_lines", "product", "product_id", "size", "pieces", put_together=True))
    values = product_values(query.tx, "co2_report", [product_id for _, product_id, _, _ in sold])
    carried = []
    for product, product_id, size, pieces in sold:
        km = Decimal(str(values.get(product_id, {}).get("km", 0)))
        weight = size.value * pieces * KILOGRAMS.get(size.unit, Decimal(0))  # what is sold by the piece has none
        carried.append(Carried(product, Quantity(weight, "Kilogram"), round(km), round(weight * km * settings.grams)))
    return sorted(carried, key=lambda line: (-line.grams, line.product))
