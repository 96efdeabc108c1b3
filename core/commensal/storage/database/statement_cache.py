"""Statements that are constants go to the driver without SQLAlchemy working out anew what it found the last time.

For a constant, the text, the order of its parameters, and what turns values into the driver's and back, are always the
same. SQLAlchemy asks its caches for each of them at every execution, which takes longer than SQLite takes to answer;
here they are worked out once, and kept as long as the statement itself. Nobody has to say which statements are
constants: it is those that come a third time.

Nothing else is done here. A statement with anything special (defaults that Python makes, options, columns of equal
names) is left to SQLAlchemy, and so is whatever is wrong with a transaction or its parameters. Listeners see every
statement, and errors are SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NoReturn, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import BindParameter, ColumnElement, Executable, Numeric
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import ReturnsRows
from sqlalchemy.types import TupleType

Row = dict[str, Any]  # by the names of its columns
Process = Callable[[Any], Any]
_Shape = tuple[object, ...]
Made = TypeVar("Made")

OFTEN = 3  # comings that make a constant: compiling what is built for one loop would cost more than it brings
_MOST_MADE = 2_000  # things that are remembered of one statement
_MOST_SHAPES = 64  # of one statement, which may be asked for lists of any length


@dataclass(frozen=True, slots=True)
class _Value:
    """A parameter of the text: what is given by this name, or one of a list that is; without a name it is `fixed`."""

    name: str | None
    place: int | None = None
    process: Process | None = None
    fixed: Any = None

    def of(self, given: Mapping[str, Any]) -> Any:
        if self.name is None:
            return self.fixed
        value = given[self.name] if self.place is None else given[self.name][self.place]
        return value if self.process is None else self.process(value)


@dataclass(slots=True)
class Constant:
    """A statement for one kind of database and one shape of parameters.

    `keys` name the values for a driver that wants them by name. `processes` are those of the returned columns, by their
    places; what the columns are called, the first answer tells. `makers` remember what was made of rows.
    """

    text: str
    values: tuple[_Value, ...]
    keys: tuple[str, ...] | None
    processes: tuple[tuple[int, Process], ...]
    columns: tuple[str, ...] = ()
    makers: dict[Any, Callable[[tuple[Any, ...]], Any]] = field(default_factory=dict)

    def rows(self, connection: Connection, given: Mapping[str, Any], *, most: int | None = None) -> list[Row]:
        """All of them, or the first `most`."""
        return [self._row(one) for one in self._fetch(connection, given, most)]

    def each(self, connection: Connection, given: Mapping[str, Any], make: Callable[[Row], Made]) -> list[Made]:
        """What is made of each row, once for rows that are equal as the driver gives them."""
        once = self.makers.get(make)
        if once is None:
            once = self.makers[make] = lru_cache(_MOST_MADE)(lambda values: make(self._row(values)))
        return [once(one) for one in self._fetch(connection, given, None)]

    def _row(self, values: tuple[Any, ...]) -> Row:
        row = dict(zip(self.columns, values, strict=True))
        for place, process in self.processes:
            row[self.columns[place]] = process(values[place])
        return row

    def _fetch(self, connection: Connection, given: Mapping[str, Any], most: int | None) -> list[tuple[Any, ...]]:
        cursor = self._execute(connection, given)
        try:
            found: list[tuple[Any, ...]] = cursor.fetchall() if most is None else cursor.fetchmany(most)
        except Exception as error:  # SQLite goes on answering while rows are fetched
            fail(connection, self.text, error, cursor)
        if not self.columns:
            self.columns = tuple([one[0] for one in cursor.description])
        cursor.close()
        return found

    def count(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """How many rows it has changed."""
        cursor = self._execute(connection, given)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def later(self, connection: Connection, given: Mapping[str, Any]) -> None:
        """Executes it where nobody waits for the answer: PostgreSQL hears of it with the next statement."""
        self._execute(connection, given, waiting=connection.dialect.name != "postgresql").close()

    def _execute(self, connection: Connection, given: Mapping[str, Any], *, waiting: bool = True) -> Any:
        cursor, text = connection.connection.cursor(), self.text
        try:
            sent: Any = tuple([one.of(given) for one in self.values])
            if self.keys is not None:
                sent = dict(zip(self.keys, sent, strict=True))
            for told in connection.dispatch.before_cursor_execute:
                text, sent = told(connection, cursor, text, sent, None, False)
            if waiting:
                cursor.execute(text, sent)
            else:
                cursor.connection.later(text, sent)
        except Exception as error:  # what a value's type refuses is an error of the statement, as it is in SQLAlchemy
            fail(connection, self.text, error, cursor)
        for told in connection.dispatch.after_cursor_execute:
            told(connection, cursor, text, sent, None, False)
        return cursor


def execute_each(connection: Connection, text: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Runs a text of the driver's once for each row of its parameters."""
    cursor = connection.connection.cursor()
    try:
        sent: Any = rows
        for told in connection.dispatch.before_cursor_execute:
            text, sent = told(connection, cursor, text, sent, None, True)
        cursor.executemany(text, sent)
    except Exception as error:
        fail(connection, text, error, cursor)
    for told in connection.dispatch.after_cursor_execute:
        told(connection, cursor, text, rows, None, True)
    cursor.close()


def fail(connection: Connection, text: str, error: Exception, cursor: Any = None) -> NoReturn:
    """Raises the driver's error as SQLAlchemy's."""
    dialect, of_driver = connection.dialect, connection.dialect.loaded_dbapi.Error
    gone = isinstance(error, of_driver) and dialect.is_disconnect(error, connection.connection, cursor)
    said = DBAPIError.instance(
        text, (), error, of_driver, hide_parameters=True, connection_invalidated=gone, dialect=dialect
    )
    if gone:
        connection.invalidate(error)
    elif cursor is not None:
        cursor.close()
    raise said from error


class _Comings:
    """Of one statement: how often it came, and what was worked out for the shapes in which it is used."""

    def __init__(self) -> None:
        self.count = 0
        self.shapes: dict[_Shape, Constant | None] = {}


_known: WeakKeyDictionary[Executable, _Comings] = WeakKeyDictionary()


def constant(
    connection: Connection, statement: Executable, given: Mapping[str, Any], *, often: int = OFTEN
) -> Constant | None:
    """The statement as a constant; None where it has not come often enough, or is SQLAlchemy's business."""
    comings = _known.get(statement)
    if comings is None:
        comings = _known[statement] = _Comings()
    comings.count += 1
    if comings.count < often:
        return None
    lists = [len(value) if isinstance(value, list | tuple) else -1 for value in given.values()]
    shape = (connection.dialect.name, *given, *lists)
    if shape not in comings.shapes:
        if len(comings.shapes) == _MOST_SHAPES:
            return None
        comings.shapes[shape] = _worked_out(connection.dialect, statement, given)
    return comings.shapes[shape]


def _worked_out(dialect: Dialect, statement: Executable, given: Mapping[str, Any]) -> Constant | None:
    if not isinstance(statement, ReturnsRows) or statement.get_execution_options():
        return None
    compiled = statement.compile(dialect=dialect, column_keys=list(given) or None)
    columns = list(statement.exported_columns)
    if not isinstance(compiled, SQLCompiler) or _is_special(compiled, columns, given):
        return None
    ready = compiled.construct_expanded_state(dict(given), escape_names=False)
    values = dict(_values(compiled, ready.parameter_expansion, given, dialect))
    order = list(ready.parameters) if ready.positiontup is None else ready.positiontup
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return Constant(
        text=ready.statement,
        values=tuple(values[name] for name in order),
        keys=tuple(order) if ready.positiontup is None else None,
        processes=tuple((place, one) for place, one in enumerate(results) if one is not None),
    )


def _is_special(compiled: SQLCompiler, columns: Sequence[ColumnElement[Any]], given: Mapping[str, Any]) -> bool:
    """Whether SQLAlchemy does more for it than to send it."""
    if compiled.insert_prefetch or compiled.update_prefetch:
        return True
    if len({column.key for column in columns}) < len(columns) or compiled.escaped_bind_names:
        return True
    if any(isinstance(column.type.dialect_impl(compiled.dialect), Numeric) for column in columns):
        return True  # how a number is read depends on what the database says it is
    if any(bind.key in given for bind in compiled.literal_execute_params):
        return True
    return any(_is_special_bind(bind, given) for bind in compiled.bind_names)


def _is_special_bind(bind: BindParameter[Any], given: Mapping[str, Any]) -> bool:
    if bind.callable is not None or (bind.required and bind.key not in given):
        return True
    value = given.get(bind.key, bind.value)
    return bind.expanding and (not isinstance(value, list | tuple) or isinstance(bind.type, TupleType))


def _values(
    compiled: SQLCompiler, lists: Mapping[str, list[str]], given: Mapping[str, Any], dialect: Dialect
) -> Iterator[tuple[str, _Value]]:
    """What stands for each parameter of the text; for each member of a list one."""
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        source = bind.key if bind.key in given else None
        for place, one in enumerate(lists[name]) if name in lists else [(None, name)]:
            if source is not None:
                yield one, _Value(source, place, process)
            else:
                fixed: Any = bind.value
                if place is not None:
                    fixed = fixed[place]
                yield one, _Value(None, fixed=fixed if process is None else process(fixed))
