"""An instance's database: engine, transactions, column types, migrations."""

from .change_capture import MAX_DETAILED_ROWS
from .counting import lock_names
from .errors import insert_on, insert_once, insert_or, refuse_conflict
from .marks import DERIVED, ON_BEHALF, PERSONAL, SECRET, append_only, at_most_ahead, untraced
from .rows import as_json, edit_row, insert_rows, parameter_rows
from .state_mark import Mark
from .statement_cache import Row, RowQuery
from .store import Store
from .transaction import Transaction
from .types import Exact, Flag, Json, Time, Whole, checked_in, local_day, metadata, only_where

__all__ = [
    "DERIVED",
    "MAX_DETAILED_ROWS",
    "ON_BEHALF",
    "PERSONAL",
    "SECRET",
    "Exact",
    "Flag",
    "Json",
    "Mark",
    "Row",
    "RowQuery",
    "Store",
    "Time",
    "Transaction",
    "Whole",
    "append_only",
    "as_json",
    "at_most_ahead",
    "checked_in",
    "edit_row",
    "insert_on",
    "insert_once",
    "insert_or",
    "insert_rows",
    "local_day",
    "lock_names",
    "metadata",
    "only_where",
    "parameter_rows",
    "refuse_conflict",
    "untraced",
]
