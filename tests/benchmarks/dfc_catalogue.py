"""Costs of catalogues in DFC: ``python tests/benchmarks/dfc_catalogue.py [products]``.

One instance on SQLite, with the garbage collector as a server has it; times are of the processor: for reading a
catalogue, the whole request; for ten times as many products, writing the document, importing it, and linking it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from commensal import enterprise_by_id
from commensal.base.clock import ManualClock
from commensal.base.logs import configure_logs
from commensal.catalogs import catalogs_of
from commensal.catalogs.offers import set_price
from commensal.parts.product_lists import Defaults
from commensal.parts.serving.app import make_app
from commensal.parts.serving.serving import tune_garbage_collector
from commensal.products import products_of
from commensal.testing.instances import NOON, Instances, Plan, RunJobs, client_of
from commensal.testing.placed import a_lot, a_shop, an_item
from commensal.testing.shop import Shop, open_shop
from commensal_federation.dfc.findings import DocumentFindings
from commensal_federation.dfc.graph import write_116
from commensal_federation.dfc.importing import plan_document
from commensal_federation.dfc.read import DfcDocument, read
from commensal_federation.linked_catalogues.copies import sellable_goods, store_document
from commensal_federation.linked_catalogues.links import link_catalogue
from commensal_federation.platforms.export import export_enterprise
from commensal_federation.runtime import federation_of

PRODUCTS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
MANY = 10 * PRODUCTS
TIMES = 40
T = TypeVar("T")


def main() -> None:
    configure_logs(level="error")
    with tempfile.TemporaryDirectory(prefix="commensal-bench-") as folder:
        clock = ManualClock(NOON)
        instance = Instances(Path(folder)).open(Path(folder) / "one", Plan(plugins=("federation",)), clock=clock)
        with instance, client_of(make_app(instance)) as client:
            shop = open_shop(instance, client, RunJobs(instance, clock), Plan())
            _fill(shop, PRODUCTS)
            tune_garbage_collector()
            _read(shop)
            _fill(shop, MANY)
            _take_in(shop)


def _fill(shop: Shop, products: int) -> None:
    with shop.instance.store.write() as tx:
        for number in range(len(products_of(tx, shop.id, limit=MANY)), products):
            lot = a_lot(tx, shop.id, name=f"Lot {number}", on_hand="1000")
            an_item(tx, lot, shop.id, name=f"Product {number}", price=250 + number)


def _take_in(shop: Shop) -> None:
    """Writes the document of an enterprise, reads it, imports it into another enterprise, and links it from a hub."""
    with shop.instance.store.read() as tx:
        farm = enterprise_by_id(tx, shop.id)

    def export() -> bytes:
        with shop.instance.store.read() as tx:
            return msgspec.json.encode(write_116(export_enterprise(tx, "https://farm.example", farm)))

    content = _once(f"{MANY:,} products written", export)
    document = _once("the document read", lambda: read(content))
    defaults = Defaults(category="vegetable", vat_rate=Decimal(5))

    def take(name: str) -> None:
        with shop.instance.store.write() as tx:
            importer = a_shop(tx, name, name=name, slug=name)
            taker = enterprise_by_id(tx, importer)
            plan_document(tx, "http://testserver", taker, document, defaults=defaults).commit(tx)

    _once("taken in as a list", lambda: take("taker"))
    with shop.instance.store.write() as tx:
        hub = a_shop(tx, "linker", name="Linker", slug="linker")
        options: Any = {"default_vat": Decimal(5), "catalog_id": catalogs_of(tx, hub)[0].id, "margin": Decimal(20)}
        link = link_catalogue(federation_of(shop.instance), tx, hub, "https://farm.example/api/dfc", **options)

    def keep(linked_document: DfcDocument) -> None:
        with shop.instance.store.write() as tx:
            findings = DocumentFindings()
            goods = sellable_goods(link, enterprise_by_id(tx, hub), linked_document, findings)
            store_document(federation_of(shop.instance), tx, link, linked_document, goods, findings)

    _once("linked, and listed with a margin", lambda: keep(document))
    _once("read again, nothing changed", lambda: keep(document))


def _once(label: str, action: Callable[[], T]) -> T:
    started = time.process_time()
    result = action()
    print(f"| {label} | {time.process_time() - started:.2f} s |")
    return result


def _read(shop: Shop) -> None:
    bearer, path = {"Authorization": f"Bearer {shop.token}"}, "/api/dfc/enterprises/shop/catalog_items"

    def change(number: int) -> None:
        with shop.instance.store.write() as tx:
            set_price(tx, shop.id, shop.items["carrots"], 300 + number)

    def ask(**headers: str) -> Any:
        return shop.client.get(path, headers={**bearer, **headers})

    first_answer = ask()
    print(f"{PRODUCTS:,} products, {len(first_answer.content):,} bytes")
    _report("whole, changed before", ask, 200, prepare=change)
    _report("whole", ask, 200)
    tag = ask().headers["ETag"]
    _report("with its ETag", lambda: ask(**{"If-None-Match": tag}), 304)


def _report(label: str, send: Callable[[], Any], status: int, *, prepare: Callable[[int], None] | None = None) -> None:
    times = []
    for place in range(TIMES):
        if prepare is not None:
            prepare(place)
        started = time.process_time()
        answer = send()
        times.append(time.process_time() - started)
        assert answer.status_code == status
    times.sort()
    print(f"| {label} | median {times[TIMES // 2] * 1000:.1f} ms | p95 {times[int(TIMES * 0.95)] * 1000:.1f} ms |")


if __name__ == "__main__":
    main()
