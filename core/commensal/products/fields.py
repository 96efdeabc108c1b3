"""The fields of a product, each declared once: its type, limits, names, spreadsheet header and DFC property.

Everything that lists fields takes its list from `PRODUCT_FIELDS`: bodies of the API, product lists, local copies, the
federation's messages, DFC documents, moving, and the shop's page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Literal, TypedDict

from ..base.fields import Field, Kind
from ..base.money import LARGEST as LARGEST_AMOUNT
from ..base.plugin_fields import PluginValues
from ..base.texts import refuse_unknown_word
from ..base.units.facets import ALLERGENS, HANDLING, LABELS, ORIGINS
from ..base.units.measures import MEASURES
from ..base.units.product_types import PRODUCT_TYPES
from ..storage.database import Row

LARGEST_QUANTITY = 10**6


@dataclass(frozen=True, kw_only=True)
class ProductField(Field):
    """How a field of a product is read, written and shown.

    kind:     text: one line; html: clean HTML; texts, htmls: the same in further languages, by their ISO 639 codes;
              flag: yes or no; amount: minor units of the enterprise's currency; number: a decimal; term, terms: of
              `vocabulary`
    least, most: characters of a text, entries of terms, the bounds of an amount or number
    english, french: its label, which is also its header in product lists
    column:   the key of its column in product lists; "" if lists say it in another way
    others:   further headers that are read, never written
    dfc:      its property in DFC documents, such as "dfc-b:name"; "" if it is not said there
    copied:   it is told to peers with the catalogue
    shown:    how the shop shows it: in a line with its label, as a badge, as a detail below its description, which is
              read by opening the product, or "" in a place of its own or not at all
    """

    column: str = ""
    others: tuple[str, ...] = ()
    dfc: str = ""
    copied: bool = True
    shown: Literal["line", "badge", "detail", ""] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_unknown_word(f"shown of the field {self.name}", self.shown, Literal["line", "badge", "detail", ""])


def _is(kind: Kind, english: str, french: str, **declaration: object) -> dict[str, object]:
    """The metadata of a dataclass field from which its `ProductField` is made."""
    return {"product": {"kind": kind, "english": english, "french": french, **declaration}}


@dataclass(frozen=True, kw_only=True)
class _ProductBasics:
    """What a producer must say of a product, and what has a place of its own on pages."""

    name: str = field(
        metadata=_is("text", "name", "nom", column="name", least=1, required=True, dfc="dfc-b:name",
                     others=("product", "product name", "produit", "nom du produit"))
    )  # fmt: skip
    description: str = field(
        metadata=_is("html", "description", "description", column="description", most=20_000, dfc="dfc-b:description")
    )
    product_type: str = field(
        metadata=_is("term", "category", "catégorie", column="category", required=True, vocabulary=PRODUCT_TYPES,
                     others=("product category", "product type", "type de produit"), dfc="dfc-b:hasType")
    )  # fmt: skip
    sku: str | None = field(
        metadata=_is("text", "sku", "référence", column="sku", most=100, optional=True, copied=False, dfc="dfc-b:sku",
                     others=("ugs", "réf", "reference", "code", "code article"))
    )  # fmt: skip
    quantity: Decimal = field(
        metadata=_is("number", "units", "unités", most=LARGEST_QUANTITY, required=True, dfc="dfc-b:hasQuantity")
    )
    unit: str = field(
        metadata=_is("term", "unit_type", "type d'unité", required=True, dfc="dfc-b:hasUnit",
                     vocabulary={term: unit for term, unit in MEASURES.items() if unit.dimension != "ratio"})
    )  # fmt: skip
    weighed: bool = field(
        metadata=_is("flag", "weighed", "pesé", column="weighed", others=("au poids", "prix au poids"),
                     dfc="own:weighed")
    )  # fmt: skip
    weight_tolerance: Decimal | None = field(
        metadata=_is("number", "weight tolerance", "tolérance de poids", column="weight_tolerance", most=100,
                     optional=True, others=("tolerance", "tolérance"), dfc="own:weightTolerance")
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProductFacts:
    """Further facts, which an offer in the shop has too. A new field of a product is declared here.

    labels: DFC certifications and claims; origins: countries and regions of DFC; allergens: EU 1169/2011, annex II
    handling: how it is kept and packed
    lifetime: how long it keeps, such as "12 months"; storage: at which temperature and how, such as "2–8 °C"
    nutrition: per 100 g or 100 ml, such as "Protein: 3.2 g; Salt: 0.1 g"
    names, descriptions: the name and the description in further languages, by their ISO 639 codes. They are the
               producer's alone: peers and platforms are told the name and the description
    """

    labels: tuple[str, ...] = field(
        metadata=_is("terms", "labels", "labels", column="labels", others=("certifications", "label"), most=40,
                     vocabulary=LABELS, dfc="dfc-b:hasCertification", shown="badge")
    )  # fmt: skip
    allergens: tuple[str, ...] = field(
        metadata=_is("terms", "allergens", "allergènes", column="allergens", others=("allergen", "allergène"), most=40,
                     vocabulary=ALLERGENS, dfc="dfc-b:hasAllergenCharacteristic", shown="line")
    )  # fmt: skip
    origins: tuple[str, ...] = field(
        metadata=_is("terms", "origin", "origine", column="origins", others=("origins", "provenance"), most=10,
                     vocabulary=ORIGINS, dfc="dfc-b:hasGeographicalOrigin", shown="detail")
    )  # fmt: skip
    handling: tuple[str, ...] = field(
        metadata=_is("terms", "handling", "conservation", column="handling", others=("température",), most=4,
                     vocabulary=HANDLING, dfc="own:handling")
    )  # fmt: skip
    lifetime: str = field(
        metadata=_is("text", "shelf life", "durée de conservation", column="lifetime", dfc="dfc-b:lifetime",
                     others=("lifetime", "ddm", "dlc"), shown="detail")
    )  # fmt: skip
    storage: str = field(
        metadata=_is("text", "storage conditions", "conditions de conservation", column="storage", most=500,
                     others=("storage temperature", "température de conservation"), dfc="dfc-b:specificCondition",
                     shown="detail")
    )  # fmt: skip
    nutrition: str = field(
        metadata=_is("text", "nutrition", "valeurs nutritionnelles", column="nutrition", most=1_000,
                     others=("nutrition facts", "nutritional values"), dfc="own:nutrition", shown="detail")
    )  # fmt: skip
    names: Mapping[str, str] = field(
        default_factory=dict,
        metadata=_is("texts", "names in other languages", "noms dans d'autres langues", column="names", copied=False,
                     others=("names", "noms", "translations", "traductions")),
    )  # fmt: skip
    descriptions: Mapping[str, str] = field(
        default_factory=dict,
        metadata=_is("htmls", "descriptions in other languages", "descriptions dans d'autres langues",
                     column="descriptions", most=20_000, copied=False),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ProductDescription(ProductFacts, _ProductBasics):
    """All that a producer says of a product in one size.

    description:  clean HTML
    product_type: a DFC product type
    quantity:     net content of one piece, in `unit`, a DFC measure
    weighed:      the price follows the weight at packing
    weight_tolerance: percent that it may weigh more or less than `quantity`; customers pay for no more. None: unknown
    deposit:      minor units of the producer's currency, for one piece; outside VAT
    """

    deposit: int = field(
        metadata=_is("amount", "deposit", "consigne", column="deposit", most=LARGEST_AMOUNT, dfc="own:deposit")
    )


class OptionalContent(TypedDict, total=False):
    """The fields that a new product may lack, for the type checker."""

    description: str
    sku: str | None
    weighed: bool
    weight_tolerance: Decimal | None
    labels: Sequence[str]
    allergens: Sequence[str]
    origins: Sequence[str]
    handling: Sequence[str]
    lifetime: str
    storage: str
    nutrition: str
    names: Mapping[str, str]
    descriptions: Mapping[str, str]
    deposit: int
    image_id: str | None
    plugin_fields: PluginValues


class ProductContent(OptionalContent, total=False):
    """Fields of a product that can be set; they are those of `SuppliedProduct`."""

    name: str
    product_type: str
    quantity: Decimal
    unit: str
    lot_id: str


PRODUCT_FIELDS: Mapping[str, ProductField] = {
    entry.name: ProductField(name=entry.name, **entry.metadata["product"]) for entry in fields(ProductDescription)
}
_TERMS = tuple(name for name, entry in PRODUCT_FIELDS.items() if entry.kind == "terms")


def description_in(row: Row) -> dict[str, object]:
    """The values of all fields from a row of `supplied_product`."""
    return {name: row[name] for name in PRODUCT_FIELDS} | terms_in(row)


def terms_in(row: Row) -> dict[str, tuple[str, ...]]:
    """The fields whose values are several terms, as tuples; the database returns lists."""
    return {name: tuple(row[name]) for name in _TERMS}
