"""``commensal call``: any endpoint of the JSON API, by the operator of the server and without a token.

An endpoint says what it takes and refuses what is wrong, so no command repeats it. What it does stands in the audit
trail as any command of the shell.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from starlette.responses import Response

from ...api.endpoint import Call, Endpoint, File, Stream
from ...api.reading import read_body, read_id, read_query
from ...api.tracing import trace_request
from ...base.converting import decode_json, read_whole
from ...base.errors import Invalid, NotFound, Problem, Refused, Unauthorised
from ...enterprises.plugins import refuse_where_off
from ...instance import Instance, open_instance
from ...people.actor import Actor
from ...people.people import person_by_email
from ...people.scopes import SELF
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
    """The answer to the operator, as over HTTP: prepared before its transaction, and finished after the commit. `by` is
    the e-mail address of the person in whose name it is noted.

    Raises `Invalid` for a value that it does not take, `Unauthorised` where it needs a person, and what its handler
    raises.
    """
    language = instance.settings.language
    with instance.store.read() as tx:
        actor = Actor(is_operator=True, person_id=person_by_email(tx, by).id if by else None)
        call = Call(instance=instance, actor=actor, tx=tx, language=language)
        arguments = _arguments(tx, endpoint, values, content)
        call = replace(call, version=_version(endpoint, values))
        if endpoint.prepare is not None:
            call = replace(call, prepared=endpoint.prepare(call, **arguments))
        if endpoint.safe:
            return endpoint.handler(call, **arguments)
    if endpoint.proves is not None:
        call = replace(call, prepared=endpoint.proves(instance, call.actor, **arguments))

    def act(tx: Transaction) -> object:
        value = endpoint.handler(replace(call, tx=tx), **arguments)
        trace_request(tx, endpoint, arguments)
        return value

    value = instance.transact(act)
    return endpoint.after(call, value) if endpoint.after is not None and value is not None else value


def _arguments(tx: Transaction, endpoint: Endpoint, values: Mapping[str, str], content: bytes) -> dict[str, Any]:
    in_path = _PARAMETER.findall(endpoint.path)
    missing = [Problem("required", "This value is needed.", name) for name in in_path if name not in values]
    others = {name: value for name, value in values.items() if name not in (*in_path, _VERSION)}
    takes_body = endpoint.body is not None and endpoint.body is not bytes
    takes_none = not takes_body and endpoint.query is None
    unknown = [Problem("unknown", "It takes no such value.", name) for name in others if takes_none]
    if missing or unknown:
        raise Invalid([*missing, *unknown])
    arguments: dict[str, Any] = {name: read_id(values[name]) for name in in_path}
    if "enterprise" in arguments:
        arguments["enterprise"] = named_enterprise(tx, arguments["enterprise"]).id
        if endpoint.plugin and not endpoint.where_off:
            refuse_where_off(tx, arguments["enterprise"], endpoint.plugin)
    if takes_body:
        body_values = {name: _value(value) for name, value in others.items() if name not in _fields(endpoint.query)}
        arguments["body"] = read_body(endpoint.body, content or msgspec.json.encode(body_values))
    elif endpoint.body is bytes:
        arguments["body"] = content
    if endpoint.query is not None:
        query_values = {
            name: value for name, value in others.items() if not takes_body or name in _fields(endpoint.query)
        }
        arguments["query"] = read_query(endpoint.query, query_values)
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


def _value(text: str) -> object:
    """JSON where it is some, such as 12, true or a list; else a text."""
    try:
        return decode_json(text.encode(), Any)
    except (msgspec.DecodeError, Invalid):
        return text


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
    version = [_VERSION] if endpoint.edits else []
    return [*_PARAMETER.findall(endpoint.path), *version, *_fields(endpoint.body), *_fields(endpoint.query)]


def _fields(shape: object) -> tuple[str, ...]:
    return getattr(shape, "__struct_fields__", ())


def _summary(endpoint: Endpoint) -> str:
    return (endpoint.handler.__doc__ or "").strip().partition("\n")[0]
