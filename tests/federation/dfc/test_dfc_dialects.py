"""A plugin adds another dialect: requests for it are answered in it, and documents of platforms in it are read."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import commensal_federation
from commensal import Dialect, hookimpl
from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance
from commensal.instance.settings import InstanceSettings
from commensal.storage.database import Store
from commensal.testing.shop import Shop
from commensal_federation.dfc.detection import V1, V2
from commensal_federation.linked_catalogues.values import NotAnswered, Refreshed

from .distant import CONTEXT, Distant, Said
from .links import linked, products, read
from .oidc import Oidc
from .platforms import request, settings_with

COLUMNS = ("id", "name", "price")


@pytest.fixture
def settings(oidc: Oidc) -> InstanceSettings:
    known_settings = settings_with(oidc.issuer)
    return replace(known_settings, plugins={**known_settings.plugins, "enabled": ["table", "federation"]})


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: ManualClock, ids: SeededIds, tmp_path: Path) -> Instance:
    """An instance that also has a plugin for tables."""
    table = ModuleType("table")
    table.dialects = hookimpl(dialects)  # type: ignore[attr-defined]
    hooks = load_plugins(settings, clock=clock, modules={"table": table, "federation": commensal_federation})
    return Instance(tmp_path, settings, store, hooks, clock, ids)


def dialects() -> Sequence[Dialect]:
    return [Dialect(id="table", media_type="text/csv", write=as_table, read=from_table)]


def as_table(things: Sequence[Any], lists: Mapping[str, Sequence[str]]) -> bytes:
    """Writes only the columns of the table."""
    out = io.StringIO()
    csv.writer(out).writerows([COLUMNS, *((thing.iri, thing.name, "") for thing in things if hasattr(thing, "name"))])
    return out.getvalue().encode()


def from_table(content: bytes) -> Any:
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    if not rows or set(COLUMNS) - rows[0].keys():
        raise ValueError("its columns are id, name and price")
    graph: list[dict[str, Any]] = []
    for row in rows:
        quantity = {"@type": "dfc-b:QuantitativeValue", "dfc-b:value": "1", "dfc-b:hasUnit": "dfc-m:Kilogram"}
        price = {"@type": "dfc-b:Price", "dfc-b:value": row["price"], "dfc-b:hasUnit": "dfc-m:Euro", "dfc-b:VATrate": 5}
        graph.append(
            {
                "@id": row["id"],
                "@type": "dfc-b:SuppliedProduct",
                "dfc-b:name": row["name"],
                "dfc-b:hasType": "dfc-pt:apples",
                "dfc-b:hasQuantity": quantity,
            }
        )
        offer = {"@id": f"{row['id']}/offer", "@type": "dfc-b:Offer", "dfc-b:hasPrice": price}
        graph.append({**offer, "dfc-b:offeredItem": {"@id": row["id"]}})
    return {"@context": CONTEXT, "@graph": graph}


def test_who_asks_for_it_is_answered_in_it_and_everybody_else_as_before(shop: Shop) -> None:
    path = f"/api/dfc/enterprises/{shop.id}/catalog_items"
    table = request(shop, shop.token, path, accept="text/csv")
    assert table.headers["Content-Type"] == "text/csv"
    assert {"Carrots", "Honey"} <= {row["name"] for row in csv.DictReader(io.StringIO(table.text))}
    for accept, kind in (("*/*", V1), ("application/json", V1), (V2, V2)):
        answer = request(shop, shop.token, path, accept=accept)
        assert answer.headers["Content-Type"] == kind
        assert answer.headers["ETag"] != table.headers["ETag"]


def test_a_platform_that_speaks_it_is_read(shop: Shop) -> None:
    with Distant() as remote:
        row = f"{remote.base}/apples,Apples,2.50\n"
        remote.pages["/table"] = Said(
            f"id,name,price\n{row}".encode(), headers={"Content-Type": "text/csv; charset=utf-8"}
        )
        link = linked(shop, f"{remote.base}/table")
        assert read(shop, link) == Refreshed(new=1)
        assert [(product.iri, product.price) for product in products(shop, link)] == [(f"{remote.base}/apples", 250)]
        assert "text/csv;q=0.5" in remote.asked[0].headers["accept"]
        remote.pages["/table"] = Said(b"something;else\n1;2\n", headers={"Content-Type": "text/csv"})
        with pytest.raises(NotAnswered, match="its columns are id, name and price"):
            read(shop, link)
