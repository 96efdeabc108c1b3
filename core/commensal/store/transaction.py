"""One transaction: what commands and questions get to see of the database, of time, and of chance."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Executable, RowMapping
from sqlalchemy.engine import Connection, NestedTransaction
from sqlalchemy.sql.dml import UpdateBase

from ..errors import NotFound
from ..ids import Ids
from .hold import Hold
from .trail import Change, Trail


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
            self.trail.changes.append(
                Change(
                    action=action,
                    object_kind=object_kind,
                    object_id=object_id,
                    enterprise_id=enterprise_id,
                    fields=fields,
                )
            )

    @contextmanager
    def attempt(self) -> Iterator[NestedTransaction]:
        """What is done until an error ends the block is undone; what was done before it stays."""
        noted = len(self.trail.changes) if self.trail is not None else 0
        with self.connection.begin_nested() as nested:
            try:
                yield nested
            finally:
                if self.trail is not None and (sys.exception() is not None or not nested.is_active):
                    del self.trail.changes[noted:]

    def all(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[RowMapping]:
        return self.execute(statement, parameters).mappings().all()

    def first(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> RowMapping | None:
        return self.execute(statement, parameters).mappings().first()

    def one(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> RowMapping:
        """The row, or `NotFound`."""
        row = self.first(statement, parameters)
        if row is None:
            raise NotFound
        return row

    def value(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Any:
        """The first column of the first row, or None."""
        return self.execute(statement, parameters).scalar()

    def new_id(self) -> str:
        return self.ids.new(self.now)

    @property
    def postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"
