"""Products over the API, with their stock and the VAT rates that apply from a day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from ....base.errors import NotFound
from ....trade.products.fields import PRODUCT_FIELDS, Kind, ProductField
from ....trade.products.products import archive_product, change_product, create_product, restore_product
from ....trade.products.questions import product_by_id, products_of
from ....trade.products.values import StockedProduct, SuppliedProduct
from ....trade.products.vat import VatRate, rates_of, remove_rate, set_rate
from ..endpoint import Body, Call, Page, Paging, Routes, changes, page_of

routes = Routes("products")

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Term = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_REQUIRED = [field for field in PRODUCT_FIELDS.values() if field.required]
_OPTIONAL = [field for field in PRODUCT_FIELDS.values() if not field.required]


def _type_of(field: ProductField) -> Any:
    """The type of a field in a body, with its limits."""
    types: dict[Kind, Any] = {
        "text": Annotated[str, msgspec.Meta(min_length=field.least or None, max_length=field.most)],
        "html": Annotated[str, msgspec.Meta(max_length=field.most)],
        "flag": bool,
        "amount": Annotated[int, msgspec.Meta(ge=field.least, le=field.most)],
        "number": Decimal,
        "term": Term,
        "terms": Annotated[tuple[Term, ...], msgspec.Meta(max_length=field.most)],
    }
    return types[field.kind] | None if field.optional else types[field.kind]


def _body(name: str, doc: str, *fields: tuple[str, Any] | tuple[str, Any, Any]) -> Any:
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
    )
    ProductPatch = _body(
        "ProductPatch",
        """Orders that were placed keep what they say.""",
        *((field.name, _type_of(field) | msgspec.UnsetType, msgspec.UNSET) for field in _REQUIRED),
        ("lot_id", Id | msgspec.UnsetType, msgspec.UNSET),
        *((field.name, _type_of(field) | msgspec.UnsetType, msgspec.UNSET) for field in _OPTIONAL),
        ("image_id", Id | msgspec.UnsetType | None, msgspec.UNSET),
    )


class ProductQuery(Paging, frozen=True, kw_only=True):
    """`search`: words of the name or the reference; `lot`: sizes of this lot; `archived`: those instead."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    lot: Annotated[str, msgspec.Meta(max_length=64)] = ""
    archived: bool = False


class Rate(Body, frozen=True, kw_only=True):
    """In percent."""

    rate: Decimal


_PRODUCT = "/enterprises/{enterprise}/products/{product}"


@routes.get("/enterprises/{enterprise}/products", scope="products:read")
def products(call: Call, enterprise: str, query: ProductQuery) -> Page[StockedProduct]:
    """The enterprise's products with what is left of each."""
    found_products = products_of(
        call.tx, enterprise, search=query.search, lot_id=query.lot or None, archived=query.archived,
        after=query.after, limit=query.limit,
    )  # fmt: skip
    return page_of(found_products, query.limit, lambda stocked: stocked.product.id)


@routes.post("/enterprises/{enterprise}/products", scope="products:write", status=201)
def add_product(call: Call, enterprise: str, body: NewProduct) -> SuppliedProduct:
    """Adds a product, or one more size of something."""
    return create_product(call.tx, enterprise_id=enterprise, person_id=call.person_id, **msgspec.structs.asdict(body))


@routes.get(_PRODUCT, scope="products:read")
def product(call: Call, enterprise: str, product: str) -> SuppliedProduct:
    """One product."""
    return product_by_id(call.tx, enterprise, product)


@routes.patch(_PRODUCT, scope="products:write", edits=True)
def edit_product(call: Call, enterprise: str, product: str, body: ProductPatch) -> SuppliedProduct:
    """Changes a product."""
    return change_product(call.tx, enterprise, product, call.version, **changes(body))


@routes.post(f"{_PRODUCT}/archive", scope="products:write", edits=True)
def put_product_away(call: Call, enterprise: str, product: str) -> SuppliedProduct:
    """Takes a product off all lists and sales; orders keep it."""
    return archive_product(call.tx, enterprise, product, call.version)


@routes.post(f"{_PRODUCT}/restore", scope="products:write", edits=True)
def bring_product_back(call: Call, enterprise: str, product: str) -> SuppliedProduct:
    """Brings an archived product back."""
    return restore_product(call.tx, enterprise, product, call.version)


@routes.get(f"{_PRODUCT}/vat-rates", scope="products:read")
def vat_rates(call: Call, enterprise: str, product: str) -> list[VatRate]:
    """The product's VAT rates, the first one first."""
    return rates_of(call.tx, enterprise, product)


@routes.put(f"{_PRODUCT}/vat-rates/{{day}}", scope="products:write")
def put_vat_rate(call: Call, enterprise: str, product: str, day: str, body: Rate) -> VatRate:
    """Sets the rate that is in force from this day (like 2027-01-01) on. Orders that were placed keep theirs."""
    return set_rate(call.tx, enterprise, product, body.rate, _read_day(day))


@routes.delete(f"{_PRODUCT}/vat-rates/{{day}}", scope="products:write")
def drop_vat_rate(call: Call, enterprise: str, product: str, day: str) -> None:
    """Takes a rate back; the first one stays."""
    remove_rate(call.tx, enterprise, product, _read_day(day))


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFound("no_day", "{day} is not a day like 2027-01-01.", day=text[:20]) from None
