"""What is kept: an instance that need not be in order. It may be serving, and older than this version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from sqlalchemy.engine import make_url

from ...base.clock import Clock
from ...base.errors import Problem, Several, StoreError
from ...base.ids import RandomIds
from ...hooks.dispatcher import Hooks
from ...hooks.loading import load_plugins, migration_folders
from ...instance.instance import DATABASE
from ...instance.remains import refuse_lost
from ...instance.settings import Settings, load_settings
from ...storage.database import Store


@dataclass(frozen=True)
class Source:
    """An instance's folder, settings, and those of its plugins that can be loaded. `of` raises `StoreError` where its
    database was lost."""

    folder: Path
    settings: Settings
    hooks: Hooks
    clock: Clock

    @classmethod
    def of(cls, folder: Path, clock: Clock) -> Self:
        settings = load_settings(folder)
        found = cls(folder, settings, load_plugins(settings, clock=clock, forgiving=True), clock)
        if found.sqlite_file is not None and not found.sqlite_file.exists():
            refuse_lost(folder, settings, str(found.sqlite_file))
        return found

    @classmethod
    def without_secrets(cls, folder: Path, clock: Clock) -> Self:
        """Where the operator's settings of plugins are still incomplete: only what does not need them may be asked."""
        settings = load_settings(folder)
        bare = replace(settings, plugins={"enabled": list(settings.enabled_plugins)})
        return cls(folder, settings, load_plugins(bare, clock=clock, forgiving=True), clock)

    @property
    def url(self) -> str:
        return self.settings.database.url or f"sqlite:///{self.folder / DATABASE}"

    @property
    def sqlite_file(self) -> Path | None:
        address = make_url(self.url)
        return Path(address.database or "") if address.get_backend_name() == "sqlite" else None

    def store(self, url: str) -> Store:
        return Store(url, clock=self.clock, ids=RandomIds())

    def migrate(self, store: Store) -> list[str]:
        """Raises `StoreError` where a newer version has written the database."""
        from ...storage.database.migrate import migrate  # what runs revisions takes long to load

        return migrate(store, migration_folders(self.hooks))


def refuse_broken(broken: Sequence[Problem]) -> None:
    """Raises `StoreError` that names the first of what is wrong."""
    if broken:
        text = (
            "The copy is not sound: {first} and {more} more." if len(broken) > 5 else "The copy is not sound: {first}."
        )
        raise StoreError(text, first=Several(broken[:5]), more=len(broken) - 5)
