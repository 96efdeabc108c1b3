"""Products over the API, with their stock and the VAT rates that apply from a day on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

import msgspec

from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...base.errors import NotFound
from ...products.products import archive_product, change_product, create_product, restore_product
from ...products.questions import product_by_id, products_of
from ...products.values import StockedProduct, SuppliedProduct
from ...products.vat import VatRate, rates_of, remove_rate, set_rate
from .product_bodies import NewProduct, ProductPatch

routes = Routes("products")


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
        call.tx,
        enterprise,
        search=query.search,
        lot_id=query.lot or None,
        archived=query.archived,
        after=query.after,
        limit=query.limit,
    )
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
