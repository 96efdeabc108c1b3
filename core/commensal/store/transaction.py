"""One transaction: what commands and questions get to see of the database, of time, and of chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, Executable, RowMapping
from sqlalchemy.engine import Connection

from ..errors import NotFound
from ..ids import Ids
from .hold import Hold


@dataclass(frozen=True, slots=True)
class Transaction:
    """A connection inside BEGIN … COMMIT, with the moment it began. All that happens in it happens at `now`.

    `listeners` are the instance's plugins that want to be told what happened, by the name of the event's hook.
    """

    connection: Connection
    now: datetime
    ids: Ids
    hold: Hold
    listeners: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def execute(
        self, statement: Executable, parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[Any]:
        result: CursorResult[Any] = self.connection.execute(statement, parameters)
        return result

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

    def value(self, statement: Executable) -> Any:
        """The first column of the first row, or None."""
        return self.execute(statement).scalar()

    def new_id(self) -> str:
        return self.ids.new(self.now)

    @property
    def postgresql(self) -> bool:
        return self.connection.dialect.name == "postgresql"
