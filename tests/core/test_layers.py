"""The core is built in layers: lower modules never import higher ones, except for a list that only shrinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..measures import ASSEMBLY, rows
from .layers import Import, circle_of, imports_of, knots, modules_of, upward

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "commensal"
FEDERATION = ROOT / "federation" / "commensal_federation"
OFFICE = ROOT / "plugins" / "commensal_office"
TRANSPORT = ROOT / "plugins" / "commensal_transport"
PACKAGES = [CORE, FEDERATION, *sorted(ROOT.glob("plugins/commensal_*"))]

# Lowest first. `core/ARCHITECTURE.md` describes each.
CORE_ORDER = [
    "base.deprecated", "base.errors", "base.ids", "base.clock", "base.texts", "base.converting", "base.networks",
    "base.logs", "base.entry_points", "base.acting", "base.search", "base.units", "base.money", "base.languages",
    "base.failpoints", "base.reading", "base",
    "storage.database", "storage.jobs", "storage.idempotency", "storage",
    "hooks",
    "instance",
    "people", "pricing",
    "enterprises.tables", "products.tables", "catalogs.tables", "events.announce",  # who is told is a matter of tables
    "enterprises",
    "events", "stock", "products", "catalogs", "sale_sessions", "orders", "audit", "payments",
    "api",
]  # fmt: skip
PARTS_ORDER = [
    "parts.formats", "parts.distribution", "parts.terminal", "parts.setup", "parts.pictures",
    "parts.membership", "parts.sale_calendar", "parts.copies", "parts.order_corrections", "parts.till", "parts.supply",
    "parts.product_lists", "parts.privacy", "parts.accounts", "parts.event_delivery", "parts.outbound",
    "parts.reports", "parts.checks", "parts.mail", "parts.approvals", "parts.backups", "parts.web", "parts.pages",
    "parts.endpoints", "parts.monitoring", "parts.serving", "parts.upgrading", "parts.hosting", "parts.plugin_kit",
    "parts.demo", "testing", "parts.cli",
]  # fmt: skip
FEDERATION_ORDER = [
    "settings", "transport", "signing", "dfc", "messages", "runtime", "identity", "authority",
    "peers", "provenance", "grants", "allowance", "notices", "delivery", "leases", "catalogue",
    "proposals", "orders", "evidence", "linked_catalogues", "platforms", "moving", "peering", "serving",
    "messaging", "documents", "handlers", "events", "jobs", "office", "routes", "commands", "warnings", "demo",
]  # fmt: skip

FEDERATION_ASSEMBLY = {
    "messaging", "documents", "handlers", "events", "jobs", "office", "routes", "commands", "warnings", "demo",
}  # fmt: skip
OFFICE_ORDER = [
    "tables", "frame", "added", "goods", "money", "orders", "handout", "supply", "people", "settings", "sales",
    "overview", "pages",
]  # fmt: skip
TRANSPORT_ORDER = [
    "tables", "news", "service_settings", "places", "costs", "settings", "trips", "postcodes", "bookings", "planning",
    "elsewhere", "forms", "shown", "pages", "dfc_routes", "endpoints", "forgetting", "jobs", "office", "demo",
]  # fmt: skip

# Imports that still run upward. Remove entries that are no longer needed; add none.
CORE_EXCEPTIONS = {
    ("storage.database.revisions", "schema")  # all tables together, asked for when a plugin or a backup names one
}
WINGS = {
    "core": (CORE, [*CORE_ORDER, *PARTS_ORDER, *ASSEMBLY], CORE_EXCEPTIONS),
    "federation": (FEDERATION, FEDERATION_ORDER, set[tuple[str, str]]()),
    "office": (OFFICE, OFFICE_ORDER, set[tuple[str, str]]()),
    "transport": (TRANSPORT, TRANSPORT_ORDER, set[tuple[str, str]]()),
}


@pytest.mark.parametrize("wing", WINGS)
def test_no_room_imports_one_above_it(wing: str) -> None:
    package, order, exceptions = WINGS[wing]
    upward_imports = {(edge.importer, edge.imported) for edge in upward(imports_of(package), order)}
    assert upward_imports == exceptions, (
        f"new: {sorted(upward_imports - exceptions)}; no longer needed: {sorted(exceptions - upward_imports)}"
    )


@pytest.mark.parametrize("wing", ["federation", "office", "transport"])
def test_no_rooms_import_each_other_in_a_circle(wing: str) -> None:
    assert knots(imports_of(WINGS[wing][0])) == set()


def test_a_chain_of_rooms_of_the_federation_has_twelve_links_at_most() -> None:
    """What collects from all rooms stands above the chain anyway."""
    rooms = set(FEDERATION_ORDER) - FEDERATION_ASSEMBLY
    below = {room: set[str]() for room in rooms}
    for edge in imports_of(FEDERATION):
        importer, imported = edge.importer.split(".")[0], edge.imported.split(".")[0]
        if importer != imported and {importer, imported} <= rooms:
            below[importer].add(imported)
    length: dict[str, int] = {}
    for room in sorted(rooms, key=FEDERATION_ORDER.index):
        length[room] = 1 + max((length[other] for other in below[room]), default=0)
    assert max(length.values()) <= 12, length


@pytest.mark.parametrize("wing", ["federation", "office", "transport"])
def test_every_room_has_its_place_in_the_order(wing: str) -> None:
    package, order, _ = WINGS[wing]
    outside = {"", "arguments", "migrations", "testing"}
    assert {name.split(".")[0] for name in modules_of(package)} - outside == set(order)


def test_messages_are_a_pure_codec() -> None:
    """`handlers.py` binds messages to what they do; the package of messages imports only what it needs to translate."""
    imported = {edge.imported.split(".")[0] for edge in imports_of(FEDERATION) if edge.importer.startswith("messages")}
    assert imported == {"messages", "dfc", "signing"}


def test_every_room_of_the_core_has_its_place_in_the_order() -> None:
    kernel = {name.split(".")[0] for name in modules_of(CORE)} - {"", "parts", "testing", *ASSEMBLY}
    parts = {".".join(name.split(".")[:2]) for name in modules_of(CORE) if name.startswith("parts.")}
    assert kernel == {room.split(".")[0] for room in CORE_ORDER}
    assert parts | {"testing"} == set(PARTS_ORDER)


def test_the_kernel_stays_small() -> None:
    """Of the three rings of `core/ARCHITECTURE.md`, the kernel alone has a limit that never rises."""
    kernel = next(counted for name, counted in rows() if name == "kernel")
    assert 20_000 < kernel.lines <= 30_000


@pytest.mark.parametrize(
    "package", [CORE, FEDERATION, *sorted(ROOT.glob("plugins/commensal_*"))], ids=lambda it: it.name
)
def test_no_module_waits_for_itself_to_be_loaded(package: Path) -> None:
    assert circle_of(imports_of(package, loading=True)) == []


def test_a_circle_of_modules_is_found() -> None:
    circle = {Import("oven", "dough"), Import("dough", "flour"), Import("flour", "oven")}
    assert set(circle_of({*circle, Import("bread", "oven")})) == {"oven", "dough", "flour"}


def test_an_import_against_the_order_is_found() -> None:
    upward_import = Import("base.money", "orders.values")
    assert upward({upward_import, Import("orders.values", "base.money")}, CORE_ORDER) == {upward_import}


def test_a_circle_of_rooms_is_found() -> None:
    circle = {Import("stock.lots", "orders.tables"), Import("orders.values", "people"), Import("people", "stock")}
    others = {Import("mail.send", "orders.tables"), Import("", "mail")}
    assert knots(circle | others) == {frozenset({"stock", "orders", "people"})}


def test_imports_for_type_checkers_do_not_count(tmp_path: Path) -> None:
    package = tmp_path / "house"
    (package / "cellar").mkdir(parents=True)
    (package / "roof.py").write_text("")
    (package / "cellar" / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..roof import tile\n"
    )
    (package / "cellar" / "door.py").write_text("def open():\n    from ..roof import tile\n")
    assert imports_of(package) == {Import("cellar.door", "roof")}
