"""Spares the tests work that each of them would do again, and that is more than half of the suite's: compiling
statements, templates and paths, describing types, hashing passwords at full cost, and garbage collection over
everything that is imported.

Processes that a test starts do all of it as in production. A test of hashes asks for the fixture `costly_hashes`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from types import CodeType, ModuleType
from typing import Any, cast

import jinja2
from argon2 import PasswordHasher
from sqlalchemy import Engine
from sqlalchemy.engine import Dialect
from sqlalchemy.util import LRUCache
from starlette import routing

from commensal.api.endpoint import Endpoint
from commensal.parts.serving import app
from commensal.people import passwords
from commensal.storage.database import store
from commensal.storage.database.engine import make_engine

COSTLY = passwords._HASHER
_dialects: dict[str, Dialect] = {}
_compiled = LRUCache[Any, Any](5_000)


def share_compiled_statements() -> None:
    """Makes the stores of all tests share one dialect and its compiled statements for each kind of database."""
    vars(store)["make_engine"] = _sharing_engine


def _sharing_engine(url: str, *, pooled: bool = False) -> Engine:
    engine = make_engine(url, pooled=pooled)
    shared = _dialects.setdefault(engine.dialect.name, engine.dialect)
    if shared.server_version_info is not None:  # it has asked the server, so it can stand for others
        engine.dialect = shared
        engine.update_execution_options(compiled_cache=_compiled)
    return engine


class _CompiledTemplates(jinja2.BytecodeCache):
    """The templates of all instances of this process, by their file and source."""

    def __init__(self) -> None:
        self._code: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        bucket.code = self._code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: jinja2.bccache.Bucket) -> None:
        self._code[bucket.key, bucket.checksum] = bucket.code


_compiled_templates = _CompiledTemplates()


class _SharingEnvironment(jinja2.Environment):
    def __init__(self, **options: Any) -> None:
        super().__init__(bytecode_cache=_compiled_templates, **options)


def share_compiled_templates() -> None:
    """Makes the templates of all instances share what is compiled. An instance searches its own folder first, so each
    has an environment of its own."""
    vars(jinja2)["Environment"] = _SharingEnvironment


def share_compiled_paths() -> None:
    """Makes the applications of all instances share the patterns of their 800 paths: half of what making one costs."""
    vars(routing)["compile_path"] = cache(routing.compile_path)


def share_described_types() -> None:
    """Makes all instances share that the types of a plugin's endpoints can be described: a third of what an application
    costs. Endpoints that a test makes itself are tried anew, since its functions are."""
    vars(app)["_error_of_describing"] = _error_of_describing


def _error_of_describing(endpoints: Sequence[Endpoint]) -> Exception | None:
    return _describe_once(tuple(endpoints))


_describe_once = cache(app._error_of_describing)


def leave_out_slow_formats() -> None:
    """Keeps jsonschema from compiling 38 grammars of international addresses, a second and a half in each process."""
    sys.modules["rfc3987_syntax"] = cast(ModuleType, None)  # importing it raises ImportError, as where it is missing


def hash_passwords_cheaply() -> None:
    """Hashes in a hundredth of the time: tests are about who may log in, not about what guessing costs."""
    vars(passwords)["_HASHER"] = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
