"""The instance that is backed up, exported or upgraded. It may be serving, broken, or older than this version."""

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
from ...instance.instance import DATABASE, refuse_lost_database
from ...instance.settings import InstanceSettings, load_settings
from ...storage.database import Store


@dataclass(frozen=True)
class Source:
    """An instance's folder and settings, and those of its plugins that can be loaded.

    `of` raises `StoreError` if the database was lost.
    """

    folder: Path
    settings: InstanceSettings
    hooks: Hooks
    clock: Clock

    @classmethod
    def of(cls, folder: Path, clock: Clock) -> Self:
        settings = load_settings(folder)
        source = cls(folder, settings, load_plugins(settings, clock=clock, forgiving=True), clock)
        if source.sqlite_file is not None and not source.sqlite_file.exists():
            refuse_lost_database(folder, settings, str(source.sqlite_file))
        return source

    @classmethod
    def without_secrets(cls, folder: Path, clock: Clock) -> Self:
        """For an instance whose settings of plugins still lack their secrets: these settings are not read."""
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
        """Migrates `store` to this version. Raises `StoreError` if a newer version has written the database."""
        from ...storage.database.migrate import migrate  # imports Alembic, which takes long

        return migrate(store, migration_folders(self.hooks))


def refuse_broken(problems: Sequence[Problem]) -> None:
    """Raises `StoreError` with the first of the problems, if there are any."""
    if problems:
        text = (
            "The copy is not sound: {first} and {more} more."
            if len(problems) > 5
            else "The copy is not sound: {first}."
        )
        raise StoreError(text, first=Several(problems[:5]), more=len(problems) - 5)
