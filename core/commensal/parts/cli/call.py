"""``commensal call``: any endpoint of the JSON API, by the operator of the server and without a token.

An endpoint says what it takes and refuses what is wrong, so no command repeats it. What it does stands in the audit
trail as any command of the shell.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from msgspec import inspect
from starlette.responses import Response

from ...api.endpoint import Call, Endpoint, File, OpenQuery, Stream
from ...api.handler import prepare, run_endpoint
from ...api.reading import read_body, read_id, read_query
from ...base.acting import shell_command
from ...base.converting import decode_json, read_whole
from ...base.errors import Invalid, NotFound, Problem, Refused, Unauthorised
from ...enterprises.plugins import refuse_where_off
from ...instance import Instance, open_instance
from ...people.actor import SELF, Actor
from ...people.people import person_by_email
from ...storage.database import Transaction
from ..serving.app import endpoints_of
from ..setup.named_files import file_of_caller, open_file_of_caller
from ..terminal.lists import print_table
from ..terminal.shell import spoken
from .named import HERE, Folder, named_enterprise

_PARAMETER = re.compile(r"\{(\w+)\}")
_VERSION = "version"


def add_to(app: typer.Typer) -> None:
    @app.command("call")
    def call_command(
        endpoint: Annotated[str, typer.Argument(help="Its name; without one, all are listed.")] = "",
        values: Annotated[
            list[str] | None, typer.Argument(help="What it takes, as name=value; a value may be JSON.")
        ] = None,
        file: Annotated[Path | None, typer.Option(help="The file that it takes.", exists=True, dir_okay=False)] = None,
        by: Annotated[str, typer.Option(help="The person in whose name it is noted: their address.")] = "",
        output: Annotated[Path | None, typer.Option(help="Where its answer is written.", dir_okay=False)] = None,
        instance: Folder = HERE,
    ) -> None:
        """Calls an endpoint of the JSON API as the operator, and prints its answer."""
        with open_instance(instance) as opened:
            endpoints = {each.name: each for each in endpoints_of(opened) if each.scope != SELF}
            if not endpoint:
                rows = [(each.name, " ".join(_parameters(each)), _summary(each)) for each in endpoints.values()]
                print_table((spoken("endpoint"), spoken("takes"), spoken("what it does")), rows)
                return
            if endpoint not in endpoints:
                raise NotFound("no_endpoint", "There is no endpoint {name}; `commensal call` lists all.", name=endpoint)
            try:
                answer = call_endpoint(opened, endpoints[endpoint], _named_values(values or ()), _content(file), by)
            except Unauthorised:
                raise Refused("by", "This is noted in the name of a person: say of whom, --by ADDRESS.") from None
            parts = _parts(answer)
            if output is None:
                sys.stdout.flush()
                for part in parts:
                    typer.echo(part, nl=False)
            else:
                with file_of_caller(output, new=True) as target:
                    target.writelines(parts)


def call_endpoint(
    instance: Instance, endpoint: Endpoint, values: Mapping[str, str], content: bytes = b"", by: str = ""
) -> object:
    """The answer to the operator, as over HTTP. `by` is the e-mail address of the person in whose name it is noted.

    Raises `Invalid` for a value that it does not take, `Unauthorised` where it needs a person, and what its handler
    raises.
    """
    with instance.store.read() as tx:
        actor = Actor(is_operator=True, person_id=person_by_email(tx, by).id if by else None)
        arguments = _arguments(tx, endpoint, values, content)
        language, version = instance.settings.language, _version(endpoint, values)
        make_call = partial(Call, instance=instance, actor=actor, language=language, version=version)
        if endpoint.safe:
            return endpoint.handler(prepare(endpoint, make_call(tx=tx), arguments), **arguments)
    with shell_command(f"commensal call {endpoint.name}"):
        return run_endpoint(endpoint, make_call, arguments)


def _arguments(tx: Transaction, endpoint: Endpoint, values: Mapping[str, str], content: bytes) -> dict[str, Any]:
    in_path, takes = _PARAMETER.findall(endpoint.path), _parameters(endpoint)
    takes_others = isinstance(endpoint.query, type) and issubclass(endpoint.query, OpenQuery)
    others = [name for name in values if name not in takes]
    missing = [Problem("required", "This value is needed.", name) for name in in_path if name not in values]
    unknown = [Problem("unknown", "It takes no such value.", name) for name in others if not takes_others]
    if missing or unknown:
        raise Invalid([*missing, *unknown])
    arguments: dict[str, Any] = {name: read_id(values[name]) for name in in_path}
    if "enterprise" in arguments:
        arguments["enterprise"] = named_enterprise(tx, arguments["enterprise"]).id
        if endpoint.plugin and not endpoint.where_off:
            refuse_where_off(tx, arguments["enterprise"], endpoint.plugin)
    if endpoint.body is bytes:
        arguments["body"] = content
    elif endpoint.body is not None:
        fields = _body_fields(endpoint)
        body = {field.encode_name: _value(field.type, values[name]) for name, field in fields.items() if name in values}
        arguments["body"] = read_body(endpoint.body, content or msgspec.json.encode(body))
    if endpoint.query is not None:
        names = [name for name in (*_query_fields(endpoint), *others) if name in values]
        arguments["query"] = read_query(endpoint.query, {name: values[name] for name in names})
    return arguments


def _version(endpoint: Endpoint, values: Mapping[str, str]) -> int:
    if not endpoint.edits:
        return 0
    version = read_whole(values.get(_VERSION, ""), 15)
    if version is None:
        raise Refused("version", "Say which version is changed: version=…, as its present answer names it.")
    return version


def _content(file: Path | None) -> bytes:
    if file is None:
        return b""
    with open_file_of_caller(file) as stream:
        return stream.read()


def _named_values(pairs: Iterable[str]) -> dict[str, str]:
    named = {}
    for pair in pairs:
        name, is_pair, value = pair.partition("=")
        if not is_pair:
            raise Refused("value", "{pair} is not a value; write name=value.", pair=pair[:100])
        named[name] = value
    return named


_TEXTS = (
    inspect.StrType,
    inspect.DecimalType,
    inspect.DateTimeType,
    inspect.DateType,
    inspect.TimeType,
    inspect.EnumType,
    inspect.LiteralType,
)
_KINDS: Mapping[type, tuple[type[inspect.Type], ...]] = {
    type(None): (inspect.NoneType,),
    bool: (inspect.BoolType,),
    int: (inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
    list: (inspect.CollectionType, inspect.TupleType),
    dict: (inspect.DictType, inspect.StructType, inspect.DataclassType),
}


def _value(kind: inspect.Type, text: str) -> object:
    """What is meant, by the declared type: the text itself where it takes one, else JSON, such as 12 or a list."""
    alternatives = _alternatives(kind)
    takes_text = any(isinstance(each, _TEXTS) for each in alternatives)
    try:
        value = decode_json(text.encode(), Any)
    except (msgspec.DecodeError, Invalid):
        return text
    is_meant = any(isinstance(each, _KINDS.get(type(value), ())) for each in alternatives)
    return value if is_meant or not takes_text else text


def _alternatives(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)


def _parts(answer: object) -> Iterator[bytes]:
    match answer:
        case None:
            return
        case Stream():
            yield from answer.parts
        case File():
            yield answer.content
        case Response():
            yield bytes(answer.body)
        case _:
            yield msgspec.json.format(msgspec.json.encode(answer)) + b"\n"


def _parameters(endpoint: Endpoint) -> list[str]:
    return [*_outside_body(endpoint), *_body_fields(endpoint), *_query_fields(endpoint)]


def _outside_body(endpoint: Endpoint) -> list[str]:
    return [*_PARAMETER.findall(endpoint.path), *([_VERSION] if endpoint.edits else [])]


def _body_fields(endpoint: Endpoint) -> dict[str, inspect.Field]:
    """The fields of the body by their names here: ``body.order`` where the address has a value `order`, too."""
    shape = endpoint.body
    if not isinstance(shape, type) or not issubclass(shape, msgspec.Struct):
        return {}
    described = inspect.type_info(shape)
    assert isinstance(described, inspect.StructType)
    elsewhere = {*_outside_body(endpoint), *_query_fields(endpoint)}
    return {f"body.{field.name}" if field.name in elsewhere else field.name: field for field in described.fields}


def _query_fields(endpoint: Endpoint) -> tuple[str, ...]:
    names: tuple[str, ...] = getattr(endpoint.query, "__struct_fields__", ())
    return names


def _summary(endpoint: Endpoint) -> str:
    return (endpoint.handler.__doc__ or "").strip().partition("\n")[0]
