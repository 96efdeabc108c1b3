"""An instance moves from one kind of database to the other and back, and every row arrives as it was."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, func, insert, inspect, select, text, update
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DatabaseError, IntegrityError

from commensal.base.clock import ManualClock
from commensal.base.errors import SettingsError, StoreError, Unavailable
from commensal.instance import open_instance
from commensal.orders.tables import customer_order
from commensal.parts.backups import export as importing
from commensal.parts.backups.archive import Archive
from commensal.parts.backups.export import export, import_instance, read_rows
from commensal.parts.backups.restore import RESTORED
from commensal.parts.checks import broken_invariants
from commensal.parts.demo.fill import fill
from commensal.parts.demo.region import draw_region
from commensal.parts.setup.begin import USUAL
from commensal.sale_sessions.tables import coordination
from commensal.stock.tables import stock_movement
from commensal.storage.database import Store
from commensal.storage.database.revisions import tables_of
from commensal.storage.jobs.enqueue import NewJob, enqueue_all
from commensal.storage.jobs.tables import job, job_slot

from .keeping import PASSWORD, buy, folder, make_instance, open_store, postgresql_tools, sqlite_url, write_settings
from .shell import Shell

__all__ = ["folder", "postgresql_tools", "sqlite_url"]  # fixtures
Rows = dict[str, list[dict[str, Any]]]


def rows_of(url: str, plugins: tuple[str, ...]) -> Rows:
    """Returns the rows of every table, as the program reads them."""
    store = open_store(url)
    with store.read() as tx:
        tables = tables_of(plugins)
        rows_by_table = {
            table.name: sorted(
                (dict(row) for row in tx.all(select(table))), key=lambda row: json.dumps(row, default=str)
            )
            for table in tables
        }
    store.close()
    return rows_by_table


@pytest.mark.bundled
@pytest.mark.long
def test_the_demo_region_moves_to_postgresql_and_back_without_loss(
    sqlite_url: str, new_postgresql: Callable[..., str], tmp_path: Path, clock: ManualClock
) -> None:
    first, second, third = tmp_path / "first", tmp_path / "second", tmp_path / "third"
    write_settings(first, sqlite_url, plugins=USUAL)
    region = draw_region(7)
    with open_instance(first, clock=clock) as instance:
        sales = tuple(replace(sale, shoppers=sale.shoppers[:2]) for sale in region.past_sales)
        fill(instance, replace(region, past_sales=sales))
    before = rows_of(sqlite_url, USUAL)
    assert min(len(before[name]) for name in ("customer_order", "stock_movement", "payment_journal")) > 10

    database = new_postgresql("template0")
    export(first, tmp_path / "there.zip", clock=clock)
    import_instance(tmp_path / "there.zip", second, database=database, clock=clock)
    assert rows_of(database, USUAL) == before

    export(second, tmp_path / "back.zip", clock=clock)
    import_instance(tmp_path / "back.zip", third, clock=clock)
    assert rows_of(f"sqlite:///{third / 'commensal.db'}", USUAL) == before
    assert lines_in(tmp_path / "there.zip") == lines_in(tmp_path / "back.zip")
    for moved_folder in (second, third):
        with open_instance(moved_folder, clock=clock) as instance, instance.store.read() as tx:
            assert broken_invariants(tx) == []


def lines_in(file: Path) -> dict[str, list[Any]]:
    """Returns the lines of each table in the archive, sorted: databases order text differently."""
    with zipfile.ZipFile(file) as archive:
        return {
            name: sorted((json.loads(line) for line in archive.read(name).splitlines()), key=json.dumps)
            for name in archive.namelist()
            if name.startswith("tables/")
        }


@pytest.fixture
def other_database(database_url: str, new_postgresql: Callable[..., str]) -> str:
    """An empty database of the other kind."""
    return new_postgresql("template0") if database_url.startswith("sqlite") else ""


def test_what_has_arrived_is_guarded_as_it_was_and_serves(
    folder: Path, database_url: str, other_database: str, tmp_path: Path, clock: ManualClock
) -> None:
    item = make_instance(folder, database_url)
    export(folder, tmp_path / "val.zip", clock=clock)
    imported = import_instance(tmp_path / "val.zip", tmp_path / "new", database=other_database, clock=clock)
    assert imported.waiting == {"mail": 2}
    assert (tmp_path / "new" / "images" / f"{'a' * 64}.webp").read_bytes() == b"RIFF a picture"
    marker = (tmp_path / "new" / RESTORED).read_text()
    assert marker == f"{clock.now().isoformat()}\n", "the federation holds sales back until its peers have answered"
    with open_instance(tmp_path / "new") as instance:
        buy(instance.store, item)
        with pytest.raises(DatabaseError, match="only grows"), instance.store.write() as tx:
            tx.execute(delete(stock_movement))
        with pytest.raises(IntegrityError), instance.store.write() as tx:
            tx.execute(update(customer_order).values(state="Odd"))
        with pytest.raises(IntegrityError), instance.store.write() as tx:
            tx.execute(update(coordination).values(previous_id="nobody"))


def test_rows_of_one_table_may_refer_to_later_ones(
    folder: Path, database_url: str, other_database: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    store = open_store(database_url)
    with store.write() as tx:
        sale = dict(tx.one(select(coordination)))
        tx.execute(insert(coordination).values({**sale, "id": "a-sale-before", "previous_id": sale["id"]}))
    store.close()
    before = rows_of(database_url, ())
    export(folder, tmp_path / "val.zip", clock=clock)
    import_instance(tmp_path / "val.zip", tmp_path / "new", database=other_database, clock=clock)
    assert rows_of(other_database or f"sqlite:///{tmp_path / 'new' / 'commensal.db'}", ()) == before


def test_an_export_is_one_private_file_with_a_line_for_each_row(
    folder: Path, database_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    file = tmp_path / "val.zip"
    exported = export(folder, file, clock=clock)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "mail.password" in exported.manifest.left_out
    with zipfile.ZipFile(file) as archive:
        assert not any(PASSWORD.encode() in archive.read(name) for name in archive.namelist())
        (lot,) = map(json.loads, archive.read("tables/stock_lot.jsonl").splitlines())
        (vat,) = map(json.loads, archive.read("tables/product_vat.jsonl").splitlines())
    assert (lot["free"], lot["reserved"], lot["unlimited"]) == (999_999, 1, False)
    assert vat["rate"] == "5.5"
    assert lot["created_at"].endswith("Z")
    with pytest.raises(SettingsError, match="exists already"):
        export(folder, file, clock=clock)
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.long  # seconds
def test_rows_that_were_tampered_with_are_refused_and_nothing_arrives(
    folder: Path, database_url: str, other_database: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    file, forged_file, new_folder = tmp_path / "val.zip", tmp_path / "bad.zip", tmp_path / "new"
    export(folder, file, clock=clock)
    lot = "tables/stock_lot.jsonl"
    for old, new, message in (
        (b'"free":999999', b'"free":999998', "not sound: stock: The lot Pommes is at"),
        (b'"free":999999', b'"free":"99999"', "Row 1 of stock_lot cannot be read"),
        (b'"free":999999', b'"fred":999999', "Row 1 of stock_lot cannot be read: its columns"),
        (b'"version":1', b'"version":null', "The database refuses rows of stock_lot"),
        (b'"enterprise_id":"shop"', b'"enterprise_id":"shed"', "The database refuses"),
        (b"}\n", b"}\n{\n", "Row 2 of stock_lot cannot be read"),
    ):
        forge(file, forged_file, lot, lambda content, old=old, new=new: content.replace(old, new))  # type: ignore[misc]
        with pytest.raises(StoreError, match=message):
            import_instance(forged_file, new_folder, database=other_database, unproven=True, clock=clock)
        assert not new_folder.exists()
    import_instance(file, new_folder, database=other_database, clock=clock)  # the database is as empty as it was


def end_sessions(url: str, *, drop: bool) -> None:
    """As when the server restarts; with `drop`, the database is gone afterwards."""
    address = make_url(url)
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        name = {"name": address.database}
        connection.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"), name)
        if drop:
            connection.execute(text(f'DROP DATABASE "{address.database}" WITH (FORCE)'))
    admin.dispose()


@pytest.mark.long  # seconds
@pytest.mark.parametrize(
    ("drop", "reason"),
    [(False, "^The database does not answer: "), (True, "^--database: .* It may hold some of the rows")],
)
def test_a_database_that_goes_away_during_an_import_is_told(
    drop: bool,
    reason: str,
    folder: Path,
    sqlite_url: str,
    new_postgresql: Callable[..., str],
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_instance(folder, sqlite_url)
    export(folder, tmp_path / "val.zip", clock=clock)
    database = new_postgresql("template0")
    with monkeypatch.context() as patch, pytest.raises(StoreError, match=reason):
        patch.setattr(importing, "failpoint", lambda name: end_sessions(database, drop=drop))
        import_instance(tmp_path / "val.zip", tmp_path / "new", database=database, clock=clock)
    assert not (tmp_path / "new").exists()
    if drop:
        new_postgresql_again(database)
    import_instance(tmp_path / "val.zip", tmp_path / "new", database=database, clock=clock)


def new_postgresql_again(url: str) -> None:
    address = make_url(url)
    admin = create_engine(address.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{address.database}" TEMPLATE template0'))
    admin.dispose()


def test_rows_are_not_blamed_for_a_database_that_cannot_be_used(store: Store, database_url: str) -> None:
    line = json.dumps({"name": "x" * 1_000_000, "slot": "2026-06-04T10:00:00Z"}).encode()
    with pytest.raises(Unavailable), store.write() as tx:
        if tx.postgresql:
            tx.execute(text("SELECT 1"))
            end_sessions(database_url, drop=False)
        else:
            tx.execute(text("PRAGMA max_page_count=1"))
        read_rows(tx, job_slot, io.BytesIO(line))


def forge(file: Path, target: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Writes the archive with one file changed and a manifest to match, as a skilled attacker would."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        content = change(old.read(name))
        manifest = json.loads(old.read("manifest.json"))
        manifest["files"][name] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for entry in old.namelist():
            new.writestr(
                entry, {name: content, "manifest.json": json.dumps(manifest).encode()}.get(entry) or old.read(entry)
            )


def test_however_many_rows_there_are_few_are_in_memory(
    folder: Path, database_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, database_url)
    export(folder, tmp_path / "first.zip", clock=clock)  # so that modules are imported before the measurement
    store, count = open_store(database_url), 5000
    with store.write() as tx:
        enqueue_all(tx, [NewJob("mail", {"to": "ada@example.org", "text": "x" * 5000})] * count)
    tracemalloc.start()
    try:
        export(folder, tmp_path / "val.zip", clock=clock)
        with (
            Archive.open(tmp_path / "val.zip") as archive,
            archive.file("tables/job.jsonl") as lines,
            store.write() as tx,
        ):
            tx.execute(delete(job))
            read_rows(tx, job, lines)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    with store.read() as tx:
        assert tx.value(select(func.count()).select_from(job)) > count
    store.close()
    assert peak < 20_000_000 < count * 5000


def test_an_export_of_other_revisions_or_without_a_plugin_is_refused(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    file, changed_file = tmp_path / "val.zip", tmp_path / "bad.zip"
    export(folder, file, clock=clock)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed_file, "w") as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == "manifest.json":
                manifest = json.loads(content)
                manifest["revisions"]["alembic_version"] = ["0001_first"]
                content = json.dumps(manifest).encode()
            new.writestr(entry, content)
    with pytest.raises(StoreError, match=r"whose tables differ \(alembic_version\)"):
        import_instance(changed_file, tmp_path / "new", unproven=True, clock=clock)
    write_settings(folder, sqlite_url, plugins=("nowhere",))
    with pytest.raises(SettingsError, match="nowhere is enabled and cannot be loaded"):
        export(folder, tmp_path / "other.zip", clock=clock)


@pytest.mark.bundled
def test_tables_of_plugins_that_are_not_enabled_stay_behind_and_are_named(
    folder: Path, sqlite_url: str, tmp_path: Path, clock: ManualClock
) -> None:
    make_instance(folder, sqlite_url)
    write_settings(folder, sqlite_url, plugins=("pickup",))
    exported = export(folder, tmp_path / "val.zip", clock=clock)
    assert any(name.startswith("delivery_") for name in exported.left_behind)
    assert not any(name.startswith("pickup_") for name in exported.left_behind)
    with Archive.open(tmp_path / "val.zip") as archive:
        assert any(name.startswith("tables/pickup_") for name in archive.manifest.files)
    import_instance(tmp_path / "val.zip", tmp_path / "new", clock=clock)
    with open_instance(tmp_path / "new") as instance, instance.store.read() as tx:
        assert not any(name.startswith("delivery_") for name in inspect(tx.connection).get_table_names())


def test_the_commands_say_loudly_what_an_export_holds(
    folder: Path, sqlite_url: str, tmp_path: Path, shell: Shell
) -> None:
    make_instance(folder, sqlite_url)
    for name in ("keys", "templates", "empty"):
        (folder / name).mkdir()
    (folder / "keys" / "root.key").write_text("a key")
    (folder / "templates" / "order.html").write_text("a page")

    def run(*words: object, code: int = 0) -> str:
        result = shell.run(*words)
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout + result.stderr

    output = run("export", tmp_path / "val.zip", "--instance", folder)
    assert "It holds secrets" in output
    assert "mail.password" in output
    assert "keys/, templates/." in output
    assert "keys/, templates/." in run("backup", "--instance", folder)
    output_of_import = run("import", tmp_path / "val.zip", "--instance", tmp_path / "new")
    assert "set again in" in output_of_import
    assert f"copy from where the instance was into {tmp_path / 'new'}, as its owner: keys/" in output_of_import
    assert "sound" in run("check", "--instance", tmp_path / "new")
    assert "StoreError" in run("restore", tmp_path / "val.zip", "--instance", tmp_path / "other", code=1)
    assert "StoreError" in run("export", tmp_path / "nowhere" / "val.zip", "--instance", folder, code=1)
