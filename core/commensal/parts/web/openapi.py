"""Makes the OpenAPI 3.1 document from the endpoints. What an endpoint does not declare cannot be called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Annotated, Any, get_args, get_origin

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...api.endpoint import Endpoint, File, Page, Stream
from ...api.limits import Rates
from ...api.plugin_threads import run_in_thread
from ...api.problems import MEDIA_TYPE, ProblemDocument, problem
from ...base.errors import TooMany
from ...base.hidden_fields import NULLABLE
from ...base.languages.catalogs import LANGUAGES, best_language
from ...instance import Instance

_PARAMETER = re.compile(r"{(\w+)}")


def openapi(endpoints: Sequence[Endpoint], *, title: str, base_url: str, version: str) -> dict[str, object]:
    """The document, as values that JSON can encode."""
    shapes = [shape for endpoint in endpoints for shape in (endpoint.body, endpoint.answer) if _has_schema(shape)]
    schemas, components = msgspec.json.schema_components(
        [*map(_distinct_page, shapes), ProblemDocument], ref_template="#/components/schemas/{name}"
    )
    _allow_null(components)
    by_shape = {repr(shape): schema for shape, schema in zip(shapes, schemas, strict=False)}
    paths: dict[str, dict[str, object]] = {}
    for endpoint in endpoints:
        paths.setdefault(f"/api{endpoint.path}", {})[endpoint.method.lower()] = _operation(endpoint, by_shape)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "AGPL-3.0-or-later"}},
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "session"},
            },
        },
    }


def _allow_null(schema: object) -> None:
    """Lets what is marked as nullable be null, in the schema and in all that it holds."""
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        _allow_null(part)
    if isinstance(schema, dict) and schema.pop(NULLABLE, False):
        schema["type"] = [schema["type"], "null"]


@cache
def _distinct_page(shape: object) -> object:
    """Turns a `Page` into a class of its own. msgspec distinguishes pages only by the names of their items, which two
    plugins may share."""
    if get_origin(shape) is not Page:
        return shape
    item: Any = get_args(shape)[0]
    inner: list[tuple[str, object]] = [("items", list[item]), ("next", str | None)]
    return msgspec.defstruct(f"{item.__name__}Page", inner, module=item.__module__, namespace={"__doc__": Page.__doc__})


def _has_schema(shape: object) -> bool:
    return shape not in (None, type(None), bytes, File, Stream) and shape is not Any


def _operation(endpoint: Endpoint, by_shape: dict[str, Any]) -> dict[str, object]:
    doc = (endpoint.handler.__doc__ or "").strip()
    operation: dict[str, object] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": doc.partition("\n")[0].rstrip("."),
        "description": doc,
        "x-scope": endpoint.scope,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint), *_header_parameters(endpoint)],
        "responses": _responses(endpoint, by_shape),
    }
    if endpoint.scope != "public":
        operation["security"] = [{"token": []}, {"session": []}]
    if endpoint.body is not None:
        schema = {"type": "string", "format": "binary"} if endpoint.body is bytes else by_shape[repr(endpoint.body)]
        operation["requestBody"] = {
            "required": not endpoint.may_come_empty,
            "content": {endpoint.takes: {"schema": schema}},
        }
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, object]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
        for name in _PARAMETER.findall(endpoint.path)
    ]


def _query_parameters(endpoint: Endpoint) -> list[dict[str, object]]:
    if endpoint.query is None:
        return []
    schema = msgspec.json.schema(endpoint.query)
    fields = schema["$defs"][endpoint.query.__name__]
    required = fields.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": shape}
        | ({"style": "form", "explode": True} if name == "others" else {})  # its members are parameters
        for name, shape in fields["properties"].items()
    ]


def _header_parameters(endpoint: Endpoint) -> list[dict[str, object]]:
    headers = []
    if endpoint.edits:
        version = {"type": "string", "pattern": '^(W/)?"?[0-9]{1,15}"?$'}
        headers.append({"name": "If-Match", "in": "header", "required": True, "schema": version})
    if not endpoint.safe:
        key = {"name": "Idempotency-Key", "in": "header", "required": endpoint.needs_key}
        headers.append({**key, "schema": {"type": "string", "minLength": 1, "maxLength": 255}})
    return headers


def _responses(endpoint: Endpoint, by_shape: dict[str, object]) -> dict[str, object]:
    problems = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}}
    success: dict[str, object] = {"description": "Done"}
    if endpoint.answer in (File, Stream):
        success["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    elif _has_schema(endpoint.answer):
        success["content"] = {"application/json": {"schema": by_shape[repr(endpoint.answer)]}}
    return {str(endpoint.status): success, "default": {"description": "A problem (RFC 9457)", **problems}}


# The type of a field that names one of the languages in which this instance speaks.

Language = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(LANGUAGES)})$")]


# Serves what is the same for everybody as long as the process runs: rendered at the first request, and kept.


def rendered_once(
    path: str, render: Callable[[], bytes], media_type: str, *, instance: Instance, rates: Rates
) -> Route:
    """A ``GET`` route for these bytes, with an ETag for conditional requests. Requests count as reads."""

    @cache
    def document() -> tuple[bytes, str]:
        content = render()
        return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'

    async def serve(request: Request) -> Response:
        try:
            rates.count("reads", request.client.host if request.client else "")
        except TooMany as error:
            accept_language = request.headers.get("accept-language", "")
            return problem(error, best_language(accept_language, default=instance.settings.language))
        content, tag = await run_in_thread(document)  # takes 0.1 s the first time
        headers = {"ETag": tag, "Cache-Control": "public, no-cache"}
        known_tags = (text.strip().removeprefix("W/") for text in request.headers.get("if-none-match", "").split(","))
        if tag in known_tags:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=media_type)

    return Route(path, serve)
