"""Draws the core's tables by room, as Mermaid, which forges render: `core/TABLES.md`."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from sqlalchemy import Table

from commensal.schema import ROOMS

# Most tables have rows of one of these. An arrow from each to them would hide all others.
OWNERS = ("enterprise", "person")
HEAD = """# Tables

The {tables} tables of the core by room. An arrow goes from a row to the row that it belongs to or names. Arrows to
`enterprise` and `person` are left out: {owned} tables have one. What a column means stands in the `tables.py` of the
room, or in the file that is its room. Plugins have tables of their own, named after the plugin, with arrows to these
and none back.

`make generated` writes this page from the code.

```mermaid
flowchart LR
"""


def tables_page() -> str:
    tables = [table for room in ROOMS for table in _tables_of(room)]
    owned = [table for table in tables if any(key.column.table.name in OWNERS for key in table.foreign_keys)]
    return HEAD.format(tables=len(tables), owned=len(owned)) + "\n".join(_lines()) + "\n```\n"


def _lines() -> Iterator[str]:
    for room in ROOMS:
        path = room.__name__.removeprefix("commensal.").removesuffix(".tables")
        yield f'  subgraph {path.replace(".", "_")}["{path.replace(".", "/")}"]'
        yield from (f"    {table.name}" for table in _tables_of(room))
        yield "  end"
    arrows = {
        (table.name, key.column.table.name)
        for room in ROOMS
        for table in _tables_of(room)
        for key in table.foreign_keys
        if key.column.table.name not in OWNERS and key.column.table is not table
    }
    yield from (f"  {table} --> {other}" for table, other in sorted(arrows))


def _tables_of(room: ModuleType) -> list[Table]:
    return [value for value in vars(room).values() if isinstance(value, Table)]
