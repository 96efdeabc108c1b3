"""One installation: its folder, settings, store, plugins and clock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar, cast

import msgspec
from sqlalchemy import func, select
from sqlalchemy.engine import make_url

from ..base.clock import Clock, SystemClock
from ..base.errors import SettingsError, SoldOut, StoreError
from ..base.ids import Ids, RandomIds
from ..base.reading import holds_secrets
from ..hooks import specifications
from ..hooks.declared import declared_fields, declared_scopes
from ..hooks.dispatcher import Hooks
from ..hooks.failures import Recorder
from ..hooks.loading import listeners, load_plugins, migration_folders
from ..storage.database import Store, Transaction
from ..storage.database.engine import make_engine
from ..storage.database.presence import announce_presence, exclusive_access
from ..storage.database.revisions import NewerDatabase, is_empty, missing
from .backup_key import FILE as BACKUP_KEY_FILE
from .settings import InstanceSettings, load_settings, refuse_if_others_read
from .trail_writer import TrailWriter

# The last upgrade of an instance, recorded in ``upgrade.json`` of its folder.
#
# The database contains its revisions, but neither the version to which they belong nor the backup from before.

FILE = "upgrade.json"


@dataclass(frozen=True, kw_only=True)
class UpgradeRecord:
    """version:   the version of Commensal to which the database was upgraded
    before:    the version before; "" if unknown
    at:        when the upgrade began, UTC
    backup:    the file with the instance as it was before; "" if there is none
    revisions: the revisions that the upgrade had to run
    finished:  False during the upgrade, and after it was killed
    left:      the later version from which the instance went back to this one; "" if it did not
    """

    version: str
    before: str = ""
    at: datetime
    backup: str = ""
    revisions: tuple[str, ...] = ()
    finished: bool = True
    left: str = ""


_read = msgspec.json.Decoder(UpgradeRecord).decode  # created here, by one thread: see converting.py


def read_upgrade_record(folder: Path) -> UpgradeRecord | None:
    """The record of the instance in `folder`; None if it is missing or unreadable, since it only informs."""
    try:
        return _read((folder / FILE).read_bytes())
    except (OSError, msgspec.MsgspecError):
        return None


def write_upgrade_record(folder: Path, record: UpgradeRecord) -> None:
    """Writes the record atomically, and syncs it to the disk."""
    unfinished = folder / f".{FILE}.part"
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(folder / FILE)


def with_version(error: NewerDatabase, folder: Path) -> NewerDatabase:
    """The error, completed with the version that wrote the database and the backup from before, if they are known."""
    record = read_upgrade_record(folder)
    if record is None:
        return error
    text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}."
    if record.backup:
        text = "{error} That was Commensal {version}, on {at:%Y-%m-%d}. The backup from before is {backup}."
    return NewerDatabase(text, error=error, version=record.version, at=record.at, backup=record.backup)


# What the process keeps in memory with an instance: caches, counters and connections of the core and of plugins.

Kept = TypeVar("Kept")


class State:
    """One value for each function that makes one. It ends with the instance; nothing of it is stored.

    The functions belong to modules, so two plugins never share a value by accident.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._values: dict[Callable[[Instance], object], object] = {}
        self._lock = threading.RLock()

    def of(self, make: Callable[[Instance], Kept]) -> Kept:
        """What `make(instance)` returned when it was called first. It is called once, whatever threads ask."""
        if make not in self._values:
            with self._lock:
                if make not in self._values:
                    self._values[make] = make(self._instance)
        return cast(Kept, self._values[make])

    def replace(self, make: Callable[[Instance], Kept], value: Kept) -> None:
        """Keeps `value` as what `make` makes: for tests and simulators."""
        with self._lock:
            self._values[make] = value


# Detects a lost database by the other files of the instance, so that no new one is created in its place.
#
# An empty shop would trade under the identity that partners know, and would tell them that everything is gone.

_BACKUP_KEY = Path(BACKUP_KEY_FILE).name  # every instance has it, also where there never was a database
_FOLDERS = ("keys", "images", "mail", "backups")


def refuse_lost_database(folder: Path, settings: InstanceSettings, database: str) -> None:
    """Raises `StoreError`, with what to do, if the folder has other files of an instance whose database is missing or
    empty. `database` is its file or URL, for the message."""
    remains = sorted(_remains(folder, settings))
    if not remains:
        return
    text = (
        "The database {database} is missing or empty, but there is more of this instance: {left}. Look for the "
        "database first: is its disk mounted, and is database.url right? Else restore the newest backup into a new "
        "folder (`commensal restore BACKUP --instance NEW`) and copy the folder keys there. Nothing was changed."
    )
    raise StoreError(text, database=database, left=", ".join(remains))


def _remains(folder: Path, settings: InstanceSettings) -> Iterator[str]:
    for name in _FOLDERS:
        subfolder = folder / name
        if subfolder.is_dir() and any(entry.name != _BACKUP_KEY for entry in subfolder.iterdir()):
            yield f"{name}/"
    if (folder / FILE).exists():
        yield FILE
    backups = settings.backups.folder
    if backups and any(Path(backups).glob("commensal-*.zip")):
        yield backups


DATABASE = "commensal.db"
Result = TypeVar("Result")


@dataclass(frozen=True)
class Instance:
    """An open instance, as commands, routes and jobs get it. `close` releases the database.

    `state` holds what this process keeps in memory with it.
    """

    folder: Path
    settings: InstanceSettings
    store: Store
    hooks: Hooks
    clock: Clock
    ids: Ids
    state: State = field(init=False, repr=False, compare=False)

    @property
    def images(self) -> Path:
        return self.settings.images_of(self.folder)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", State(self))
        self.hooks.keep_failures(Recorder(self.store))
        self.store.before_closing(self.hooks.flush_failures)
        self.store.listeners = listeners(self.hooks)
        self.store.plugin_fields = declared_fields(self.hooks)
        self.store.own_scopes = declared_scopes(self.hooks)
        self.store.bound = self.hooks.bound
        self.store.auditor = TrailWriter(self.hooks)

    def transact(self, act: Callable[[Transaction], Result]) -> Result:
        """Runs `act` in a writing transaction and returns its result. If it raises `SoldOut` and plugins bring more
        stock, runs it again: twice at most, since another lot may have become short while the first was brought.

        No transaction is open while plugins are called. Raises what `act` raises.
        """
        for _ in range(2):
            try:
                return self.store.transact(act)
            except SoldOut as short:
                if not short.missing or not self._bring_stock(short.missing):
                    raise
        return self.store.transact(act)

    def _bring_stock(self, missing: Mapping[str, int]) -> bool:
        answers = self.hooks.each(specifications.bring_stock, instance=self, missing=missing)
        return any(answer.value for answer in answers)

    def close(self) -> None:
        self.store.close()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_instance(
    folder: Path,
    *,
    clock: Clock | None = None,
    ids: Ids | None = None,
    upgrade: bool = False,
    forgiving: bool = False,
    settings_file: str = "instance.toml",
) -> Instance:
    """Opens the instance in `folder`. Until it is closed, no upgrade can begin.

    With `upgrade` its database is migrated first, while no other process may have it open. With `forgiving` it is
    opened without the enabled plugins that cannot be loaded, for commands that report them. `settings_file` is the name
    of the file with its settings, which is another one until a new instance is complete.

    Raises `SettingsError`; `PluginError`; `StoreError` if the database is older or newer than this version, or was
    lost; `Busy` during an upgrade.
    """
    settings = load_settings(folder, settings_file)
    clock, ids = clock or SystemClock(), ids or RandomIds()
    hooks = load_plugins(settings, clock=clock, forgiving=forgiving)
    if any(_holds_secrets(settings, hooks, plugin) for plugin in hooks.plugins()):
        refuse_if_others_read(folder / settings_file)
    url = settings.database.url or f"sqlite:///{folder / DATABASE}"
    if (file := sqlite_file(url)) is not None and not file.exists():
        refuse_lost_database(folder, settings, str(file))
    store = Store(url, clock=clock, ids=ids, pool_url=settings.database.pool_url)
    try:
        if settings.database.pool_url:
            _refuse_other_database(store)
        folders = migration_folders(hooks)
        missing_revisions = missing(store, folders)
        if missing_revisions and is_empty(store):
            refuse_lost_database(folder, settings, str(file or make_url(url).render_as_string()))
        if upgrade and missing_revisions:
            from ..storage.database.migrate import migrate

            with exclusive_access(store):
                migrate(store, folders)
                write_upgrade_record(folder, UpgradeRecord(version=version("commensal"), at=clock.now()))
        store.before_closing(announce_presence(store))
        if missing(store, folders):
            text = "The database is older than this version; run `commensal upgrade --instance {folder}`."
            if is_empty(store):
                text = "The database is empty; run `commensal migrate --instance {folder}`."
            raise StoreError(text, folder=folder)
    except NewerDatabase as error:
        store.close()
        raise with_version(error, folder) from None
    except Exception:
        store.close()
        raise
    return Instance(folder, settings, store, hooks, clock, ids)


def _refuse_other_database(store: Store) -> None:
    """Raises `SettingsError` if PgBouncer leads to another database than `database.url`: locks would not be seen, and
    backups would hold the wrong rows."""
    query = select(func.current_database(), func.pg_postmaster_start_time())
    direct = make_engine(store.url)
    try:
        with store.read() as tx, direct.connect() as connection:
            if tx.execute(query).one() != connection.execute(query).one():
                raise SettingsError("database.pool_url and database.url name different databases.")
    finally:
        direct.dispose()


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite database; None for any other database, and for one in memory."""
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or address.database in (None, "", ":memory:"):
        return None
    return Path(str(address.database))


def _holds_secrets(settings: InstanceSettings, hooks: Hooks, plugin: str) -> bool:
    """Whether instance.toml itself contains a secret of the plugin."""
    plugin_settings = hooks.instance_settings(plugin)
    return plugin_settings is not None and holds_secrets(type(plugin_settings), settings.plugins.get(plugin, {}))
