"""The manifest of an archive: what wrote it, when, and every file in it with its size and SHA-256."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Literal, Self

import msgspec
from sqlalchemy import func, inspect, select, table, text

from ...base.converting import convert
from ...base.errors import Problem, StoreError
from ...storage.database import Transaction

_FORMAT = 1  # incremented when older versions cannot read what this one writes


@dataclass(frozen=True)
class FileEntry:
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
    """Ids of the enabled plugins."""
    revisions: dict[str, list[str]]
    """Revisions of the database, of the core ("alembic_version") and of each plugin ("<id>_revision")."""
    counts: dict[str, int]
    """Numbers of rows by table."""
    left_out: tuple[str, ...]
    """What is not in the archive: keys of instance.toml that hold secrets, and folders, with a slash at the end."""
    files: dict[str, FileEntry] = field(default_factory=dict)
    format: int = _FORMAT

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Decodes a manifest. Raises `StoreError` for anything else, and for a newer format."""
        try:
            values = msgspec.json.decode(content)
            is_newer = isinstance(values, dict) and isinstance(values.get("format"), int) and values["format"] > _FORMAT
            if is_newer:
                raise StoreError("A newer version of Commensal has written this archive; install that one.")
            _refuse_unknown(values, cls)
            manifest: Self = convert(values, cls)
            return manifest
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise StoreError("The archive's manifest cannot be read: {error}", error=error) from error

    def encode(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1)


def describe(
    tx: Transaction,
    kind: Literal["backup", "export"],
    *,
    made_at: datetime,
    plugins: tuple[str, ...],
    left_out: tuple[str, ...],
) -> Manifest:
    """The manifest of the database as `tx` sees it, without files."""
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
    """The revisions of the database, by its tables of versions."""
    return {
        name: sorted(tx.execute(text(f'SELECT version_num FROM "{name}"')).scalars())  # noqa: S608 - a table of the database
        for name in _names(tx)
        if _tells_versions(name)
    }


def counts_of(tx: Transaction) -> dict[str, int]:
    """The number of rows of every table."""
    names = [name for name in _names(tx) if not _tells_versions(name)]
    return {name: tx.value(select(func.count()).select_from(table(name))) for name in names}


def differences(expected: Mapping[str, int], actual: Mapping[str, int]) -> list[Problem]:
    """A problem for each table whose number of rows is not that of the manifest."""
    text = "{table} has {seen} rows instead of {wanted}"
    return [
        Problem("rows", text, values={"table": name, "seen": actual.get(name, 0), "wanted": count})
        for name, count in expected.items()
        if actual.get(name, 0) != count
    ]


def _names(tx: Transaction) -> list[str]:
    return sorted(inspect(tx.connection).get_table_names())


def _tells_versions(name: str) -> bool:
    return name == "alembic_version" or name.endswith("_revision")


def _refuse_unknown(values: object, shape: type) -> None:
    unknown = sorted(set(values) - {field_.name for field_ in fields(shape)}) if isinstance(values, dict) else []
    if unknown:
        text = "The archive's manifest says {name!r}, which this version does not know."
        raise StoreError(text, name=unknown[0])
