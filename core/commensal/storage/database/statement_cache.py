"""Sends constant statements straight to the driver, with everything that SQLAlchemy derives from them cached.

The text of a constant statement, the order of its parameters and the converters of its values never change. SQLAlchemy
looks each of them up at every execution, which takes longer than SQLite takes to answer; here they are computed once,
and cached as long as the statement object exists. A statement object that is executed a third time counts as constant.

Statements with anything special (defaults computed in Python, execution options, columns of equal names) are left to
SQLAlchemy, as are invalid transactions and parameters. Listeners see every statement, and errors are SQLAlchemy's.
With COMMENSAL_STATEMENT_CACHE=off in the environment, SQLAlchemy executes every statement: it shows where a fault is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ColumnElement, Executable, Numeric, Select, String, Text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import ReturnsRows
from sqlalchemy.types import TupleType

Row = dict[str, Any]  # by the names of its columns
RowQuery = Select[*tuple[object, ...]]  # of any columns: they are read by their names, not by their positions
Processor = Callable[[Any], Any]
_Shape = tuple[object, ...]
Made = TypeVar("Made")
TypedRow = TypeVar("TypedRow", bound=NamedTuple)  # its fields are the columns of a statement, in the same order

ENABLED = os.environ.get("COMMENSAL_STATEMENT_CACHE") != "off"
OFTEN = 3  # executions that make a constant: caching a statement that is built for one loop would not pay
_MAX_CACHED_VALUES = 2_000  # of `Constant.each`, for one statement and one function
_WORD = re.compile(r"[A-Za-z][A-Za-z_ ]{0,40}")
_LISTS = (list, tuple)
_MAX_SHAPES = 64  # of one statement: parameters may be lists of any length


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter of the text: `read` returns its value from the parameters of the statement."""

    read: Callable[[Mapping[str, object]], object]
    process: Processor | None = None


@dataclass(slots=True)
class Constant:
    """A compiled statement for one kind of database and one shape of parameters.

    `readers` return the values of its parameters, which `conversions` convert for the driver, by their positions.
    `keys` are the names of these values for a driver that takes them by name. `processes` convert returned columns, by
    their positions; `columns` are known after the first execution. `makers` are the caching functions of `each`.
    """

    text: str
    readers: tuple[Callable[[Mapping[str, object]], object], ...]
    conversions: tuple[tuple[int, Processor], ...]
    keys: tuple[str, ...] | None
    processes: tuple[tuple[int, Processor], ...]
    columns: tuple[str, ...] = ()
    makers: dict[Any, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)

    def rows(self, connection: Connection, parameters: Mapping[str, object], *, limit: int | None = None) -> list[Row]:
        """All rows, or the first `limit`."""
        return [self._row(values) for values in self._fetch(connection, parameters, limit)]

    def typed_rows(
        self, connection: Connection, parameters: Mapping[str, object], shape: type[TypedRow], limit: int | None
    ) -> list[TypedRow]:
        """All rows, or the first `limit`, each as a `shape`."""
        fetched = self._fetch(connection, parameters, limit)
        refuse_other_columns(shape, self.columns)
        if not self.processes:
            return [shape._make(values) for values in fetched]
        return [shape._make(self._processed(values)) for values in fetched]

    def each(self, connection: Connection, parameters: Mapping[str, object], make: Callable[[Row], Made]) -> list[Made]:
        """`make` of each row; it is called once for rows that the driver returns as equal, if all fit the cache."""
        fetched = self._fetch(connection, parameters, None)
        if len(fetched) > _MAX_CACHED_VALUES:  # read in turn, each would push out the next
            return [make(self._row(values)) for values in fetched]
        cached_make = self.makers.get(make)
        if cached_make is None:
            cached_make = self.makers[make] = lru_cache(_MAX_CACHED_VALUES)(lambda values: make(self._row(values)))
        return [cached_make(values) for values in fetched]

    def _row(self, values: tuple[object, ...]) -> Row:
        row = dict(zip(self.columns, values, strict=True))
        for position, process in self.processes:
            row[self.columns[position]] = process(values[position])
        return row

    def _processed(self, values: tuple[object, ...]) -> list[object]:
        processed = list(values)
        for position, process in self.processes:
            processed[position] = process(values[position])
        return processed

    def _fetch(
        self, connection: Connection, parameters: Mapping[str, object], limit: int | None
    ) -> list[tuple[object, ...]]:
        return self._fetch_from(connection, self._execute(connection, parameters), limit)

    def _fetch_from(self, connection: Connection, cursor: Any, limit: int | None) -> list[tuple[object, ...]]:
        try:
            rows: list[tuple[object, ...]] = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
        except Exception as error:  # SQLite still computes rows while they are fetched
            raise_database_error(connection, self.text, error, cursor)
        if not self.columns:
            self.columns = tuple([description[0] for description in cursor.description])
        cursor.close()
        return rows

    def count(self, connection: Connection, parameters: Mapping[str, object]) -> int:
        """Executes the statement and returns the number of changed rows."""
        cursor = self._execute(connection, parameters)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def later(self, connection: Connection, parameters: Mapping[str, object]) -> None:
        """Executes it without waiting for the answer: it is sent to PostgreSQL with the next statement."""
        self._execute(connection, parameters, wait=connection.dialect.name != "postgresql")

    def ask(self, connection: Connection, parameters: Mapping[str, object]) -> Any:
        """As `later`, on PostgreSQL. Returns the cursor that gets the answer; its `pgresult` is None until then."""
        return self._execute(connection, parameters, wait=False)

    def first_row(self, connection: Connection, cursor: Any) -> Row | None:
        """The first row of the answer that the cursor of `ask` got."""
        return next((self._row(values) for values in self._fetch_from(connection, cursor, 1)), None)

    def _execute(self, connection: Connection, parameters: Mapping[str, object], *, wait: bool = True) -> Any:
        cursor, text = connection.connection.cursor(), self.text
        try:
            values = [read(parameters) for read in self.readers]
            for position, convert in self.conversions:
                values[position] = convert(values[position])
            driver_parameters: Any = tuple(values)
            if self.keys is not None:
                driver_parameters = dict(zip(self.keys, values, strict=True))
            for listener in connection.engine.dispatch.before_cursor_execute:
                text, driver_parameters = listener(connection, cursor, text, driver_parameters, None, False)
            if wait:
                cursor.execute(text, driver_parameters)
            else:
                cursor.connection.defer(text, driver_parameters, cursor)
        except Exception as error:  # a value of the wrong type is an error of the statement, as in SQLAlchemy
            raise_database_error(connection, self.text, error, cursor)
        for listener in connection.engine.dispatch.after_cursor_execute:
            listener(connection, cursor, text, driver_parameters, None, False)
        return cursor


def refuse_other_columns(shape: type[NamedTuple], columns: tuple[str, ...]) -> None:
    """Raises `TypeError` if a statement returns other columns than `shape` has fields, or in another order."""
    if columns != shape._fields:
        raise TypeError(f"{shape.__name__} has the fields {shape._fields}, but the statement returns {columns}")


def execute_each(connection: Connection, text: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Executes `text`, in the driver's own syntax, once for each row of parameters."""
    cursor = connection.connection.cursor()
    try:
        driver_rows: Any = rows
        for listener in connection.engine.dispatch.before_cursor_execute:
            text, driver_rows = listener(connection, cursor, text, driver_rows, None, True)
        cursor.executemany(text, driver_rows)
    except Exception as error:
        raise_database_error(connection, text, error, cursor)
    for listener in connection.engine.dispatch.after_cursor_execute:
        listener(connection, cursor, text, rows, None, True)
    cursor.close()


def name_statement(error: Exception, text: str) -> None:
    """Notes on an error of the driver which statement has failed, if others were sent with it."""
    vars(error)["failed_statement"] = text


def failed_statement(error: BaseException, executed: str | None) -> str | None:
    """The text of the statement that has failed: the noted one, or the one that was executed."""
    return getattr(error, "failed_statement", executed)


def raise_database_error(connection: Connection, text: str, error: Exception, cursor: Any = None) -> NoReturn:
    """Raises SQLAlchemy's error for the driver's `error`. It names the statement that has failed: `text`, or
    an earlier one that was sent with it."""
    text = failed_statement(error, text) or text
    dialect, driver_error = connection.dialect, connection.dialect.loaded_dbapi.Error
    is_disconnected = isinstance(error, driver_error) and dialect.is_disconnect(error, connection.connection, cursor)
    database_error = DBAPIError.instance(
        text, (), error, driver_error, hide_parameters=True, connection_invalidated=is_disconnected, dialect=dialect
    )
    if is_disconnected:
        connection.invalidate(error)
    elif cursor is not None:
        cursor.close()
    raise database_error from error


class _Usage:
    """How often one statement was executed, and its constants by the shape of their parameters."""

    def __init__(self) -> None:
        self.count = 0
        self.shapes: dict[_Shape, Constant | None] = {}


_usages: WeakKeyDictionary[Executable, _Usage] = WeakKeyDictionary()


def constant(
    connection: Connection, statement: Executable, parameters: Mapping[str, object], *, often: int = OFTEN
) -> Constant | None:
    """The statement as a constant; None if it was not executed often enough, or must be left to SQLAlchemy."""
    if not ENABLED:
        return None
    usage = _usages.get(statement)
    if usage is None:
        usage = _usages[statement] = _Usage()
    usage.count += 1
    if usage.count < often:
        return None
    lists = [len(value) if isinstance(value, _LISTS) else -1 for value in parameters.values()]
    shape = (connection.dialect.name, *parameters, *lists)
    if shape not in usage.shapes:
        if len(usage.shapes) == _MAX_SHAPES:
            return None
        usage.shapes[shape] = _build_constant(connection.dialect, statement, parameters)
    return usage.shapes[shape]


def _build_constant(dialect: Dialect, statement: Executable, parameters: Mapping[str, object]) -> Constant | None:
    if not isinstance(statement, ReturnsRows) or statement.get_execution_options():
        return None
    compiled = _compile(statement, dialect, parameters)
    columns = list(statement.exported_columns)
    if _is_special(compiled, columns, parameters):
        return None
    expanded = compiled.construct_expanded_state(dict(parameters), escape_names=False)
    values = dict(_parameters(compiled, expanded.parameter_expansion, parameters, dialect))
    order = list(expanded.parameters) if expanded.positiontup is None else expanded.positiontup
    conversions = [(position, values[name].process) for position, name in enumerate(order)]
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return Constant(
        text=expanded.statement,
        readers=tuple(values[name].read for name in order),
        conversions=tuple((position, process) for position, process in conversions if process is not None),
        keys=tuple(order) if expanded.positiontup is None else None,
        processes=tuple((position, processor) for position, processor in enumerate(results) if processor is not None),
    )


class _CompilerWithWords(SQLCompiler):
    """Writes words that belong to the statement, such as states, into its text.

    As parameters they would be slow: where a partial index may serve (``WHERE state = 'Due'``), SQLite plans the
    statement anew at every execution, since the value decides, and PostgreSQL's general plan cannot use the index.
    """

    def __init__(self, *arguments: Any, varying: frozenset[str], **options: Any) -> None:
        self._varying = varying  # names of parameters
        super().__init__(*arguments, **options)

    def visit_bindparam(self, bindparam: BindParameter[object], *arguments: object, **options: object) -> object:
        if bindparam.key not in self._varying and _is_word(bindparam):
            options["literal_binds"] = True
        return super().visit_bindparam(bindparam, *arguments, **options)  # type: ignore[no-untyped-call]


_compilers: dict[str, type[_CompilerWithWords]] = {}  # by the names of dialects


def _compile(statement: Executable, dialect: Dialect, parameters: Mapping[str, object]) -> SQLCompiler:
    if dialect.name not in _compilers:
        _compilers[dialect.name] = type("CompilerWithWords", (_CompilerWithWords, dialect.statement_compiler), {})
    compiler = _compilers[dialect.name]
    return compiler(dialect, statement, column_keys=list(parameters) or None, varying=frozenset(parameters))


def _is_word(bind: BindParameter[object]) -> bool:
    """Whether its value is a word, or a list of words: nothing that could end a literal of SQL."""
    if bind.callable is not None or bind.required or type(bind.type) not in (Text, String):
        return False
    values = bind.value if isinstance(bind.value, list | tuple) else [bind.value]
    return bool(values) and all(isinstance(value, str) and _WORD.fullmatch(value) for value in values)


def _is_special(
    compiled: SQLCompiler, columns: Sequence[ColumnElement[object]], parameters: Mapping[str, object]
) -> bool:
    """Whether SQLAlchemy does more for the statement than to send it."""
    if compiled.insert_prefetch or compiled.update_prefetch:
        return True
    if len({column.key for column in columns}) < len(columns) or compiled.escaped_bind_names:
        return True
    if any(isinstance(column.type.dialect_impl(compiled.dialect), Numeric) for column in columns):
        return True  # the conversion of numbers depends on the type that the database returns
    if any(bind.key in parameters for bind in compiled.literal_execute_params):
        return True
    return any(_is_special_bind(bind, parameters) for bind in compiled.bind_names)


def _is_special_bind(bind: BindParameter[object], parameters: Mapping[str, object]) -> bool:
    if bind.callable is not None or (bind.required and bind.key not in parameters):
        return True
    value = parameters.get(bind.key, bind.value)
    return bind.expanding and (not isinstance(value, list | tuple) or isinstance(bind.type, TupleType))


def _parameters(
    compiled: SQLCompiler, lists: Mapping[str, list[str]], parameters: Mapping[str, object], dialect: Dialect
) -> Iterator[tuple[str, _Parameter]]:
    """The parameters of the text by their names; a list has one for each of its items."""
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        given_name = bind.key if bind.key in parameters else None
        for position, parameter in enumerate(lists[name]) if name in lists else [(None, name)]:
            if given_name is not None:
                yield parameter, _Parameter(_reader(given_name, position), process)
            else:
                fixed: Any = bind.value
                if position is not None:
                    fixed = fixed[position]
                yield parameter, _Parameter(_reader_of_fixed(fixed if process is None else process(fixed)))


def _reader(name: str, position: int | None) -> Callable[[Mapping[str, Any]], object]:
    return itemgetter(name) if position is None else lambda parameters: parameters[name][position]


def _reader_of_fixed(value: object) -> Callable[[Mapping[str, object]], object]:
    return lambda parameters: value
