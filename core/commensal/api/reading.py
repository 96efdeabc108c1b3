"""Validates bodies and queries strictly.

msgspec validates, and stops at the first mistake, whatever the size. JSON Schema then finds all mistakes of a small
body, up to `_SHOWN`. Each takes about 40 microseconds and 4 KB, so for a large body only the first one is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from ..base.converting import convert, decode_json, explain_error, one_of, read_whole
from ..base.errors import Invalid, NotFound, Problem, Refused
from .endpoint import OpenQuery

if TYPE_CHECKING:
    import jsonschema

_SHOWN = 50  # mistakes in one answer
_SMALL = 16 * 1024  # bytes: all mistakes of a body up to this size are reported


def read_body(shape: object, content: bytes) -> object:
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


def read_query(shape: Any, query: Mapping[str, str]) -> object:
    """The query as `shape`. Raises `Invalid` with every mistake; `where` is the parameter's name."""
    if any("\x00" in value for value in query.values()):
        raise Invalid([Problem("nul", "Texts must not contain the character U+0000.")])
    values: dict[str, object] = dict(query)
    if issubclass(shape, OpenQuery):
        others = {name: values.pop(name) for name in list(values) if name not in shape.__struct_fields__}
        values["others"] = others
    return _convert(shape, values, "", strict=False)


def read_id(value: str) -> str:
    """An id or secret from a path. Raises `NotFound` for a text that cannot be one."""
    if not 1 <= len(value) <= 200 or not value.isascii() or not value.replace("-", "").replace("_", "").isalnum():
        raise NotFound
    return value


def read_version(header: str | None) -> int:
    """The version in If-Match (``"3"``). Raises `Refused` (428) without the header, `Invalid` if it is not a number."""
    if header is None:
        refusal = Refused("if_match_missing", "Send If-Match with the ETag of the version that you have seen.")
        refusal.status = 428
        raise refusal
    plain = header.removeprefix("W/").strip('"')
    version = read_whole(plain, 15)
    if version is None:
        text = "If-Match holds no version of ours: {value}."
        raise Invalid([Problem("if_match", text, "If-Match", {"value": header[:40]})])
    return version


def _convert(shape: object, value: object, root: str, *, strict: bool = True) -> object:
    try:
        return convert(value, shape, strict=strict)
    except msgspec.ValidationError as error:
        raise Invalid([_first_mistake(str(error), shape, root)]) from error


def _mistakes(shape: object, content: bytes, first: msgspec.ValidationError) -> list[Problem]:
    """All mistakes of a small body, sorted by place. Of a large body, and where JSON Schema finds none, the first that
    msgspec reported."""
    errors: list[jsonschema.ValidationError] = []
    if len(content) <= _SMALL:
        try:
            value = msgspec.json.decode(content)
        except (msgspec.DecodeError, RecursionError) as error:  # msgspec stopped before this place
            raise _no_json(error) from error
        errors = list(islice(_validator(shape).iter_errors(value), _SHOWN))
    errors.sort(key=lambda mistake: [str(part) for part in mistake.absolute_path])
    return [_mistake(mistake, "/") for mistake in errors] or [_first_mistake(str(first), shape, "/")]


def _no_json(error: Exception) -> Invalid:
    reason = str(error) or "nested too deeply"
    return Invalid([Problem("json", "The body is not JSON: {error}.", "", {"error": reason})])


def _mistake(error: jsonschema.ValidationError, root: str) -> Problem:
    pointer = root + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in error.absolute_path)
    return Problem(
        "invalid", "This is not right: {error}.", pointer if pointer != "/" else "", {"error": _short(error)}
    )


def _short(error: jsonschema.ValidationError) -> str:
    """What was expected, without repeating a whole document."""
    if error.validator == "enum" and isinstance(error.validator_value, list):
        return f"expected {one_of(error.validator_value)}"
    if error.validator in ("type", "const", "pattern", "format"):
        return f"expected {error.validator} {error.validator_value!r}"
    if error.validator in ("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"):
        return f"{error.validator} is {error.validator_value}"
    return str(error.message)[:200]


def _first_mistake(error: str, shape: object, root: str) -> Problem:
    """The mistake in msgspec's message, like "Expected `int`, got `str` - at `$.limit`"."""
    reason, path = explain_error(error, shape)
    pointer = root + path.lstrip(".").replace(".", "/").replace("[", "/").replace("]", "")
    return Problem("invalid", "This is not right: {error}.", pointer if pointer != "/" else "", {"error": reason})


@lru_cache(maxsize=256)
def _validator(shape: object) -> jsonschema.Draft202012Validator:
    import jsonschema  # slow to import, and needed only for refused bodies

    return jsonschema.Draft202012Validator(msgspec.json.schema(shape))
