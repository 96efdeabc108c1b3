"""A product's description as DFC and back, by the core's table of fields.

A field with an attribute of `DfcProduct` of the same name uses it; any other stands in `extra` under its declared
property. So a new field needs no change here, and leaves the digests of products that do not say it as they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from commensal import LABELS, PluginFields, ProductField, SuppliedProduct
from commensal.products import PRODUCT_FIELDS

from .namespace import NAMESPACE
from .vocabulary import DfcPrice, DfcProduct, DfcQuantity

CLAIMS = frozenset(term for term, label in LABELS.items() if "OtherClaim" in label.broader)
_OWN = f"{NAMESPACE}#"  # of properties that DFC does not have
COLD = {"refrigerated": "Chilled", "frozen": "Frozen"}  # how goods are kept, by DFC's property for it
SAME_AS = "owl:sameAs"
_MEASURED = ("quantity", "unit")  # together a `DfcQuantity`
_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_ATTRIBUTES = DfcProduct.__dataclass_fields__
_READ = {SAME_AS, *(field.dfc for name, field in PRODUCT_FIELDS.items() if name not in _ATTRIBUTES)}


def description_of(
    product: SuppliedProduct, currency: str, declared: PluginFields, *, split_claims: bool
) -> dict[str, Any]:
    """Returns the arguments of `DfcProduct` that describe the product. `currency` is that of its deposit; `declared`
    are the fields of plugins, of which those that may be copied are told.

    With `split_claims`, labels that are claims are written as such, and cold goods are marked as in DFC; peers get all
    labels, and all that is said of the handling, together.
    """
    values: dict[str, object] = {"quantity": DfcQuantity(value=product.quantity, unit=product.unit)}
    extra: dict[str, tuple[object, ...]] = {}
    for field in _copied():
        value = getattr(product, field.name)
        if field.name in _ATTRIBUTES:
            values[field.name] = _as_price(value, currency) if field.kind == "amount" else value
        elif value != field.default:
            extra[field.dfc] = tuple(_literals(field, value))
    for plugin, entries in declared.copied(product.plugin_fields).items():
        for name, value in entries.items():
            extra[_property(plugin, name)] = tuple(_literals(declared.by_plugin[plugin][name], value))
    if split_claims:
        values["labels"] = tuple(label for label in product.labels if label not in CLAIMS)
        values["claims"] = tuple(label for label in product.labels if label in CLAIMS)
        values |= {flag: term in product.handling for flag, term in COLD.items()}
    return {**values, "extra": extra, "lot_quantity": Decimal(product.lot_quantity), "vat_rate": product.vat_rate}


def description_in(product: DfcProduct, declared: PluginFields) -> dict[str, Any]:
    """Returns the fields of a `ProductCopy` that the document says, claims among the labels; sizes are left out."""
    values: dict[str, Any] = {}
    for field in _copied():
        if field.name in _ATTRIBUTES:
            value = getattr(product, field.name)
            if field.kind == "amount":
                value = value.amount if value else field.default
            values[field.name] = "" if value is None else value
        else:
            values[field.name] = _value_in(field, product.extra)
    plugin_values: dict[str, dict[str, object]] = {}
    for plugin, field in declared:
        if _property(plugin, field.name) in product.extra:
            property = replace(field, dfc=_property(plugin, field.name))
            plugin_values.setdefault(plugin, {})[field.name] = _value_in(property, product.extra)
    labels = tuple(dict.fromkeys((*product.labels, *product.claims)))
    cold = (term for flag, term in COLD.items() if getattr(product, flag))
    handling = tuple(dict.fromkeys((*values["handling"], *cold)))
    return {**values, "labels": labels, "handling": handling, "plugin_fields": plugin_values}


def facts_of(product: DfcProduct, name: str) -> dict[str, list[str]]:
    """Returns what a statement says of a product under this name, without its description: texts by property.

    Quantities are like ``5 Kilogram``, amounts in minor units. Both sides of a statement call this, so it is the same
    for the product that was written and for the one that was read. A property that has no value is there, and empty.
    """
    described = description_in(product, PluginFields())
    facts = {
        field.dfc.replace("own:", _OWN): sorted(
            literal["@value"] for literal in _literals(field, described[field.name])
        )
        for field in _copied()
        if field.kind != "html"
    }
    size = product.quantity
    sizes = {"dfc-b:hasQuantity": [f"{_plain(size.value)} {size.unit}"] if size is not None else []}
    rates = {f"{_OWN}VATrate": [_plain(product.vat_rate)] if product.vat_rate is not None else []}
    return {**facts, "dfc-b:name": [name], **sizes, **rates}


def _plain(value: Decimal) -> str:
    """Without an exponent, and without needless zeros."""
    return f"{value.normalize():f}"


def known_terms(values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the same values without terms that are not known here."""
    known = dict(values)
    for name, field in PRODUCT_FIELDS.items():
        if field.kind == "terms":
            known[name] = tuple(term for term in values[name] if term in field.vocabulary)
    return known


def is_read(property: str) -> bool:
    """Whether what a product says under this property is read, though `DfcProduct` has no field for it."""
    return property in _READ


def _property(plugin: str, name: str) -> str:
    return f"own:{plugin}.{name}"


def _copied() -> Iterator[ProductField]:
    return (field for field in PRODUCT_FIELDS.values() if field.copied and field.name not in _MEASURED)


def _as_price(amount: int, currency: str) -> DfcPrice | None:
    return DfcPrice(amount=amount, currency=currency) if amount else None


def _literals(field: ProductField, value: Any) -> Iterator[dict[str, str]]:
    entries = value if field.kind == "terms" else () if value is None or isinstance(value, Mapping) else (value,)
    for entry in entries:
        text = _plain(entry) if isinstance(entry, Decimal) else str(entry)
        yield {"@value": text.lower() if field.kind == "flag" else text}


def _value_in(field: ProductField, extra: Mapping[str, tuple[object, ...]]) -> object:
    """The value of a field without an attribute; its default where the document does not say it."""
    texts = [str(value.get("@value", "")) for value in extra.get(field.dfc, ()) if isinstance(value, Mapping)]
    if field.kind == "terms":
        return tuple(dict.fromkeys(text for text in texts if text in field.vocabulary))[: field.most]
    if not texts:
        return field.default
    if field.kind == "flag":
        return texts[0].lower() == "true"
    if field.kind == "amount":
        return int(texts[0]) if texts[0].isdecimal() and len(texts[0]) < 16 else field.default
    if field.kind == "number":
        return _number(field, texts[0])
    return texts[0][: field.most]


def _number(field: ProductField, text: str) -> object:
    """The number, or the default where it is none within the field's bounds."""
    plain = text[:40]
    number = Decimal(plain) if _DECIMAL.fullmatch(plain) else None
    return number if number is not None and field.least <= number <= field.most else field.default
