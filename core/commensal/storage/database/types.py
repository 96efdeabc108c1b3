"""Column types that mean the same on SQLite (STRICT tables) and on PostgreSQL, and refuse inexact values."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import BigInteger, Boolean, CheckConstraint, ColumnElement, Integer, MetaData, Text, TypeDecorator, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
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

Converter = Callable[[Any], Any]  # of one value, which may be None

# Whole numbers: minor units of money, grains of stock, counts.
Whole = BigInteger().with_variant(Integer(), "sqlite")


# Each type hands its converters out as plain functions: TypeDecorator would wrap each in two calls of its own for each
# value, and an order converts a hundred. Moments and numbers of one order are the same again and again, so they are
# converted once.
_CACHED = 2_048  # values
Value = TypeVar("Value")


class _Converting(TypeDecorator[Value]):
    """A type whose converters are those of `bind_processor` and `result_processor`, in every place."""

    def process_bind_param(self, value: Value | None, dialect: Dialect) -> object:
        convert = self.bind_processor(dialect)
        return value if convert is None else convert(value)


class Flag(_Converting[bool]):
    """True or false. STRICT tables of SQLite have no BOOLEAN."""

    impl = Boolean
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else Boolean())

    def bind_processor(self, dialect: Dialect) -> Converter:
        return _number_of_flag if dialect.name == "sqlite" else _flag

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        return _flag


def _number_of_flag(value: bool | None) -> int | None:
    return None if value is None else int(value)


def _flag(value: object) -> bool | None:
    return None if value is None else bool(value)


class Time(_Converting[datetime]):
    """A moment: aware, UTC, to the microsecond. SQLite stores it as ISO 8601 text, which sorts by time."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Converter:
        return _text_of_moment if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        return _moment_of_text if dialect.name == "sqlite" else _moment


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; a naive moment cannot be stored")
    return value.astimezone(UTC)


@lru_cache(_CACHED)
def _text_of_moment(value: datetime | None) -> str | None:
    moment = _in_utc(value)
    return None if moment is None else f"{moment.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


@lru_cache(_CACHED)
def _moment_of_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


def _moment(value: Any) -> datetime | None:
    return _moment_of_text(value) if isinstance(value, str) else _in_utc(value)


class Exact(_Converting[Decimal]):
    """A decimal number (rates, weights), stored as text, because SQLite's NUMERIC would make it a float."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Converter:
        return _text_of_decimal

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        return _decimal_of_text


@lru_cache(_CACHED, typed=True)  # a float may equal a Decimal
def _text_of_decimal(value: Decimal | None) -> str | None:
    if value is None:
        return None
    if not isinstance(value, Decimal):
        raise TypeError(f"{value!r} is not a Decimal")
    return format(value.normalize(), "f")


@lru_cache(_CACHED)
def _decimal_of_text(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode


class Json(TypeDecorator[Any]):
    """A small JSON document: a list of labels, a job's payload."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else JSONB(none_as_null=True))

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        return _text_of_json(value) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> Converter | None:
        return _text_of_json if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Converter:
        return _json_of_text


def _text_of_json(value: object) -> str | None:
    return None if value is None else _encode(value)


def _json_of_text(value: object) -> object:
    return msgspec.json.decode(value) if isinstance(value, str) else value


def only_where(condition: str) -> dict[str, Any]:
    """Arguments of an `Index` of the rows that fulfil `condition`. Rows without a reference cost its index no page."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def checked_in(column: str, words: Iterable[str]) -> CheckConstraint:
    """A constraint that the column holds one of these words. Commands refuse others earlier, with a better message."""
    quoted_words = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({quoted_words})", name=f"{column}_known")


# Days in a time zone, computed by the database: PostgreSQL does it itself, SQLite calls a Python function.


class local_day(FunctionElement[str]):
    """The day, as ISO 8601 text, on which a moment falls in an IANA time zone: ``local_day(moment, zone)``."""

    type = Text()
    inherit_cache = True

    def __init__(self, moment: ColumnElement[datetime], timezone: ColumnElement[str]) -> None:
        super().__init__(moment, timezone)


@compiles(local_day, "postgresql")
def _postgresql(element: local_day, compiler: SQLCompiler, **more: object) -> str:
    moment, timezone = (compiler.process(clause, **more) for clause in element.clauses)
    return f"to_char({moment} AT TIME ZONE {timezone}, 'YYYY-MM-DD')"


@compiles(local_day, "sqlite")
def _sqlite(element: local_day, compiler: SQLCompiler, **more: object) -> str:
    moment, timezone = (compiler.process(clause, **more) for clause in element.clauses)
    return f"local_day({moment}, {timezone})"


@lru_cache(maxsize=1024)
def day_of(moment: str | None, timezone: str | None) -> str | None:
    """Implements `local_day` for SQLite; `moment` is text as `Time` stores it."""
    if moment is None or timezone is None:
        return None
    return datetime.fromisoformat(moment).astimezone(ZoneInfo(timezone)).date().isoformat()
