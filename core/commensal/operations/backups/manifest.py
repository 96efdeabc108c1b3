"""What an archive says of itself: who wrote it, when, and every file in it with its size and SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Literal, Self

import msgspec
from sqlalchemy import func, inspect, select, table, text

from ...base.converting import convert
from ...base.errors import Problem, StoreError
from ...storage.database import Transaction

_FORMAT = 1  # raised when an older version could not read what a newer one writes


@dataclass(frozen=True)
class Kept:
    """A file in an archive: bytes, and SHA-256 in hexadecimal."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    kind: Literal["backup", "export"]
    database: Literal["sqlite", "postgresql"]
    made_at: datetime
    """UTC: the moment of the snapshot."""
    commensal: str
    """The version that wrote it."""
    plugins: tuple[str, ...]
    """Those that were enabled."""
    revisions: dict[str, list[str]]
    """Of the core ("alembic_version") and of each plugin ("<id>_revision"): what the database has had."""
    counts: dict[str, int]
    """Rows by table."""
    left_out: tuple[str, ...]
    """What is not in the archive: keys of instance.toml that hold secrets, and folders, with a slash at the end."""
    files: dict[str, Kept] = field(default_factory=dict)
    format: int = _FORMAT

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Raises `StoreError` for what is no manifest, or one of a later format."""
        try:
            said = msgspec.json.decode(content)
            later = isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] > _FORMAT
            if later:
                raise StoreError("A newer version of Commensal has written this archive; install that one.")
            _refuse_unknown(said, cls)
            read: Self = convert(said, cls)
            return read
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StoreError("The archive's manifest cannot be read: {error}", error=error) from error

    def written(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)


def describe(
    tx: Transaction,
    kind: Literal["backup", "export"],
    *,
    made_at: datetime,
    plugins: tuple[str, ...],
    left_out: tuple[str, ...],
) -> Manifest:
    """The manifest of what `tx` sees, still without files."""
    return Manifest(
        kind=kind,
        database="postgresql" if tx.postgresql else "sqlite",
        made_at=made_at.astimezone(UTC),
        commensal=version("commensal"),
        plugins=plugins,
        revisions=revisions_of(tx),
        counts=counts_of(tx),
        left_out=left_out,
    )


def revisions_of(tx: Transaction) -> dict[str, list[str]]:
    """What the database has had, by its tables of versions."""
    return {
        name: sorted(tx.execute(text(f'SELECT version_num FROM "{name}"')).scalars())  # noqa: S608 - a table of the database
        for name in _names(tx)
        if _tells_versions(name)
    }


def counts_of(tx: Transaction) -> dict[str, int]:
    """The number of rows of every table."""
    wanted = [name for name in _names(tx) if not _tells_versions(name)]
    return {name: tx.value(select(func.count()).select_from(table(name))) for name in wanted}


def differences(wanted: Mapping[str, int], seen: Mapping[str, int]) -> list[Problem]:
    """Tables whose numbers of rows are not those of the manifest."""
    text = "{table} has {seen} rows instead of {wanted}"
    return [
        Problem("rows", text, values={"table": name, "seen": seen.get(name, 0), "wanted": count})
        for name, count in wanted.items()
        if seen.get(name, 0) != count
    ]


def _names(tx: Transaction) -> list[str]:
    return sorted(inspect(tx.connection).get_table_names())


def _tells_versions(name: str) -> bool:
    return name == "alembic_version" or name.endswith("_revision")


def _refuse_unknown(said: Any, shape: type) -> None:
    unknown = sorted(set(said) - {one.name for one in fields(shape)}) if isinstance(said, dict) else []
    if unknown:
        text = "The archive's manifest says {name!r}, which this version does not know."
        raise StoreError(text, name=unknown[0])
