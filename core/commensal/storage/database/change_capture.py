"""What a transaction changes, row by row, seen where every statement passes.

No command has to remember it. Rows are read before they are changed or deleted, and again after a change, because the
databases know no common way to tell both; so tables that are hot are marked (`marks.py`) and not followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Insert, Table, Update, and_, or_, select
from sqlalchemy.engine import Connection
from sqlalchemy.sql.dml import UpdateBase

from .marks import is_derived, is_hidden, why_untraced

MOST = 20  # rows of one statement that are told one by one
HIDDEN = "***"
_LONGEST = 200  # characters of a text
_OWNERS = ("enterprise_id", "grantor_id", "coordinator_id")

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that happened to one object. `fields` maps what changed to [before, after].

    `author` is who did it, in the auditor's own terms. `rows` is how many it stands for, where one statement changed
    too many to tell them one by one: then there is no `object_id`.
    """

    author: Any

    action: str
    object_kind: str
    object_id: str = ""
    enterprise_id: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    rows: int = 1


class Auditor(Protocol):
    """Who wants to know. It decides which tables, and writes down what it was told before the commit."""

    def wants(self, table: Table) -> bool: ...

    def secrets_in(self, table: Table, row: Row) -> frozenset[str]:
        """Members of the row's documents that must not be shown."""

    def author(self) -> Any:
        """Who acts at this moment. One transaction may do the work of several, as where it handles messages."""

    def write(self, connection: Connection, changes: Sequence[Change], new_id: Any, now: datetime) -> None: ...


class Trail:
    """Collects the changes of one transaction."""

    def __init__(self, auditor: Auditor) -> None:
        self.changes: list[Change] = []
        self._auditor = auditor

    def follows(self, statement: UpdateBase) -> bool:
        """Whether its changes are noted row by row."""
        table = getattr(statement, "table", None)
        return isinstance(table, Table) and self._wants(table)

    def follow(self, connection: Connection, statement: UpdateBase, parameters: Parameters) -> CursorResult[Any]:
        """Executes a statement that writes, and notes what it did."""
        table = getattr(statement, "table", None)
        if not isinstance(table, Table) or not self.follows(statement):
            return connection.execute(statement, parameters)
        if isinstance(statement, Insert):
            return self._inserting(connection, table, statement, parameters)
        if isinstance(statement, Update | Delete):
            return self._changing(connection, table, statement, parameters)
        return connection.execute(statement, parameters)

    def add(
        self,
        action: str,
        object_kind: str,
        object_id: str = "",
        *,
        enterprise_id: str | None = None,
        fields: Mapping[str, Any] | None = None,
        rows: int = 1,
    ) -> None:
        """Notes a change, and who acts now."""
        change = Change(
            author=self._auditor.author(),
            action=action,
            object_kind=object_kind,
            object_id=object_id,
            enterprise_id=enterprise_id,
            fields=fields or {},
            rows=rows,
        )
        self.changes.append(change)

    def inserted(self, table: Table, rows: Sequence[Row]) -> None:
        """Rows that were inserted by a statement of another kind."""
        if not rows or not self._wants(table):
            return
        if len(rows) > MOST:
            self.add("made", table.name, enterprise_id=_owner(table, rows[0]), rows=len(rows))
            return
        for row in rows:
            self._note("made", table, {}, row)

    def _wants(self, table: Table) -> bool:
        return not why_untraced(table) and self._auditor.wants(table)

    def _inserting(
        self, connection: Connection, table: Table, statement: Insert, parameters: Parameters
    ) -> CursorResult[Any]:
        given = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
        rows = _values(connection, table, statement, given)
        before = _in_the_way(connection, table, statement, rows[0])
        result, count = _counted(connection.execute(statement, parameters))
        if before and count:
            after = _again(connection, table, [before])
            self._note("changed", table, before, after.get(_key(table, before), {}))
        elif count:
            self.inserted(table, rows if len(rows) > 1 or count == 1 else rows * count)
        return result

    def _changing(
        self, connection: Connection, table: Table, statement: Update | Delete, parameters: Parameters
    ) -> CursorResult[Any]:
        before = _meant(connection, table, statement, parameters)
        result, count = _counted(connection.execute(statement, parameters))
        action = "changed" if isinstance(statement, Update) else "removed"
        if not before or not count:
            return result
        if len(before) > MOST:
            self.add(action, table.name, enterprise_id=_owner(table, before[0]), rows=count)
            return result
        after = _again(connection, table, before) if action == "changed" else {}
        for row in before:
            if action == "removed" or _key(table, row) in after:
                self._note(action, table, row, after.get(_key(table, row), {}))
        return result

    def _note(self, action: str, table: Table, before: Row, after: Row) -> None:
        fields = dict(self._differences(table, before, after))
        if action == "changed" and not fields:
            return
        row = after or before
        self.add(action, table.name, _key(table, row), enterprise_id=_owner(table, row), fields=fields)

    def _differences(self, table: Table, before: Row, after: Row) -> Iterator[tuple[str, list[Any]]]:
        for column in table.c:
            old, new = before.get(column.name), after.get(column.name)
            if old == new or is_derived(column) or (column.primary_key and not (before and after)):
                continue
            if is_hidden(column):
                yield column.name, [_veiled(old), _veiled(new)]
            elif isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
                secret = self._auditor.secrets_in(table, after or before)
                yield from _members(column.name, old or {}, new or {}, secret)
            else:
                yield column.name, [_shown(old), _shown(new)]


def _members(name: str, old: Row, new: Row, secret: frozenset[str]) -> Iterator[tuple[str, list[Any]]]:
    """A document is told member by member."""
    for member in sorted({*old, *new}):
        pair = old.get(member), new.get(member)
        if pair[0] != pair[1]:
            yield f"{name}.{member}", [(_veiled if member in secret else _shown)(one) for one in pair]


def _veiled(value: Any) -> Any:
    return HIDDEN if value else None


def _shown(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
    return value


def _counted(result: CursorResult[Any]) -> tuple[CursorResult[Any], int]:
    """The result, and how many rows it is about. What is returned can be read once, so it is read and given again."""
    if not result.returns_rows:
        return result, result.rowcount
    frozen = result.freeze()
    return cast(CursorResult[Any], frozen()), len(frozen.data)


def _values(connection: Connection, table: Table, statement: Insert, given: Sequence[Row]) -> list[Row]:
    """The values of new rows that Python knows; what only the database knows is left out."""
    same = statement.compile(dialect=connection.dialect).params
    columns = [column.name for column in table.c]
    rows = ({**same, **one} for one in given)
    return [{name: known[name] for name in columns if name in known} for known in rows]


def _in_the_way(connection: Connection, table: Table, statement: Insert, new: Row) -> dict[str, Any] | None:
    """The row that an INSERT … ON CONFLICT DO UPDATE will change instead; None where it will insert."""
    clause = getattr(statement, "_post_values_clause", None)
    targets = getattr(clause, "inferred_target_elements", None)
    if not targets or not hasattr(clause, "update_values_to_set"):
        return None
    names = [one if isinstance(one, str) else one.name for one in targets]
    found = select(*table.c).where(*(table.c[name] == new.get(name) for name in names))
    partial = getattr(clause, "inferred_target_whereclause", None)
    row = connection.execute(found if partial is None else found.where(partial)).mappings().first()
    return dict(row) if row is not None else None


def _meant(
    connection: Connection, table: Table, statement: Update | Delete, parameters: Parameters
) -> list[dict[str, Any]]:
    """The rows that the statement will change, as they are; of very many only enough to see that they are many."""
    rows = select(*table.c)
    if statement.whereclause is not None:
        rows = rows.where(statement.whereclause)
    each = [parameters] if isinstance(parameters, Mapping) else parameters or [{}]
    found: list[dict[str, Any]] = []
    for one in each:
        found += [dict(row) for row in connection.execute(rows.limit(MOST + 1), one).mappings()]
        if len(found) > MOST:
            break
    return found


def _again(connection: Connection, table: Table, rows: Sequence[Row]) -> dict[str, Row]:
    keys = table.primary_key.columns
    same: list[ColumnElement[bool]] = [and_(*(key == row[key.name] for key in keys)) for row in rows]
    found = [dict(row) for row in connection.execute(select(*table.c).where(or_(*same))).mappings()]
    return {_key(table, row): row for row in found}


def _key(table: Table, row: Row) -> str:
    return "/".join(str(row.get(one.name, "")) for one in table.primary_key.columns)


def _owner(table: Table, row: Row) -> str | None:
    if table.name == "enterprise":
        return row.get("id")
    return next((row[one] for one in _OWNERS if row.get(one)), None)
