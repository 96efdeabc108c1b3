"""Spares the tests work that each of them would do again, and that is about half of the suite's: compiling statements,
hashing passwords at full cost, and garbage collection over everything that is imported.

Processes that a test starts do all of it as in production. A test of hashes asks for the fixture `costly_hashes`.
"""

from __future__ import annotations

from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache

from commensal.storage.database import store
from commensal.storage.database.engine import make_engine
from commensal.trade.people import passwords

COSTLY = passwords._HASHER
_dialects: dict[str, Dialect] = {}
_compiled = LRUCache[Any, Any](5_000)


def share_compiled_statements() -> None:
    """Makes the stores of all tests share one dialect and its compiled statements for each kind of database."""
    vars(store)["make_engine"] = _sharing_engine


def _sharing_engine(url: str) -> Engine:
    engine = make_engine(url)
    shared = _dialects.setdefault(engine.dialect.name, engine.dialect)
    if shared.server_version_info is not None:  # it has asked the server, so it can stand for others
        engine.dialect = shared
        engine.update_execution_options(compiled_cache=_compiled)
    return engine


def hash_passwords_cheaply() -> None:
    """Hashes in a hundredth of the time: tests are about who may log in, not about what guessing costs."""
    vars(passwords)["_HASHER"] = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
