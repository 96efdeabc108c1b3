"""A field of a product is declared once: nothing else in the sources lists the fields."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from commensal.parts.copies.products import ProductCopy
from commensal.parts.endpoints.product_bodies import NewProduct, ProductPatch
from commensal.parts.product_lists.columns import BY_KEY
from commensal.products.fields import PRODUCT_FIELDS, ProductContent, ProductFacts
from commensal.products.tables import supplied_product
from commensal.products.values import SuppliedProduct
from commensal.sale_sessions.visible_offers import VisibleOffer

ROOT = Path(__file__).parents[2]
SOURCES = ("core/commensal", "federation/commensal_federation", "plugins")
# Where a fact is named besides its declaration: its column, what release 0.1.0 wrote, DFC's vocabulary, a rule of its
# own (the law's allergens, goods without one in the shop, the demo region). A new field needs the first only.
NAMED = {
    "core/commensal/products/fields.py",
    "core/commensal/products/tables.py",
    "core/commensal/products/values.py",
    "core/commensal/parts/product_lists/cells.py",
    "core/commensal/base/units/facets.py",
    "core/commensal/parts/demo/goods.py",
    "core/commensal/parts/demo/values.py",
    "core/commensal/parts/endpoints/taxonomy.py",
    "federation/commensal_federation/dfc/fields.py",
    "federation/commensal_federation/dfc/graph.py",
    "federation/commensal_federation/dfc/importing.py",
    "federation/commensal_federation/dfc/properties.py",
    "federation/commensal_federation/dfc/taxonomies.py",
    "federation/commensal_federation/dfc/vocabulary.py",
    "federation/commensal_federation/messages/bodies/enterprise_rows.py",
    "plugins/commensal_shop/browsing.py",
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
