"""Facts of a product that DFC says by nodes, and products here by a line of text: nutrition, temperature of storage.

Nutrition is like "Protein: 3.2 g; Salt: 0.1 g", with DFC's labels of nutrients in English or French. The temperature is
said with the conditions of storage; it is not written as a node, whose class the connectors do not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from .literals import read_number, write_number
from .names import compact
from .nodes import Node, Nodes, Value
from .taxonomies import find_term, taxonomy

NUTRITION, STORAGE = "own:nutrition", "dfc-b:specificCondition"
NUTRIENTS, TEMPERATURE = "dfc-b:hasNutrientCharacteristic", "dfc-b:hasTemperature"
# The DFC properties that are read into a property of ours.
SAID_BY = {NUTRITION: NUTRIENTS, STORAGE: TEMPERATURE}
_ENTRY = re.compile(r"(?P<name>[^:;]{1,60}):\s*(?P<value>[0-9][0-9.,]{0,20})\s*(?P<unit>[^\s;]{1,20})")
_CELSIUS = {"dfc-m:Celsius", "dfc-m:DegreeCelsius", "unit:DEG_C", "°C"}


T = TypeVar("T")


@dataclass(frozen=True)
class Nutrient:
    """`term` is a DFC dimension of nutrients ("Protein"), `unit` a DFC measure ("Gram")."""

    term: str
    value: Decimal
    unit: str

    def text(self, language: str) -> str:
        symbol = getattr(taxonomy("dfc-m")[self.unit], "symbol", "") or self.unit
        return f"{taxonomy('dfc-m')[self.term].label(language)}: {write_number(self.value)} {symbol}"


def nutrition_text(nutrients: list[Nutrient], language: str = "en") -> str:
    return "; ".join(nutrient.text(language) for nutrient in nutrients)


def nutrients_in(text: str) -> list[Nutrient] | None:
    """The nutrients of a text; None if anything in it is not a nutrient of DFC, such as energy."""
    nutrients = [_nutrient_in(entry) for entry in text.split(";") if entry.strip()]
    known = [nutrient for nutrient in nutrients if nutrient is not None]
    return known if known and len(known) == len(nutrients) else None


def _nutrient_in(entry: str) -> Nutrient | None:
    match = _ENTRY.fullmatch(entry.strip())
    term = find_term("dfc-m", match["name"]) if match else None
    unit = find_term("dfc-m", match["unit"]) if match else None
    value = read_number(match["value"]) if match else None
    if term is None or unit is None or value is None or "NutrientDimension" not in taxonomy("dfc-m")[term].broader:
        return None
    return Nutrient(term, value, unit)


def in_language(nutrition: str, language: str) -> str:
    """The text with the nutrients' names in this language; unchanged where it has anything else."""
    nutrients = nutrients_in(nutrition)
    return nutrition_text(nutrients, language) if nutrients else nutrition


def read_facts(stated: dict[str, list[Value]], nodes: Nodes, absorbed: set[str]) -> None:
    """Replaces, in the values of a product by property, the nodes that are understood by texts, and adds their IRIs to
    `absorbed`."""
    storage = [str(value.get("@value", "")).strip() for value in stated.get(STORAGE, [])]
    storage += _taken(stated, TEMPERATURE, _temperature_of, nodes, absorbed)
    if any(storage):
        stated[STORAGE] = [{"@value": "; ".join(dict.fromkeys(filter(None, storage)))}]
    nutrients = _taken(stated, NUTRIENTS, _nutrient_of, nodes, absorbed)
    if nutrients and not stated.get(NUTRITION):
        stated[NUTRITION] = [{"@value": nutrition_text(nutrients)}]


def _taken(
    stated: dict[str, list[Value]], property: str, read: Callable[[Node], T | None], nodes: Nodes, absorbed: set[str]
) -> list[T]:
    """What the nodes of a property say. Nothing is taken unless all of them are understood."""
    stating = [nodes.by_iri.get(str(value.get("@id"))) for value in stated.get(property, [])]
    facts = [read(node) if node is not None else None for node in stating]
    if not facts or None in facts:
        return []
    del stated[property]
    absorbed |= {node.iri for node in stating if node is not None}
    return [fact for fact in facts if fact is not None]


def _temperature_of(node: Node) -> str | None:
    """A temperature in degrees Celsius, or a range of them, as people write it."""
    units = {compact(str(value.get("@id", value.get("@value")))) for value in node.values("dfc-b:hasUnit")}
    least, most, exact = (_number_of(node, f"dfc-b:{name}") for name in ("minValue", "maxValue", "value"))
    if not units <= _CELSIUS or (least is None and most is None and exact is None):
        return None
    if least is not None and most is not None:
        return f"{_signed(least)}–{_signed(most)} °C"
    if exact is not None:
        return f"{_signed(exact)} °C"
    return f"≤ {_signed(most)} °C" if most is not None else f"≥ {_signed(least)} °C"


def _nutrient_of(node: Node) -> Nutrient | None:
    dimension, unit = (_term_of(node, f"dfc-b:{name}") for name in ("hasNutrientDimension", "hasUnit"))
    value = _number_of(node, "dfc-b:value")
    return Nutrient(dimension, value, unit) if dimension and unit and value is not None else None


def _term_of(node: Node, property: str) -> str | None:
    names = [compact(str(value.get("@id", value.get("@value")))) for value in node.values(property)]
    return find_term("dfc-m", names[0].removeprefix("dfc-m:")) if names else None


def _number_of(node: Node, property: str) -> Decimal | None:
    values = node.values(property)
    return read_number(values[0].get("@value")) if values else None


def _signed(number: Decimal | None) -> str:
    return write_number(number or Decimal(0)).replace("-", "−")
