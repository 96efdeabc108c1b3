"""Bodies and queries that a JSON Schema accepts: refusals then come from the rights of the asker, not from the body."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from commensal.api.endpoint import Endpoint

_WORDS = ("", "a", "en", "FR", "EUR", "1", "0" * 40)  # one of them matches every pattern in use
# Texts that the code looks up before the object of the path.
_KNOWN = {"method": "cash:cash", "role": "packer"}
_FORMATS = {"date-time": "2026-06-20T10:00:00Z", "date": "2026-06-20", "decimal": "1", "duration": "P1D"}


def a_body(endpoint: Endpoint | None, ids: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns keyword arguments of a request that the endpoint's schema accepts.

    With `ids`, every field named after one, required or not, names that object: ``{"product": …}`` fills ``product_id``
    and ``products``.
    """
    if endpoint is None or endpoint.body is None:
        return {}
    if endpoint.body is bytes:
        media = endpoint.takes.replace("*", "png")
        return {"content": b"nothing", "headers": {"Content-Type": media}}
    schema = msgspec.json.schema(endpoint.body)
    value = _make_value(schema, schema.get("$defs", {}), ids or {})
    return {"content": msgspec.json.encode(value), "headers": {"Content-Type": "application/json"}}


def a_query(endpoint: Endpoint | None) -> dict[str, str]:
    """Returns the required fields of the query, and nothing else."""
    if endpoint is None or endpoint.query is None:
        return {}
    schema = msgspec.json.schema(endpoint.query)
    return {name: str(value) for name, value in _make_value(schema, schema.get("$defs", {}), {}).items()}


def _make_value(schema: Mapping[str, Any], defs: Mapping[str, Any], ids: Mapping[str, str]) -> Any:
    if "$ref" in schema:
        return _make_value(defs[schema["$ref"].rpartition("/")[2]], defs, ids)
    if "anyOf" in schema:
        return _make_value(schema["anyOf"][0], defs, ids)
    if "enum" in schema:
        return schema["enum"][0]
    if "const" in schema:
        return schema["const"]
    return _OF_TYPE[schema.get("type", "null")](schema, defs, ids)


def _an_object(schema: Mapping[str, Any], defs: Mapping[str, Any], ids: Mapping[str, str]) -> Any:
    required, values = schema.get("required", ()), dict[str, Any]()
    for name, shape in schema.get("properties", {}).items():
        id_of_object = ids.get(name.removesuffix("_id")) or ids.get(name.removesuffix("s").removesuffix("ie"))
        kinds = shape.get("type") or [choice.get("type") for choice in shape.get("anyOf", ())]
        if id_of_object and ("string" in kinds):
            values[name] = id_of_object
        elif name in required and name in _KNOWN and "string" in kinds:
            values[name] = _KNOWN[name]
        elif id_of_object and "array" in kinds:
            values[name] = [id_of_object]
        elif id_of_object and "object" in kinds and name == "items":
            values[name] = {id_of_object: 1}
        elif name in required:
            values[name] = _make_value(shape, defs, ids)
    return values


def _a_text(schema: Mapping[str, Any], *_: Any) -> str:
    if "pattern" in schema:
        matching_texts = [
            text for text in _WORDS if re.search(schema["pattern"], text) and len(text) >= schema.get("minLength", 0)
        ]
        assert matching_texts, f"say in _WORDS what fits {schema['pattern']}"
        return matching_texts[0]
    shortest: int = max(schema.get("minLength", 1), 1)
    return _FORMATS.get(schema.get("format", ""), "a" * shortest)


def _an_array(schema: Mapping[str, Any], defs: Mapping[str, Any], ids: Mapping[str, str]) -> list[Any]:
    return [_make_value(schema["items"], defs, ids) for _ in range(schema.get("minItems", 0))]


_OF_TYPE: Mapping[str, Any] = {
    "object": _an_object,
    "array": _an_array,
    "string": _a_text,
    "integer": lambda schema, *_: max(schema.get("minimum", 1), 1),
    "number": lambda schema, *_: max(schema.get("minimum", 1), 1),
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}
