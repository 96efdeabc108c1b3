"""Reads bodies and queries strictly.

msgspec reads, and stops at the first mistake, whatever the size. Only of a small body are all mistakes named, up to
`_SHOWN`, by JSON Schema: it takes about 40 microseconds and 4 KB for each, so a large body full of them is no work.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from ...base.choices import explained, one_of
from ...base.converting import convert, decode_json
from ...base.errors import Invalid, NotFound, Problem, Refused
from .endpoint import OpenQuery

if TYPE_CHECKING:
    import jsonschema

_SHOWN = 50  # mistakes in one answer
_SMALL = 16 * 1024  # bytes of a body all of whose mistakes are looked for


def read_body(shape: Any, content: bytes) -> Any:
    """The body as `shape`. Raises `Invalid` with its mistakes, each with its JSON Pointer: up to 50 of a small body,
    the first of a large one."""
    if b"\\u0000" in content:
        raise Invalid([Problem("nul", "Texts must not contain the character U+0000.")])
    try:
        return decode_json(content, shape)
    except msgspec.ValidationError as error:
        raise Invalid(_mistakes(shape, content, error)) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _no_json(error) from error


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
        raise Invalid([_one(str(error), shape, root)]) from error


def _mistakes(shape: Any, content: bytes, first: msgspec.ValidationError) -> list[Problem]:
    """All of a small body, sorted by place; where JSON Schema sees none, and of a large body, the first that msgspec
    has met."""
    found: list[jsonschema.ValidationError] = []
    if len(content) <= _SMALL:
        try:
            value = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:  # msgspec met a mistake before it came to that
            raise _no_json(error) from error
        found = list(islice(_validator(shape).iter_errors(value), _SHOWN))
    found.sort(key=lambda one: [str(part) for part in one.absolute_path])
    return [_mistake(one, "/") for one in found] or [_one(str(first), shape, "/")]


def _no_json(error: Exception) -> Invalid:
    said = str(error) or "nested too deeply"
    return Invalid([Problem("json", "The body is not JSON: {error}.", "", {"error": said})])


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
