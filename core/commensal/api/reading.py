"""Reads bodies and queries strictly. The fast path is msgspec; when it refuses, JSON Schema names every mistake."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec

from ..choices import explained, one_of
from ..converting import convert
from ..errors import Invalid, NotFound, Problem, Refused
from .endpoint import OpenQuery

if TYPE_CHECKING:
    import jsonschema

_SHOWN = 50  # mistakes in one answer


def read_body(shape: Any, content: bytes) -> Any:
    """The body as `shape`. Raises `Invalid` with every mistake, each with its JSON Pointer."""
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        said = str(error) or "nested too deeply"
        raise Invalid([Problem("json", "The body is not JSON: {error}.", "", {"error": said})]) from error
    if b"\\u0000" in content:
        raise Invalid([Problem("nul", "Texts must not contain the character U+0000.")])
    return _convert(shape, value, "/")


def read_query(shape: Any, query: Mapping[str, str]) -> Any:
    """The query as `shape`. Raises `Invalid` with every mistake; `where` is the parameter's name."""
    if any("\x00" in value for value in query.values()):
        raise Invalid([Problem("nul", "Texts must not contain the character U+0000.")])
    values: dict[str, Any] = dict(query)
    if issubclass(shape, OpenQuery):
        others = {name: values.pop(name) for name in list(values) if name not in shape.__struct_fields__}
        values["others"] = others
    return _convert(shape, values, "", strict=False)


def read_id(value: str) -> str:
    """An id or secret from a path. Whatever cannot be one is not there."""
    if not 1 <= len(value) <= 200 or not value.isascii() or not value.replace("-", "").replace("_", "").isalnum():
        raise NotFound
    return value


def read_version(header: str | None) -> int:
    """The version that If-Match names (``"3"``). Raises 428 where there is none, `Invalid` where it is no version."""
    if header is None:
        refusal = Refused("if_match_missing", "Send If-Match with the ETag of the version that you have seen.")
        refusal.status = 428
        raise refusal
    plain = header.removeprefix("W/").strip('"')
    if not plain.isascii() or not plain.isdigit() or len(plain) > 15:
        text = "If-Match holds no version of ours: {value}."
        raise Invalid([Problem("if_match", text, "If-Match", {"value": header[:40]})])
    return int(plain)


def _convert(shape: Any, value: Any, root: str, *, strict: bool = True) -> Any:
    try:
        return convert(value, shape, strict=strict)
    except msgspec.ValidationError as error:
        problems = _all(shape, value, root) if strict else []
        raise Invalid(problems or [_one(str(error), shape, root)]) from error


def _all(shape: Any, value: Any, root: str) -> list[Problem]:
    mistakes = sorted(_validator(shape).iter_errors(value), key=lambda one: [str(part) for part in one.absolute_path])
    return [_mistake(one, root) for one in mistakes[:_SHOWN]]


def _mistake(one: jsonschema.ValidationError, root: str) -> Problem:
    where = root + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in one.absolute_path)
    return Problem("invalid", "This is not right: {error}.", where if where != "/" else "", {"error": _short(one)})


def _short(one: jsonschema.ValidationError) -> str:
    """What was expected, without repeating a whole document back to whoever sent it."""
    if one.validator == "enum" and isinstance(one.validator_value, list):
        return f"expected {one_of(one.validator_value)}"
    if one.validator in ("type", "const", "pattern", "format"):
        return f"expected {one.validator} {one.validator_value!r}"
    if one.validator in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"):
        return f"{one.validator} is {one.validator_value}"
    return str(one.message)[:200]


def _one(error: str, shape: Any, root: str) -> Problem:
    """msgspec's own words, where JSON Schema sees no mistake: "Expected `int`, got `str` - at `$.limit`"."""
    said, at = explained(error, shape)
    where = root + at.lstrip(".").replace(".", "/").replace("[", "/").replace("]", "")
    return Problem("invalid", "This is not right: {error}.", where if where != "/" else "", {"error": said})


@lru_cache(maxsize=256)
def _validator(shape: Any) -> jsonschema.Draft202012Validator:
    import jsonschema  # for what was refused; nobody else needs it

    return jsonschema.Draft202012Validator(msgspec.json.schema(shape))
