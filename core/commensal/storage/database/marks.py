"""Marks of tables and columns, for the audit trail, for the erasure of personal data, and for a clock that was wrong.

    Column("email", Text, nullable=False, info=PERSONAL)
    Table("cart_line", metadata, …, info=untraced("what lies in a cart is a wish"))

A table without marks is traced with all its columns, so that nothing new is left out by oversight.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Column, Table

# Personal data: it identifies somebody, or was written by or about them. Never copied into the audit trail; blanked
# when the person is forgotten.
PERSONAL: dict[str, object] = {"personal": True}

# A credential. Never copied anywhere.
SECRET: dict[str, object] = {"secret": True}

# Follows from other columns or from a journal, where its changes are recorded.
DERIVED: dict[str, object] = {"derived": True}

# Only changes on behalf of an enterprise, or from the shell, are traced. Customers' own changes are none of an audit
# trail's business, and must cost them no statement.
ON_BEHALF: dict[str, object] = {"on_behalf": True}

# Rows hold settings of the plugin that their column `plugin` names; some of them are secret.
PLUGIN_SETTINGS: dict[str, object] = {"plugin_settings": True}


def untraced(reason: str) -> dict[str, object]:
    """Marks a table whose changes are not traced; `reason` says why, in a sentence."""
    return {"untraced": reason}


def at_most_ahead(longest: timedelta) -> dict[str, object]:
    """Marks a moment, such as that of the next try, that is never written further ahead of the clock than `longest`.

    One that lies further ahead was written by a clock that was wrong: see `jobs.bringing_forward`.
    """
    return {"at_most_ahead": longest}


def most_ahead(column: Column[object]) -> timedelta | None:
    """The longest time that the column's moments may lie ahead of the clock; None: any."""
    longest = column.info.get("at_most_ahead")
    return longest if isinstance(longest, timedelta) else None


def is_personal(column: Column[object]) -> bool:
    return bool(column.info.get("personal"))


def is_hidden(column: Column[object]) -> bool:
    """Whether an audit trail notes only that the column changed, and not its values."""
    return is_personal(column) or bool(column.info.get("secret"))


def is_derived(column: Column[object]) -> bool:
    return bool(column.info.get("derived")) or column.name in ("version", "search")


def why_untraced(table: Table) -> str:
    return str(table.info.get("untraced", ""))


def is_on_behalf(table: Table) -> bool:
    return bool(table.info.get("on_behalf"))


def holds_plugin_settings(table: Table) -> bool:
    return bool(table.info.get("plugin_settings"))
