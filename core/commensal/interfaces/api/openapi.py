"""The OpenAPI 3.1 document, made from the endpoints: what is not declared there cannot be called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, get_args, get_origin

import msgspec

from .endpoint import Endpoint, File, Page, Stream
from .problems import MEDIA_TYPE, ProblemDocument

_PARAMETER = re.compile(r"{(\w+)}")


def openapi(endpoints: Sequence[Endpoint], *, title: str, base_url: str, version: str) -> dict[str, Any]:
    """The document as JSON-ready values."""
    shapes = [shape for one in endpoints for shape in (one.body, one.answer) if _has_schema(shape)]
    schemas, components = msgspec.json.schema_components(
        [*map(_named, shapes), ProblemDocument], ref_template="#/components/schemas/{name}"
    )
    by_shape = {repr(shape): schema for shape, schema in zip(shapes, schemas, strict=False)}
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(f"/api{one.path}", {})[one.method.lower()] = _operation(one, by_shape)
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


@cache
def _named(shape: Any) -> Any:
    """A page as a class of its own: msgspec tells pages apart by their items' names alone, and two plugins may have
    items of one name."""
    if get_origin(shape) is not Page:
        return shape
    item: Any = get_args(shape)[0]
    inner: list[tuple[str, Any]] = [("items", list[item]), ("next", str | None)]
    return msgspec.defstruct(f"{item.__name__}Page", inner, module=item.__module__, namespace={"__doc__": Page.__doc__})


def _has_schema(shape: Any) -> bool:
    return shape not in (None, type(None), bytes, File, Stream) and shape is not Any


def _operation(one: Endpoint, by_shape: dict[str, Any]) -> dict[str, Any]:
    doc = (one.handler.__doc__ or "").strip()
    operation: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": doc.partition("\n")[0].rstrip("."),
        "description": doc,
        "x-scope": one.scope,
        "parameters": [*_path_parameters(one), *_query_parameters(one), *_header_parameters(one)],
        "responses": _responses(one, by_shape),
    }
    if one.scope != "public":
        operation["security"] = [{"token": []}, {"session": []}]
    if one.body is not None:
        schema = {"type": "string", "format": "binary"} if one.body is bytes else by_shape[repr(one.body)]
        operation["requestBody"] = {"required": not one.may_come_empty, "content": {one.takes: {"schema": schema}}}
    return operation


def _path_parameters(one: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 200}}
        for name in _PARAMETER.findall(one.path)
    ]


def _query_parameters(one: Endpoint) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    schema = msgspec.json.schema(one.query)
    fields = schema["$defs"][one.query.__name__]
    required = fields.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": shape}
        | ({"style": "form", "explode": True} if name == "others" else {})  # its members are parameters themselves
        for name, shape in fields["properties"].items()
    ]


def _header_parameters(one: Endpoint) -> list[dict[str, Any]]:
    headers = []
    if one.edits:
        version = {"type": "string", "pattern": '^(W/)?"?[0-9]{1,15}"?$'}
        headers.append({"name": "If-Match", "in": "header", "required": True, "schema": version})
    if not one.safe:
        key = {"name": "Idempotency-Key", "in": "header", "required": one.needs_key}
        headers.append({**key, "schema": {"type": "string", "minLength": 1, "maxLength": 255}})
    return headers


def _responses(one: Endpoint, by_shape: dict[str, Any]) -> dict[str, Any]:
    problems = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}}
    good: dict[str, Any] = {"description": "Done"}
    if one.answer in (File, Stream):
        good["content"] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    elif _has_schema(one.answer):
        good["content"] = {"application/json": {"schema": by_shape[repr(one.answer)]}}
    return {str(one.status): good, "default": {"description": "A problem (RFC 9457)", **problems}}
