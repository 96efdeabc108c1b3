"""Where an instance keeps what it knows: engine, transactions, column types, migrations."""

from .append_only import append_only
from .conflict import insert_on, insert_once, insert_or, refusing
from .days import local_day
from .editing import edit_row
from .rows import insert_rows
from .store import Store
from .transaction import Transaction
from .types import Exact, Flag, Json, Time, Whole, checked_in, metadata

__all__ = [
    "Exact",
    "Flag",
    "Json",
    "Store",
    "Time",
    "Transaction",
    "Whole",
    "append_only",
    "checked_in",
    "edit_row",
    "insert_on",
    "insert_once",
    "insert_or",
    "insert_rows",
    "local_day",
    "metadata",
    "refusing",
]
