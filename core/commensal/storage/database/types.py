"""Column types that mean the same on SQLite (STRICT tables) and on PostgreSQL, and refuse inexact values."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Boolean, CheckConstraint, Integer, MetaData, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Whole numbers: minor units of money, grains of stock, counts.
Whole = BigInteger().with_variant(Integer(), "sqlite")


class Flag(TypeDecorator[bool]):
    """True or false. STRICT tables of SQLite have no BOOLEAN."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def process_bind_param(self, value: bool | None, dialect: Dialect) -> object:
        if value is None:
            return None
        return int(value) if dialect.name == "sqlite" else bool(value)

    def process_result_value(self, value: object, dialect: Dialect) -> bool | None:
        return None if value is None else bool(value)


class Time(TypeDecorator[datetime]):
    """A moment: aware, UTC, to the microsecond. SQLite stores it as ISO 8601 text, which sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> object:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; a naive moment cannot be stored")
        value = value.astimezone(UTC)
        if dialect.name != "sqlite":
            return value
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class Exact(TypeDecorator[Decimal]):
    """A decimal number (rates, weights), stored as text, because SQLite's NUMERIC would make it a float."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal):
            raise TypeError(f"{value!r} is not a Decimal")
        return format(value.normalize(), "f")

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


_as_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Json(TypeDecorator[Any]):
    """A small JSON document: a list of labels, a job's payload."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSONB(none_as_null=True))

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        if value is None or dialect.name != "sqlite":
            return value
        return _as_text(value)

    def process_result_value(self, value: object, dialect: Dialect) -> object:
        return msgspec.json.decode(value) if isinstance(value, str) else value


def checked_in(column: str, words: Iterable[str]) -> CheckConstraint:
    """A constraint that the column holds one of these words. Commands refuse others earlier, with a better message."""
    quoted_words = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({quoted_words})", name=f"{column}_known")
