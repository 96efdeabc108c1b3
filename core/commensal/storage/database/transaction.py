"""One transaction: what commands and questions get to see of the database, of time, and of chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Executable, Select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import UpdateBase

from ...base.errors import NotFound
from ...base.ids import Ids
from .change_capture import Trail
from .hold import Hold
from .savepoint import Savepoint
from .statement_cache import OFTEN, Constant, Made, Row, constant


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside BEGIN … COMMIT, with the moment it began. All that happens in it happens at `now`.

    `listeners` are the instance's plugins that want to be told what happened, by the name of the event's hook.
    `trail` notes what is changed, where the instance keeps an audit trail. `promised` are the moments at which work is
    due that it promises.
    """

    connection: Connection
    now: datetime
    ids: Ids
    hold: Hold
    listeners: Mapping[str, Sequence[str]] = field(default_factory=dict)
    trail: Trail | None = None
    promised: list[datetime] = field(default_factory=list)

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        self.hold.refuse_undone()
        if self.trail is not None and isinstance(statement, UpdateBase):
            return self.trail.follow(self.connection, statement, parameters)
        result: CursorResult[Any] = self.connection.execute(statement, parameters)
        return result

    def trace(
        self, action: str, object_kind: str, object_id: str = "", *, enterprise_id: str | None = None, **fields: Any
    ) -> None:
        """Adds to the audit trail what no row tells: a log-in, an export. `fields` must be fit for JSON, and not
        personal."""
        if self.trail is not None:
            self.trail.add(action, object_kind, object_id, enterprise_id=enterprise_id, fields=fields)

    @contextmanager
    def attempt(self) -> Iterator[Savepoint]:
        """What is done until an error ends the block is undone; what was done before it stays.

        `rollback()` of what it gives undoes it without an error: for a preview. What the transaction has collected in
        memory, changes to audit and promised jobs, is undone with the rows.
        """
        with self.hold.attempt() as savepoint:
            yield savepoint

    def change(self, statement: UpdateBase, parameters: Mapping[str, Any] | None = None) -> int:
        """Executes a statement that writes and returns nothing. How many rows it has changed."""
        known, given = self._constant(statement, parameters), parameters or {}
        return self.execute(statement, parameters).rowcount if known is None else known.count(self.connection, given)

    def later(self, statement: UpdateBase, parameters: Mapping[str, Any]) -> None:
        """Executes a statement that writes, and of which nobody needs to know how many rows it has changed.

        PostgreSQL hears of it with the next statement, so that nobody waits for its answer: what is wrong with it is
        raised then, by `hold.catch_up`, or by the commit. Attempts and hooks catch up, and are blamed for nothing else.
        """
        known = self._constant(statement, parameters)
        if known is None:
            self.execute(statement, parameters)
        else:
            known.later(self.connection, parameters)

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row]:
        known = self._constant(statement, parameters)
        if known is not None:
            return known.rows(self.connection, parameters or {})
        result = self.execute(statement, parameters)
        columns = tuple(result.keys())
        return [dict(zip(columns, row, strict=True)) for row in result]

    def each(
        self, statement: Select[Any], parameters: Mapping[str, Any] | None, make: Callable[[Row], Made]
    ) -> list[Made]:
        """What `make` makes of each row of a question that is a constant. It is asked once for equal rows: what it
        gives must follow from the row alone and never change."""
        known = self.constant(statement, parameters or {}, often=1)
        if known is not None:
            return known.each(self.connection, parameters or {}, make)
        return [make(row) for row in self.all(statement, parameters)]

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row | None:
        known = self._constant(statement, parameters)
        if known is not None:
            return next(iter(known.rows(self.connection, parameters or {}, most=1)), None)
        row = self.execute(statement, parameters).mappings().first()
        return None if row is None else dict(row)

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Row:
        """The row, or `NotFound`."""
        row = self.first(statement, parameters)
        if row is None:
            raise NotFound
        return row

    def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        row = self.first(statement, parameters)
        return None if row is None else next(iter(row.values()))

    def constant(self, statement: Executable, parameters: Mapping[str, Any], *, often: int = OFTEN) -> Constant | None:
        """The statement, where it is a constant that may be sent now. Whoever sends it tells the trail."""
        self.hold.refuse_undone()
        return constant(self.connection, statement, parameters, often=often)

    def _constant(self, statement: Executable, parameters: Mapping[str, Any] | None) -> Constant | None:
        """The statement, where it is a constant whose changes the audit trail does not follow."""
        if self.trail is not None and isinstance(statement, UpdateBase) and self.trail.follows(statement):
            return None
        return self.constant(statement, parameters or {})

    def new_id(self) -> str:
        return self.ids.new(self.now)

    @property
    def postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"
