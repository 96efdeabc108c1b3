"""A field of a product is declared once: nothing else in the sources lists the fields."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from commensal.interfaces.api.product_bodies import NewProduct, ProductPatch
from commensal.trade.product_lists.columns import BY_KEY
from commensal.trade.products.copies import ProductCopy
from commensal.trade.products.fields import PRODUCT_FIELDS, ProductContent, ProductFacts
from commensal.trade.products.tables import supplied_product
from commensal.trade.products.values import SuppliedProduct
from commensal.trade.sale_sessions.visible_offers import VisibleOffer

ROOT = Path(__file__).parents[2]
SOURCES = ("core/commensal", "federation/commensal_federation", "plugins")
# Where a fact is named besides its declaration: its column, what release 0.1.0 wrote, DFC's vocabulary, a rule of its
# own (the law's allergens, goods without one in the shop, the demo region). A new field needs the first only.
NAMED = {
    "core/commensal/trade/products/fields.py",
    "core/commensal/trade/products/tables.py",
    "core/commensal/trade/products/values.py",
    "core/commensal/trade/product_lists/cells.py",
    "core/commensal/base/units/facets.py",
    "core/commensal/demo/goods.py",
    "core/commensal/demo/stock_up.py",
    "core/commensal/demo/values.py",
    "core/commensal/interfaces/api/routes/taxonomy.py",
    "federation/commensal_federation/dfc/fields.py",
    "federation/commensal_federation/dfc/graph.py",
    "federation/commensal_federation/dfc/importing.py",
    "federation/commensal_federation/dfc/properties.py",
    "federation/commensal_federation/dfc/taxonomies.py",
    "federation/commensal_federation/dfc/vocabulary.py",
    "federation/commensal_federation/messages/bodies/enterprise_rows.py",
    "plugins/commensal_shop/filters.py",
    "plugins/commensal_shop/templates/shop/sale.html",
}


def test_a_fact_of_a_product_is_named_in_no_other_file() -> None:
    files = {
        str(path.relative_to(ROOT))
        for source in SOURCES
        for pattern in ("*.py", "*.html")
        for path in (ROOT / source).rglob(pattern)
        if "versions" not in path.parts and re.search(r"\ballergens\b", path.read_text("utf-8"))
    }
    assert files <= NAMED


@pytest.mark.parametrize("name", PRODUCT_FIELDS)
def test_every_field_has_a_column_and_is_created_changed_answered_and_copied(name: str) -> None:
    assert name in supplied_product.c
    assert {name} <= set(NewProduct.__struct_fields__) & set(ProductPatch.__struct_fields__)
    assert name in ProductContent.__annotations__
    assert {name} <= SuppliedProduct.__dataclass_fields__.keys() & ProductCopy.__dataclass_fields__.keys()


@pytest.mark.parametrize("name", [field.name for field in fields(ProductFacts)])
def test_every_fact_is_offered_listed_and_has_its_own_name_as_key_of_its_column(name: str) -> None:
    assert name in VisibleOffer.__dataclass_fields__
    assert PRODUCT_FIELDS[name].column == name
    assert BY_KEY[name].french == PRODUCT_FIELDS[name].french
