"""One transaction: how commands and queries use the database, the time, and new ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import UpdateBase

from ...base.errors import NotFound
from ...base.ids import Ids
from ...base.own_scopes import NO_OWN_SCOPES, OwnScopes
from ...base.plugin_fields import DeclaredFields
from .change_capture import Result, Trail
from .hold import Hold
from .savepoint import Savepoint
from .statement_cache import OFTEN, Constant, Made, Row, RowQuery, TypedRow, constant, refuse_other_columns


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside BEGIN … COMMIT. `now` (UTC) is the moment at which it began, and at which all in it happens.

    `listeners` are the ids of the plugins that receive an event, by the name of its hook; `plugin_fields` and
    `own_scopes` the fields and the scopes that plugins declare. `trail` captures changes for the audit trail, if the
    instance keeps one. `due_moments` are the moments (UTC) at which its new jobs are due.
    """

    connection: Connection
    now: datetime
    ids: Ids
    hold: Hold
    listeners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    plugin_fields: DeclaredFields = field(default_factory=DeclaredFields)
    own_scopes: OwnScopes = NO_OWN_SCOPES
    trail: Trail | None = None
    due_moments: list[datetime] = field(default_factory=list)

    def execute(
        self, statement: Executable, parameters: Mapping[str, object] | Sequence[Mapping[str, object]] | None = None
    ) -> Result:
        """Runs a statement of SQLAlchemy. Raises what SQLAlchemy raises, such as `IntegrityError`."""
        self.hold.refuse_after_rollback()
        if self.trail is not None and isinstance(statement, UpdateBase):
            return self.trail.follow(self.connection, statement, parameters)
        result: Result = self.connection.execute(statement, parameters)
        return result

    def trace(
        self, action: str, object_kind: str, object_id: str = "", *, enterprise_id: str | None = None, **fields: object
    ) -> None:
        """Adds to the audit trail an event that changes no row: a log-in, an export. `fields` must be JSON values, and
        no personal data."""
        if self.trail is not None:
            self.trail.add(action, object_kind, object_id, enterprise_id=enterprise_id, fields=fields)

    @contextmanager
    def attempt(self) -> Iterator[Savepoint]:
        """Undoes the work of the block if an error ends it; earlier work of the transaction stays.

        `rollback()` of the savepoint that it yields undoes the work without an error, for previews. Changes to audit
        and enqueued jobs are undone with the rows.
        """
        with self.hold.attempt() as savepoint:
            yield savepoint

    def change(self, statement: UpdateBase, parameters: Mapping[str, object] | None = None) -> int:
        """Executes a statement that writes and has no RETURNING. Returns the number of changed rows."""
        prepared, values = self._constant(statement, parameters), parameters or {}
        return (
            self.execute(statement, parameters).rowcount
            if prepared is None
            else prepared.count(self.connection, values)
        )

    def later(self, statement: Executable, parameters: Mapping[str, object]) -> None:
        """Executes a statement that writes or locks, without waiting for its answer.

        It is sent to PostgreSQL together with the next statement, and its errors are raised then, by `hold.catch_up`,
        or by the commit. Attempts and hooks call `hold.catch_up` first, so that they get no errors of earlier work.
        """
        prepared = self._constant(statement, parameters)
        if prepared is None:
            self.execute(statement, parameters)
        else:
            prepared.later(self.connection, parameters)

    def ask(self, statement: Executable, parameters: Mapping[str, object]) -> Callable[[], Row]:
        """Executes a statement as `later` does. Returns a function that returns its first row, as `one` does.

        It is for what need not be known yet: PostgreSQL gets the statement together with the next one, or when the
        function is called first.
        """
        prepared = self._constant(statement, parameters) if self.postgresql else None
        if prepared is None:
            row = self.one(statement, parameters)
            return lambda: row
        cursor = prepared.ask(self.connection, parameters)

        @cache
        def answer() -> Row:
            if cursor.pgresult is None:
                self.hold.catch_up()
            if (row := prepared.first_row(self.connection, cursor)) is None:
                raise NotFound
            return row

        return answer

    def all(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Sequence[Row]:
        """All rows, each a mapping by the names of its columns."""
        prepared = self._constant(statement, parameters)
        if prepared is not None:
            return prepared.rows(self.connection, parameters or {})
        result = self.execute(statement, parameters)
        columns = tuple(result.keys())
        return [dict(zip(columns, row, strict=True)) for row in result]

    def rows(
        self,
        shape: type[TypedRow],
        statement: Executable,
        parameters: Mapping[str, object] | None = None,
        *,
        limit: int | None = None,
    ) -> list[TypedRow]:
        """All rows, or the first `limit`, each as a `shape`: a `NamedTuple` whose fields are the statement's columns.

        Raises `TypeError` if they are not. It costs less than `all`, which makes a dict of each row.
        """
        prepared = self._constant(statement, parameters)
        if prepared is not None:
            return prepared.typed_rows(self.connection, parameters or {}, shape, limit)
        result = self.execute(statement, parameters)
        refuse_other_columns(shape, tuple(result.keys()))
        fetched = result.all() if limit is None else result.fetchmany(limit)
        result.close()
        return [shape._make(row) for row in fetched]

    def row(
        self, shape: type[TypedRow], statement: Executable, parameters: Mapping[str, object] | None = None
    ) -> TypedRow | None:
        """The first row as a `shape`, like those of `rows`; None if there is none."""
        return next(iter(self.rows(shape, statement, parameters, limit=1)), None)

    def each(
        self, statement: RowQuery, parameters: Mapping[str, object] | None, make: Callable[[Row], Made]
    ) -> list[Made]:
        """`make` of each row of a constant query. It is called once for equal rows, so its result must depend on the
        row alone and must be immutable."""
        prepared = self.constant(statement, parameters or {}, often=1)
        if prepared is not None:
            return prepared.each(self.connection, parameters or {}, make)
        return [make(row) for row in self.all(statement, parameters)]

    def first(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Row | None:
        """The first row, or None."""
        prepared = self._constant(statement, parameters)
        if prepared is not None:
            return next(iter(prepared.rows(self.connection, parameters or {}, limit=1)), None)
        row = self.execute(statement, parameters).mappings().first()
        return None if row is None else dict(row)

    def one(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Row:
        """The first row. Raises `NotFound` if there is none."""
        row = self.first(statement, parameters)
        if row is None:
            raise NotFound
        return row

    def value(self, statement: Executable, parameters: Mapping[str, object] | None = None) -> Any:
        """The first column of the first row; None if there is no row."""
        row = self.first(statement, parameters)
        return None if row is None else next(iter(row.values()))

    def constant(
        self, statement: Executable, parameters: Mapping[str, object], *, often: int = OFTEN
    ) -> Constant | None:
        """The statement as a `Constant`, or None. The caller must report its changes to the trail."""
        self.hold.refuse_after_rollback()
        return constant(self.connection, statement, parameters, often=often)

    def _constant(self, statement: Executable, parameters: Mapping[str, object] | None) -> Constant | None:
        """The statement as a `Constant`; None also if the audit trail captures its changes."""
        if self.trail is not None and isinstance(statement, UpdateBase) and self.trail.follows(statement):
            return None
        return self.constant(statement, parameters or {})

    def new_id(self) -> str:
        """A new id (UUID 7), which sorts by time; in tests and simulations it follows from the seed."""
        return self.ids.new(self.now)

    @property
    def postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"
