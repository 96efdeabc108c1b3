"""The bodies of requests about products, made from the table of a product's fields, and their description."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ...api.endpoint import Body
from ...base.fields import Field, Kind
from ...base.languages.catalogs import MOST
from ...base.plugin_fields import DeclaredFields
from ...products.fields import PRODUCT_FIELDS

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Language = Annotated[str, msgspec.Meta(min_length=2, max_length=3)]
_LANGUAGES = msgspec.Meta(max_length=MOST)
Term = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
PluginBody = Annotated[  # fields that plugins declare, by plugin and name
    dict[Id, Annotated[dict[Id, Any], msgspec.Meta(max_length=100)]], msgspec.Meta(max_length=100)
]
_REQUIRED = [field for field in PRODUCT_FIELDS.values() if field.required]
_OPTIONAL = [field for field in PRODUCT_FIELDS.values() if not field.required]


def _type_of(field: Field) -> object:
    """The type of a field in a body, with its limits."""
    types: dict[Kind, Any] = {
        "text": Annotated[str, msgspec.Meta(min_length=field.least or None, max_length=field.most)],
        "html": Annotated[str, msgspec.Meta(max_length=field.most)],
        "texts": Annotated[dict[Language, Annotated[str, msgspec.Meta(max_length=field.most)]], _LANGUAGES],
        "htmls": Annotated[dict[Language, Annotated[str, msgspec.Meta(max_length=field.most)]], _LANGUAGES],
        "flag": bool,
        "amount": Annotated[int, msgspec.Meta(ge=field.least, le=field.most)],
        "number": Decimal,
        "term": Term,
        "terms": Annotated[tuple[Term, ...], msgspec.Meta(max_length=field.most)],
    }
    return types[field.kind] | None if field.optional else types[field.kind]


def _body(name: str, doc: str, *fields: tuple[str, object] | tuple[str, object, object]) -> object:
    namespace = {"__doc__": doc}
    return msgspec.defstruct(
        name, fields, bases=(Body,), module=__name__, namespace=namespace, frozen=True, kw_only=True
    )


if TYPE_CHECKING:
    NewProduct = Body
    ProductPatch = Body
else:
    NewProduct = _body(
        "NewProduct",
        """One piece contains `quantity` of `unit`, a DFC measure. With `lot_id` it is a size of what is in that lot;
    without, it gets a lot of its own that holds `on_hand` of its unit, or is `unlimited`. `vat_rate` is in percent.""",
        *((field.name, _type_of(field)) for field in _REQUIRED),
        ("vat_rate", Decimal),
        ("lot_id", Id | None, None),
        ("on_hand", Decimal | None, None),
        ("unlimited", bool, False),
        *((field.name, _type_of(field), field.default) for field in _OPTIONAL),
        ("image_id", Id | None, None),
        ("plugin_fields", PluginBody, {}),
    )
    ProductPatch = _body(
        "ProductPatch",
        """Orders that were placed keep what they say.""",
        *((field.name, _type_of(field) | msgspec.UnsetType, msgspec.UNSET) for field in _REQUIRED),
        ("lot_id", Id | msgspec.UnsetType, msgspec.UNSET),
        *((field.name, _type_of(field) | msgspec.UnsetType, msgspec.UNSET) for field in _OPTIONAL),
        ("image_id", Id | msgspec.UnsetType | None, msgspec.UNSET),
        ("plugin_fields", PluginBody | msgspec.UnsetType, msgspec.UNSET),
    )


_BODIES = {
    "products": ("NewProduct", "ProductPatch", "SuppliedProduct", "VisibleOffer"),
    "orders": ("NewOrder", "HubOrder", "OrderChanges", "Order"),
    "customers": ("NewCustomer", "CustomerPatch", "Customer"),
}


def describe_plugin_fields(document: dict[str, Any], declared: DeclaredFields) -> None:
    """Types `plugin_fields` of products, orders and customers in the API document by what plugins declare; changes
    nothing if they declare none."""
    schemas = document.get("components", {}).get("schemas", {})
    for kind, names in _BODIES.items():
        for name in names:
            by_plugin: dict[str, Any] = {}
            for plugin, field in getattr(declared, kind):
                if name != "VisibleOffer" or field.shown:
                    by_plugin.setdefault(plugin, {})[field.name] = _schema_of(field)
            if by_plugin and name in schemas:
                types = {plugin: {"type": "object", "properties": fields} for plugin, fields in by_plugin.items()}
                schemas[name]["properties"]["plugin_fields"] |= {"properties": types}


def _schema_of(field: Field) -> dict[str, object]:
    schema: dict[str, Any] = msgspec.json.schema(_type_of(field))
    if field.kind in ("term", "terms"):
        terms = {"type": "string", "enum": list(field.vocabulary)}
        schema = terms if field.kind == "term" else {"type": "array", "items": terms, "maxItems": field.most}
    return {"title": field.english, **schema}
