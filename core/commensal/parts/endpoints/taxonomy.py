"""The terms of the DFC taxonomies that this instance knows, with their French and English labels."""

from __future__ import annotations

from dataclasses import dataclass

from ...api.endpoint import Call, Routes
from ...base.units.facets import ALLERGENS, LABELS, ORIGINS
from ...base.units.measures import MEASURES
from ...base.units.product_types import PRODUCT_TYPES, Concept

routes = Routes("taxonomy")


@dataclass(frozen=True, kw_only=True)
class MeasureShown:
    """`factor` is an exact fraction: how many of the dimension's base unit (gram, millilitre, metre, piece) it is."""

    term: str
    en: str
    fr: str
    symbol: str
    dimension: str
    factor: str


@routes.get("/taxonomy/measures", scope="public")
def measures(call: Call) -> list[MeasureShown]:
    """Units of quantity."""
    return [
        MeasureShown(
            term=measure.term,
            en=measure.en,
            fr=measure.fr,
            symbol=measure.symbol,
            dimension=measure.dimension,
            factor=str(measure.factor),
        )
        for measure in MEASURES.values()
    ]


@routes.get("/taxonomy/product-types", scope="public")
def product_types(call: Call) -> list[Concept]:
    """Kinds of product; `broader` leads to the top of the tree."""
    return list(PRODUCT_TYPES.values())


@routes.get("/taxonomy/labels", scope="public")
def labels(call: Call) -> list[Concept]:
    """Certifications and claims; those below OtherClaim are claims."""
    return list(LABELS.values())


@routes.get("/taxonomy/origins", scope="public")
def origins(call: Call) -> list[Concept]:
    """Countries, and regions of some; `broader` leads to the continent."""
    return list(ORIGINS.values())


@routes.get("/taxonomy/allergens", scope="public")
def allergens(call: Call) -> list[Concept]:
    """The allergens of regulation (EU) 1169/2011, annex II."""
    return list(ALLERGENS.values())
