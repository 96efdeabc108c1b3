"""Records what a transaction changed, in that transaction, with one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Table, insert
from sqlalchemy.engine import Connection

from ..base.acting import Acting, current_actor
from ..base.errors import PluginError
from ..base.logs import request_id
from ..base.reading import secret_names
from ..hooks.dispatcher import Hooks
from ..storage.database.change_capture import RowChange, RowValues
from ..storage.database.marks import holds_plugin_settings, is_on_behalf
from .tables import audit_entry


class TrailWriter:
    """Writes the instance's audit trail. It knows who acts, and which settings of plugins are secret."""

    def __init__(self, hooks: Hooks) -> None:
        self._hooks = hooks

    def wants(self, table: Table) -> bool:
        """Tells whether changes of the table are recorded; for `ON_BEHALF` tables only those for an enterprise or from
        the shell."""
        if not is_on_behalf(table):
            return True
        actor = current_actor()
        return actor.enterprise_id is not None or actor.kind == "shell"

    def secrets_in(self, table: Table, row: RowValues) -> frozenset[str]:
        """Returns the names of secret settings in the row; all settings of a plugin that is not loaded."""
        if not holds_plugin_settings(table):
            return frozenset()
        try:
            return secret_names(self._hooks.settings_class(row["plugin"]))
        except PluginError:
            return frozenset(row["settings"])

    def author(self) -> Acting:
        return current_actor()

    def write(
        self, connection: Connection, changes: Sequence[RowChange], new_id: Callable[[], str], now: datetime
    ) -> None:
        current_request = request_id()
        rows = [{**_row(change), "id": new_id(), "at": now, "request_id": current_request} for change in changes]
        connection.execute(insert(audit_entry), rows)


def _row(change: RowChange) -> dict[str, object]:
    author = change.author
    return {
        "actor": author.kind,
        "person_id": author.person_id,
        "token_id": author.token_id,
        "client": author.client,
        "command": author.command,
        "enterprise_id": change.enterprise_id or author.enterprise_id,
        "action": change.action,
        "object_kind": change.object_kind,
        "object_id": change.object_id,
        "rows": change.rows,
        "fields": dict(change.fields),
    }
