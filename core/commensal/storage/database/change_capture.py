"""Captures what a transaction changes, row by row, at the one place that every statement passes.

So no command can forget to report a change. Rows are read before an UPDATE or DELETE and again after an UPDATE, because
SQLite and PostgreSQL have no common way to return both versions; tables with much traffic are marked (`marks.py`) and
not captured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Insert, Table, Update, and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import UpdateBase

from ...base.acting import Acting
from .marks import is_derived, is_hidden, why_untraced

MAX_DETAILED_ROWS = 20  # of one statement; of more, only their number is noted
HIDDEN = "***"
_MAX_TEXT = 200  # characters of a text
_OWNERS = ("enterprise_id", "grantor_id", "coordinator_id")

Parameters = Mapping[str, object] | Sequence[Mapping[str, object]] | None
RowValues = Mapping[str, Any]
Result = CursorResult[*tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class RowChange:
    """One change of one object by `author`. `fields` maps names of columns to [before, after].

    A statement that changes more than `MAX_DETAILED_ROWS` rows is one change without `object_id`, and `rows` is their
    number.
    """

    author: Acting
    action: str
    object_kind: str
    object_id: str = ""
    enterprise_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 1


class Auditor(Protocol):
    """Chooses which tables are captured, and writes the changes of a transaction before its commit."""

    def wants(self, table: Table) -> bool: ...

    def secrets_in(self, table: Table, row: RowValues) -> frozenset[str]:
        """The members of the row's JSON documents whose values must be masked."""

    def author(self) -> Acting:
        """The actor at this moment. It may change within one transaction, for example from message to message."""

    def write(
        self, connection: Connection, changes: Sequence[RowChange], new_id: Callable[[], str], now: datetime
    ) -> None: ...


class Trail:
    """Collects the changes of one transaction."""

    def __init__(self, auditor: Auditor) -> None:
        self.changes: list[RowChange] = []
        self._auditor = auditor

    def follows(self, statement: UpdateBase) -> bool:
        """Whether the changes of this statement are captured."""
        table = getattr(statement, "table", None)
        return isinstance(table, Table) and self._wants(table)

    def follow(self, connection: Connection, statement: UpdateBase, parameters: Parameters) -> Result:
        """Executes a statement that writes, and captures its changes."""
        table = getattr(statement, "table", None)
        if not isinstance(table, Table) or not self.follows(statement):
            return connection.execute(statement, parameters)
        if isinstance(statement, Insert):
            return self._follow_insert(connection, table, statement, parameters)
        if isinstance(statement, Update | Delete):
            return self._follow_change(connection, table, statement, parameters)
        return connection.execute(statement, parameters)

    def add(
        self,
        action: str,
        object_kind: str,
        object_id: str = "",
        *,
        enterprise_id: str | None = None,
        fields: Mapping[str, object] | None = None,
        rows: int = 1,
    ) -> None:
        """Adds a change by the present author."""
        change = RowChange(
            author=self._auditor.author(),
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            enterprise_id=enterprise_id,
            fields=fields or {},
            rows=rows,
        )
        self.changes.append(change)

    def note_inserted(self, table: Table, rows: Sequence[RowValues]) -> None:
        """Adds rows that were inserted without `follow`."""
        if not rows or not self._wants(table):
            return
        if len(rows) > MAX_DETAILED_ROWS:
            self.add("made", table.name, enterprise_id=_owner(table, rows[0]), rows=len(rows))
            return
        for row in rows:
            self._note("made", table, {}, row)

    def _wants(self, table: Table) -> bool:
        return not why_untraced(table) and self._auditor.wants(table)

    def _follow_insert(self, connection: Connection, table: Table, statement: Insert, parameters: Parameters) -> Result:
        parameter_rows = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
        rows = _values(connection, table, statement, parameter_rows)
        before = _conflicting_row(connection, table, statement, rows[0])
        result, count = _with_row_count(connection.execute(statement, parameters))
        if before and count:
            after = _reread(connection, table, [before])
            self._note("changed", table, before, after.get(_key(table, before), {}))
        elif count:
            self.note_inserted(table, rows if len(rows) > 1 or count == 1 else rows * count)
        return result

    def _follow_change(
        self, connection: Connection, table: Table, statement: Update | Delete, parameters: Parameters
    ) -> Result:
        before = _rows_to_change(connection, table, statement, parameters)
        result, count = _with_row_count(connection.execute(statement, parameters))
        action = "changed" if isinstance(statement, Update) else "removed"
        if not before or not count:
            return result
        if len(before) > MAX_DETAILED_ROWS:
            self.add(action, table.name, enterprise_id=_owner(table, before[0]), rows=count)
            return result
        after = _reread(connection, table, before) if action == "changed" else {}
        for row in before:
            if action == "removed" or _key(table, row) in after:
                self._note(action, table, row, after.get(_key(table, row), {}))
        return result

    def _note(self, action: str, table: Table, before: RowValues, after: RowValues) -> None:
        fields = dict(self._differences(table, before, after))
        if action == "changed" and not fields:
            return
        row = after or before
        self.add(action, table.name, _key(table, row), enterprise_id=_owner(table, row), fields=fields)

    def _differences(self, table: Table, before: RowValues, after: RowValues) -> Iterator[tuple[str, list[object]]]:
        for column in table.c:
            old, new = before.get(column.name), after.get(column.name)
            if old == new or is_derived(column) or (column.primary_key and not (before and after)):
                continue
            if is_hidden(column):
                yield column.name, [_mask(old), _mask(new)]
            elif isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
                secret = self._auditor.secrets_in(table, after or before)
                yield from _member_differences(column.name, old or {}, new or {}, secret)
            else:
                yield column.name, [_displayed(old), _displayed(new)]


def _member_differences(
    name: str, old: RowValues, new: RowValues, secret: frozenset[str]
) -> Iterator[tuple[str, list[object]]]:
    """The differences of two JSON documents, by their top-level members."""
    for member in sorted({*old, *new}):
        pair = old.get(member), new.get(member)
        if pair[0] != pair[1]:
            yield f"{name}.{member}", [(_mask if member in secret else _displayed)(value) for value in pair]


def _mask(value: object) -> object:
    return HIDDEN if value else None


def _displayed(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}…"
    return value


def _with_row_count(result: Result) -> tuple[Result, int]:
    """The result and its number of rows. Returned rows can be fetched only once, so they are fetched into a copy."""
    if not result.returns_rows:
        return result, result.rowcount
    frozen = result.freeze()
    return cast(Result, frozen()), len(frozen.data)


def _values(
    connection: Connection, table: Table, statement: Insert, parameter_rows: Sequence[RowValues]
) -> list[RowValues]:
    """The values of new rows, except those that only the database computes."""
    shared_values = statement.compile(dialect=connection.dialect).params
    columns = [column.name for column in table.c]
    rows = ({**shared_values, **row_values} for row_values in parameter_rows)
    return [{name: values[name] for name in columns if name in values} for values in rows]


def _conflicting_row(
    connection: Connection, table: Table, statement: Insert, new: RowValues
) -> dict[str, object] | None:
    """The row that an INSERT … ON CONFLICT DO UPDATE will update; None if it will insert."""
    clause = getattr(statement, "_post_values_clause", None)
    targets = getattr(clause, "inferred_target_elements", None)
    if not targets or not hasattr(clause, "update_values_to_set"):
        return None
    names = [target if isinstance(target, str) else target.name for target in targets]
    query = select(*table.c).where(*(table.c[name] == new.get(name) for name in names))
    partial = getattr(clause, "inferred_target_whereclause", None)
    row = connection.execute(query if partial is None else query.where(partial)).mappings().first()
    return dict(row) if row is not None else None


def _rows_to_change(
    connection: Connection, table: Table, statement: Update | Delete, parameters: Parameters
) -> list[dict[str, object]]:
    """The rows that the statement will change, as they are now; stops when there are more than `MAX_DETAILED_ROWS`."""
    query = select(*table.c)
    if statement.whereclause is not None:
        query = query.where(statement.whereclause)
    parameter_rows = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
    rows: list[dict[str, object]] = []
    for values in parameter_rows:
        rows += [dict(row) for row in connection.execute(query.limit(MAX_DETAILED_ROWS + 1), values).mappings()]
        if len(rows) > MAX_DETAILED_ROWS:
            break
    return rows


def _reread(connection: Connection, table: Table, rows: Sequence[RowValues]) -> dict[str, RowValues]:
    keys = table.primary_key.columns
    conditions: list[ColumnElement[bool]] = [and_(*(key == row[key.name] for key in keys)) for row in rows]
    current_rows = [dict(row) for row in connection.execute(select(*table.c).where(or_(*conditions))).mappings()]
    return {_key(table, row): row for row in current_rows}


def _key(table: Table, row: RowValues) -> str:
    return "/".join(str(row.get(column.name, "")) for column in table.primary_key.columns)


def _owner(table: Table, row: RowValues) -> str | None:
    if table.name == "enterprise":
        return row.get("id")
    return next((row[name] for name in _OWNERS if row.get(name)), None)
