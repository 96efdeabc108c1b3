"""Settings that name a customer category or an enterprise: accepted by name or id, stored by id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_type_hints

from sqlalchemy import or_, select

from ...base.errors import Invalid, Problem
from ...base.reading import read_settings
from ...storage.database import Transaction
from .customer_categories import list_categories
from .tables import enterprise, enterprise_grant

_SHOWN = 10  # names that an error lists if none is similar
NamedKind = Literal["category", "enterprise"]


@dataclass(frozen=True)
class Names:
    """Marks a plugin's setting that names a customer category of the enterprise, or an enterprise visible to it:
    ``category: Annotated[str, Names("category")]``. People write a name or an id; the id is stored. An empty text
    names nothing.
    """

    kind: NamedKind


def resolve_names(
    tx: Transaction, enterprise_id: str, shape: type | None, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """Replaces names by ids in settings that `shape` accepts.

    Raises `Invalid` with a problem for each unknown name, listing names that would be right.
    """
    resolved = deepcopy(dict(settings))
    if shape is None:
        return resolved
    names_by_kind: dict[NamedKind, dict[str, str]] = {}
    problems = []
    for mark, parent, key, where in _marked_values(read_settings(shape, settings), resolved, "/settings"):
        if mark.kind not in names_by_kind:
            names_by_kind[mark.kind] = _NAMES_BY_ID[mark.kind](tx, enterprise_id)
        match = _matching_id(parent[key], names_by_kind[mark.kind])
        if match is None:
            problems.append(_unknown_name(mark.kind, parent[key], names_by_kind[mark.kind], where))
        else:
            parent[key] = match
    if problems:
        raise Invalid(problems)
    return resolved


def _marked_values(parsed: Any, raw: Any, where: str) -> Iterator[tuple[Names, Any, Any, str]]:
    """Yields each marked text: its mark, the container and key in the raw settings that hold it, its JSON pointer."""
    for name, hint in get_type_hints(type(parsed), include_extras=True).items():
        if name not in raw:
            continue
        value, pointer = getattr(parsed, name), f"{where}/{name}"
        mark = _mark(hint)
        if mark is not None and isinstance(value, str) and value:
            yield mark, raw, name, pointer
        if isinstance(value, tuple):
            inner = next(filter(None, map(_mark, _inner_types(hint))), None)
            for index, item in enumerate(value):
                if inner is not None:
                    yield inner, raw[name], index, f"{pointer}/{index}"
                elif hasattr(item, "__struct_fields__") or hasattr(item, "__dataclass_fields__"):
                    yield from _marked_values(item, raw[name][index], f"{pointer}/{index}")


def _mark(hint: Any) -> Names | None:
    return next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Names)), None)


def _inner_types(hint: Any) -> Iterator[Any]:
    """The types within ``tuple[X, ...]`` and ``Annotated[tuple[X, ...], …]``."""
    for inner in get_args(hint):
        yield inner
        yield from _inner_types(inner)


def _matching_id(text: str, names: Mapping[str, str]) -> str | None:
    """The id that `text` means: an id, or a name in any case that only one has. `names` are names by id."""
    if text in names:
        return text
    matches = [id for id, name in names.items() if name.casefold() == text.strip().casefold()]
    return matches[0] if len(matches) == 1 else None


def _unknown_name(kind: NamedKind, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
    names = sorted(set(names_by_id.values()))
    suggestions = get_close_matches(text, names, n=3) or names[:_SHOWN]
    values = {"name": text[:100], "right": ", ".join(suggestions) or "–"}
    if kind == "category":
        return Problem("no_category", "There is no customer group {name} here. There are: {right}.", where, values)
    message = "There is no enterprise {name} here, or there are several. There are: {right}."
    return Problem("no_enterprise", message, where, values)


def _category_names(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    return {category.id: category.name for category in list_categories(tx, enterprise_id)}


def _enterprise_names(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    """Names by id of the enterprise itself, public enterprises, and those that gave it a grant."""
    columns = enterprise.c
    granting = select(enterprise_grant.c.grantor_id).where(enterprise_grant.c.grantee_id == enterprise_id)
    is_visible = or_(columns.id == enterprise_id, columns.visibility == "public", columns.id.in_(granting))
    query = select(columns.id, columns.name).where(columns.archived_at.is_(None), is_visible)
    return {row["id"]: row["name"] for row in tx.all(query)}


_NAMES_BY_ID: dict[NamedKind, Callable[[Transaction, str], dict[str, str]]] = {
    "category": _category_names,
    "enterprise": _enterprise_names,
}
