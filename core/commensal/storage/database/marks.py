"""What tables and columns say of themselves, for whoever writes down changes and whoever forgets people.

    Column("email", Text, nullable=False, info=PERSONAL)
    Table("cart_line", metadata, …, info=untraced("what lies in a cart is a wish"))

A table that says nothing is traced, and every column of it shown: what is new is never left out by oversight.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Table

# Tells who somebody is, or was written by or about them. Never copied into the audit trail; blanked when the person is
# forgotten.
PERSONAL: dict[str, Any] = {"personal": True}

# Opens something. Never copied anywhere.
SECRET: dict[str, Any] = {"secret": True}

# Follows from other columns or from a journal, so that its changes are told there.
DERIVED: dict[str, Any] = {"derived": True}

# Customers' own doings in this table are no business of an audit trail, and must cost them no statement. What is done
# for an enterprise, or from the shell, is traced.
ON_BEHALF: dict[str, Any] = {"on_behalf": True}


def untraced(reason: str) -> dict[str, Any]:
    """Changes of this table leave no trace, for a reason that is worth a sentence."""
    return {"untraced": reason}


def is_personal(column: Column[Any]) -> bool:
    return bool(column.info.get("personal"))


def is_hidden(column: Column[Any]) -> bool:
    """Whether a trail says only that it changed."""
    return is_personal(column) or bool(column.info.get("secret"))


def is_derived(column: Column[Any]) -> bool:
    return bool(column.info.get("derived")) or column.name in ("version", "search")


def why_untraced(table: Table) -> str:
    return str(table.info.get("untraced", ""))


def is_on_behalf(table: Table) -> bool:
    return bool(table.info.get("on_behalf"))
