"""One product: all that its producer says of it, in a form made from the fields that the core and plugins declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from starlette.responses import Response

from commensal import (
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    ProductField,
    SuppliedProduct,
    Transaction,
    demand,
    enterprise_by_id,
    read_amount,
    search_key,
)
from commensal.catalogs import listings_of
from commensal.pages import Visit, on_refusal, page_parts
from commensal.parts.supply import goods_on_orders
from commensal.products import PRODUCT_FIELDS, change_product, products_by_id

from ..frame.desk import Desk, open_desk
from ..frame.fields import fields_of, fields_with, texts_in, typed_texts
from ..frame.render import amount_in_field, number_in_field, paragraphs_of, plain_of, show
from .new_goods import read_number

_PLUGIN = "plugin_fields"
_IMPERIAL = frozenset({"Gallon", "Inch", "PoundMass"})  # measures that only some countries sell in
_IMPERIAL_IN = frozenset({"GB", "IE", "US"})
_FACTS = list(PRODUCT_FIELDS).index("labels")  # the basics of a product stand before its further facts


@dataclass(frozen=True, kw_only=True)
class ProductInput:
    """A field of the form. Its name is the pointer of its mistakes, such as ``plugin_fields/tour/gate``.

    value: as text; of a flag whether it is set; of terms the chosen terms; of texts those of all fields, by name
    terms: what can be chosen, by term, for a field of kind "term" or "terms"
    """

    name: str
    field: ProductField
    label: str
    value: object
    terms: Mapping[str, str]


def product_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk, product = open_product(tx, visit)
        producer = enterprise_by_id(tx, product.enterprise_id)
        inputs = [_input(visit, *each, producer) for each in _values(tx, product)]
        holding = _orders_with(tx, desk, product)
        sells = desk.may("catalogs:write") and bool(listings_of(tx, desk.enterprise.id, [product.id]))
        added_parts = page_parts(tx, visit, "product", desk.enterprise.id, desk.scopes, subject=product.id)
    return show(
        visit,
        desk,
        "product",
        at="products",
        product=product,
        producer=producer,
        basics=inputs[:_FACTS],
        facts=inputs[_FACTS:],
        saved="saved" in visit.query,
        version=visit.form.get("version", "") or str(product.version),
        labels={entry.name: entry.label for entry in inputs},
        added_parts=added_parts,
        holding=holding,
        sells=sells,
    )


def _orders_with(tx: Transaction, desk: Desk, product: SuppliedProduct) -> int:
    """How many orders that are still to be handed over hold the product; 0 for who cannot change them."""
    if not (desk.may("orders:write") and desk.may("catalogs:write")):
        return 0
    held = goods_on_orders(tx, desk.enterprise.id, [product.id])
    return len({goods.order_id for goods in held if goods.product_id == product.id and goods.handed_over_at is None})


def _is_field(visit: Visit, name: str) -> bool:
    return name in PRODUCT_FIELDS or name in visit.form


@on_refusal(product_page, _is_field)
def post_product(visit: Visit) -> Response:
    """Changes all that the form shows. Orders that were placed keep the product as it was."""
    with visit.write() as tx:
        desk, product = open_product(tx, visit)
        producer = enterprise_by_id(tx, product.enterprise_id)
        values = {name: (field, value) for name, field, value in _values(tx, product)}
        content = _read(visit, values, producer)
        change_product(tx, producer.id, product.id, visit.form_version, **content)
    return visit.redirect(f"{desk.address}/products/{product.id}?saved=1")


def open_product(tx: Transaction, visit: Visit) -> tuple[Desk, SuppliedProduct]:
    """The product in the path: one's own, or one of a producer who lets this enterprise keep their list."""
    desk = open_desk(tx, visit, "products:write")
    product = products_by_id(tx, [visit.path["product"]]).get(visit.path["product"])
    if product is None:
        raise NotFound("no_product", "There is no such product.")
    if product.enterprise_id != desk.enterprise.id:
        demand(tx, visit.actor, "products:write", product.enterprise_id)
    return desk, product


def _values(tx: Transaction, product: SuppliedProduct) -> Iterator[tuple[str, ProductField, object]]:
    """The name, the field and the present value of each field that the form shows."""
    for name, field in PRODUCT_FIELDS.items():
        yield name, field, getattr(product, name)
    for plugin, field in tx.plugin_fields.products:
        value = product.plugin_fields.get(plugin, {}).get(field.name, field.default)
        yield f"{_PLUGIN}/{plugin}/{field.name}", field, value


# ------------------------------------------------------------------------------------------------ shown


def _input(visit: Visit, name: str, field: ProductField, value: object, producer: Enterprise) -> ProductInput:
    typed = visit.form
    terms = {term: concept.label(visit.language) for term, concept in field.vocabulary.items()}
    if not typed:
        shown = _shown(name, field, value, producer, visit.language)
    elif field.kind in ("texts", "htmls"):
        shown = {each: typed.get(each, "") for each in fields_of(name)}
    elif field.kind == "terms":
        shown = [term for term in terms if f"{name}/{term}" in typed]
    else:
        shown = typed.get(name, "")
    if producer.country not in _IMPERIAL_IN:
        terms = {term: word for term, word in terms.items() if term not in _IMPERIAL or term == shown}
    ordered = dict(sorted(terms.items(), key=lambda each: search_key(each[1])))
    return ProductInput(name=name, field=field, label=field.label(visit.language), value=shown, terms=ordered)


def _shown(name: str, field: ProductField, value: Any, producer: Enterprise, language: str) -> Any:
    if field.kind in ("flag", "terms", "term"):
        return value
    if field.kind == "html":
        return plain_of(value)
    if field.kind in ("texts", "htmls"):
        as_typed = plain_of if field.kind == "htmls" else str
        return fields_with(name, {language: as_typed(text) for language, text in value.items()})
    if value is None or (field.kind == "amount" and not value):
        return ""
    if field.kind == "amount":
        return amount_in_field(value, producer.currency, language)
    return number_in_field(Decimal(value).normalize(), language) if field.kind == "number" else value


# ------------------------------------------------------------------------------------------------ read


def _read(visit: Visit, fields: Mapping[str, tuple[ProductField, object]], producer: Enterprise) -> Any:
    """The content of the product as it was typed; texts in languages that no page offers stay. Raises `Invalid` for
    what is neither an amount nor a number."""
    problems: list[Problem] = []
    content: dict[str, object] = {}
    of_plugins: dict[str, dict[str, object]] = {}
    for name, (field, before) in fields.items():
        value = _value(visit.form, name, field, producer, problems)
        if field.kind in ("texts", "htmls"):
            value = _texts(visit, name, field, before)
        if name.startswith(f"{_PLUGIN}/"):
            of_plugins.setdefault(name.split("/")[1], {})[field.name] = value
        else:
            content[name] = value
    if problems:
        raise Invalid(problems)
    return {**content, _PLUGIN: of_plugins}


def _texts(visit: Visit, name: str, field: ProductField, before: Any) -> dict[str, str]:
    as_stored = paragraphs_of if field.kind == "htmls" else str
    typed = {language: as_stored(text) for language, text in texts_in(typed_texts(visit, name), name).items()}
    return {**before, **typed}


def _value(
    form: Mapping[str, str], name: str, field: ProductField, producer: Enterprise, problems: list[Problem]
) -> object:
    text = form.get(name, "").strip()
    if field.kind == "flag":
        return name in form
    if field.kind == "terms":
        return [term for term in field.vocabulary if f"{name}/{term}" in form]
    if field.kind == "html":
        return paragraphs_of(text)
    if not text and field.kind != "text":
        return None if field.optional or name.startswith(_PLUGIN) else field.default
    if field.kind == "amount":
        amount = read_amount(text, producer.currency)
        problems += [replace(amount, where=f"/{name}")] if isinstance(amount, Problem) else []
        return amount
    return read_number(text, name, problems) if field.kind == "number" else text
