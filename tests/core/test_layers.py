"""The core is built in layers: what stands lower never imports what stands higher, but for a list that only shrinks."""

from __future__ import annotations

from pathlib import Path

import pytest

from .layers import Import, imports_of, modules_of, upward

ROOT = Path(__file__).parents[2]
CORE = ROOT / "core" / "commensal"
FEDERATION = ROOT / "federation" / "commensal_federation"

# Lowest first. `core/ARCHITECTURE.md` says what each is for.
CORE_ORDER = [
    "base.deprecated", "base.ids", "base.spreadsheets", "base.clock", "base.secret", "base.networks", "base.errors",
    "base.logs", "base.choices", "base.texts", "base.search", "base.units", "base.money", "base.languages",
    "base.failpoints", "base.credentials", "base.html", "base.converting", "base.reading", "base.decoding", "base",
    "storage.database", "storage.jobs", "storage",
    "hooks",
    "instance",
    "trade.people", "trade.pricing", "trade.enterprises", "trade.events", "trade.stock", "trade.products",
    "trade.catalogs", "trade.sale_sessions", "trade.orders", "trade.product_lists", "trade.audit", "trade.payments",
    "trade.privacy", "trade",
    "interfaces.reports", "interfaces.mail", "interfaces.api", "interfaces.monitoring", "interfaces.pages",
    "interfaces.outbound", "interfaces.app", "interfaces",
    "operations.hosting", "operations.checks", "operations.backups", "operations.upgrading", "operations.memory",
    "operations.connections", "operations.work", "operations.serving", "operations",
    "schema",
    "demo",
    "cli",
]  # fmt: skip
FEDERATION_ORDER = [
    "signing", "identity", "authority", "peers", "dfc", "platforms", "messages", "delivery", "leases", "catalogue",
    "proposals", "orders", "linked_catalogues", "moving", "peering", "serving",
]  # fmt: skip

# What still runs upward. An entry that is no longer needed must be taken out; none may be added.
CORE_EXCEPTIONS = {
    ("base.languages.catalogs", "hooks.loading"),
    ("demo.story", "cli.printing"),
    ("instance.instance", "trade.audit.auditor"),
    ("instance.settings", "interfaces.outbound.allowed"),
    ("interfaces.monitoring.metrics", "operations.backups.upkeep"),
    ("interfaces.monitoring.health", "operations.backups.upkeep"),
    ("interfaces.monitoring.environment", "operations.backups.nightly"),
    ("storage.database.core_tables", "schema"),
    ("storage.database.migrations.versions.0015_audit", "trade.audit.tables"),
    ("storage.jobs.periodic", "trade.audit.acting"),
    ("storage.jobs.run", "trade.audit.acting"),
    ("trade.catalogs.ownership", "trade.sale_sessions.tables"),
    ("trade.catalogs.visible", "trade.sale_sessions.tables"),
    ("trade.events.listings", "trade.catalogs.tables"),
    ("trade.events.listings", "trade.products.tables"),
    ("trade.events.openings", "interfaces.mail.to_enterprise"),
    ("trade.events.openings", "trade.sale_sessions.questions"),
    ("trade.events.openings", "trade.sale_sessions.tables"),
    ("trade.events.tell", "trade.orders.questions"),
    ("trade.events.tell", "trade.payments.payments"),
    ("trade.events.tell", "trade.sale_sessions.questions"),
    ("trade.events.tell", "trade.stock.lots"),
    ("trade.payments.unpaid_guests", "interfaces.mail.to_enterprise"),
    ("trade.people.access", "trade.enterprises.tables"),
    ("trade.people.new_email", "trade.enterprises.tables"),
    ("trade.people.customer_records", "trade.enterprises.customers"),
    ("trade.people.customer_records", "trade.enterprises.tables"),
    ("trade.people.customer_records", "trade.orders.identity"),
    ("trade.people.customer_records", "trade.orders.tables"),
    ("trade.privacy.personal_rows", "operations.backups.rows"),
    ("trade.privacy.forgetting", "interfaces.api.tables"),
    ("trade.privacy.forgetting", "interfaces.mail.tables"),
    ("trade.privacy.retention", "interfaces.api.tables"),
    ("trade.sale_sessions.complete", "trade.orders.tables"),
    ("trade.sale_sessions.coordinations", "trade.orders.tables"),
    ("trade.stock.lots", "trade.products.tables"),
}
FEDERATION_EXCEPTIONS = {
    ("authority.authority", "messages.types"),
    ("catalogue.commands", "moving.recovering"),
    ("catalogue.commands", "moving.showing"),
    ("catalogue.grantor", "orders.tables"),
    ("catalogue.restored", "orders.tables"),
    ("delivery.outbox.noticing", "leases.stopping"),
    ("delivery.restore.recovering", "leases.sales"),
    ("delivery.restore.restored", "leases.sales"),
    ("delivery.work", "peering.key_updates"),
    ("leases.lendable", "catalogue.grants"),
    ("leases.lender", "orders.recheck"),
    ("leases.sales", "catalogue.tables"),
    ("messages.catalogue_upsert", "catalogue.copies"),
    ("messages.catalogue_upsert", "catalogue.restored"),
    ("messages.catalogue_withdraw", "catalogue.copies"),
    ("messages.catalogue_withdraw", "catalogue.restored"),
    ("messages.epoch_start", "delivery.alerts"),
    ("messages.grant_answer", "catalogue.grantor"),
    ("messages.grant_answer", "catalogue.grants"),
    ("messages.grant_answer", "catalogue.restored"),
    ("messages.grant_answer", "moving.recovering"),
    ("messages.grant_end", "catalogue.grants"),
    ("messages.grant_end", "catalogue.restored"),
    ("messages.grant_offer", "catalogue.grants"),
    ("messages.grant_offer", "catalogue.restored"),
    ("messages.lease_forced", "leases.holder"),
    ("messages.lease_forced", "leases.restored"),
    ("messages.lease_grant", "leases.holder"),
    ("messages.lease_grant", "leases.restored"),
    ("messages.lease_recall", "leases.holder"),
    ("messages.lease_refusal", "leases.holder"),
    ("messages.lease_report", "leases.lender"),
    ("messages.lease_report", "leases.restored"),
    ("messages.lease_request", "delivery.outbox.outbox"),
    ("messages.lease_request", "leases.holder"),
    ("messages.lease_request", "leases.lendable"),
    ("messages.lease_request", "leases.lender"),
    ("messages.move", "moving.followers"),
    ("messages.move", "moving.old_home"),
    ("messages.move_accept", "moving.old_home"),
    ("messages.move_cancel", "moving.new_home"),
    ("messages.move_contest", "moving.quarantine"),
    ("messages.move_export", "moving.new_home"),
    ("messages.move_export", "moving.old_home"),
    ("messages.move_export", "moving.rows"),
    ("messages.move_followed", "moving.new_home"),
    ("messages.move_notice", "moving.recovering"),
    ("messages.move_offer", "moving.new_home"),
    ("messages.move_ready", "moving.old_home"),
    ("messages.order_answer", "orders.answers"),
    ("messages.order_answer", "orders.restored"),
    ("messages.order_update", "orders.restored"),
    ("messages.order_update", "orders.supplier"),
    ("messages.peer_revoke", "peering.ended_trade"),
    ("messages.problem", "delivery.outbox.failing"),
    ("messages.recovery_key", "moving.recovering"),
    ("messages.sale_answer", "proposals.proposing"),
    ("messages.sale_proposal", "proposals.receiving"),
    ("messages.state_digest", "delivery.outbox.outbox"),
    ("messages.state_digest", "delivery.sync.states"),
    ("messages.state_request", "delivery.sync.states"),
    ("messages.stock_level", "leases.holder"),
    ("orders.cutting", "linked_catalogues.backorders.tables"),
    ("orders.hub", "linked_catalogues.backorders.plan"),
    ("orders.work", "linked_catalogues.backorders.plan"),
    ("peers.changing", "messages.types"),
    ("peers.quotas", "messages.types"),
    ("platforms.event_pages", "linked_catalogues.notices"),
    ("platforms.event_pages", "linked_catalogues.values"),
    ("platforms.export", "linked_catalogues.tables"),
    ("platforms.notifying", "linked_catalogues.client"),
    ("platforms.notifying", "linked_catalogues.values"),
}
HOUSES = {
    "core": (CORE, CORE_ORDER, CORE_EXCEPTIONS),
    "federation": (FEDERATION, FEDERATION_ORDER, FEDERATION_EXCEPTIONS),
}


@pytest.mark.parametrize("house", HOUSES)
def test_no_room_imports_one_above_it(house: str) -> None:
    package, order, exceptions = HOUSES[house]
    found = {(one.importer, one.imported) for one in upward(imports_of(package), order)}
    assert found == exceptions, f"new: {sorted(found - exceptions)}; no longer needed: {sorted(exceptions - found)}"


def test_every_room_of_the_core_has_its_place_in_the_order() -> None:
    beside = {"", "__main__", "testing"}
    placed = {room.split(".")[0] for room in CORE_ORDER}
    assert {name.split(".")[0] for name in modules_of(CORE)} - beside == placed


def test_an_import_against_the_order_is_found() -> None:
    planted = Import("base.money", "trade.orders.values")
    assert upward({planted, Import("trade.orders.values", "base.money")}, CORE_ORDER) == {planted}


def test_imports_for_type_checkers_do_not_count(tmp_path: Path) -> None:
    package = tmp_path / "house"
    (package / "cellar").mkdir(parents=True)
    (package / "roof.py").write_text("")
    (package / "cellar" / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ..roof import tile\n"
    )
    (package / "cellar" / "door.py").write_text("def open():\n    from ..roof import tile\n")
    assert imports_of(package) == {Import("cellar.door", "roof")}
