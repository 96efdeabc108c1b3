"""Settings that name something of the enterprise: read by name or id, kept by id, refused where there is no such."""

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

_SHOWN = 10  # names that are listed where none is alike
Kind = Literal["category", "enterprise"]


@dataclass(frozen=True)
class Names:
    """Marks a setting of a plugin that names a customer category of the enterprise, or an enterprise that it may know:
    ``category: Annotated[str, Names("category")]``. People write a name or an id; what is kept is the id. An empty
    text names nothing.
    """

    kind: Kind


def with_ids(tx: Transaction, enterprise_id: str, shape: type | None, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings, which `shape` accepts, with ids for what was named.

    Raises `Invalid` with a problem for each name that is not known, saying what would be right.
    """
    kept = deepcopy(dict(settings))
    if shape is None:
        return kept
    known: dict[Kind, dict[str, str]] = {}
    problems = []
    for marked, raw, key, where in _named(read_settings(shape, settings), kept, "/settings"):
        if marked.kind not in known:
            known[marked.kind] = _KNOWN[marked.kind](tx, enterprise_id)
        found = _found(raw[key], known[marked.kind])
        if found is None:
            problems.append(_unknown(marked.kind, raw[key], known[marked.kind], where))
        else:
            raw[key] = found
    if problems:
        raise Invalid(problems)
    return kept


def _named(read: Any, raw: Any, where: str) -> Iterator[tuple[Names, Any, Any, str]]:
    """Each text that names something: its mark, where it stands in the raw settings, and its pointer."""
    for name, hint in get_type_hints(type(read), include_extras=True).items():
        if name not in raw:
            continue
        value, at = getattr(read, name), f"{where}/{name}"
        marked = _mark(hint)
        if marked is not None and isinstance(value, str) and value:
            yield marked, raw, name, at
        if isinstance(value, tuple):
            inner = next((found for one in _inside(hint) if (found := _mark(one)) is not None), None)
            for place, one in enumerate(value):
                if inner is not None:
                    yield inner, raw[name], place, f"{at}/{place}"
                elif hasattr(one, "__struct_fields__") or hasattr(one, "__dataclass_fields__"):
                    yield from _named(one, raw[name][place], f"{at}/{place}")


def _mark(hint: Any) -> Names | None:
    return next((one for one in getattr(hint, "__metadata__", ()) if isinstance(one, Names)), None)


def _inside(hint: Any) -> Iterator[Any]:
    """The types within ``tuple[X, ...]`` and ``Annotated[tuple[X, ...], …]``."""
    for one in get_args(hint):
        yield one
        yield from _inside(one)


def _found(text: str, known: Mapping[str, str]) -> str | None:
    """The id for an id or a name; capitals do not matter. `known` are names by id."""
    if text in known:
        return text
    named = [id for id, name in known.items() if name.casefold() == text.strip().casefold()]
    return named[0] if len(named) == 1 else None


def _unknown(kind: Kind, text: str, known: Mapping[str, str], where: str) -> Problem:
    names = sorted(set(known.values()))
    right = get_close_matches(text, names, n=3) or names[:_SHOWN]
    values = {"name": text[:100], "right": ", ".join(right) or "–"}
    if kind == "category":
        return Problem("no_category", "There is no customer group {name} here. There are: {right}.", where, values)
    several = "There is no enterprise {name} here, or there are several. There are: {right}."
    return Problem("no_enterprise", several, where, values)


def _categories(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    return {one.id: one.name for one in list_categories(tx, enterprise_id)}


def _enterprises(tx: Transaction, enterprise_id: str) -> dict[str, str]:
    """Itself, those that everybody can find, and those that let it do something with their things."""
    row = enterprise.c
    granting = select(enterprise_grant.c.grantor_id).where(enterprise_grant.c.grantee_id == enterprise_id)
    seen = or_(row.id == enterprise_id, row.visibility == "public", row.id.in_(granting))
    wanted = select(row.id, row.name).where(row.archived_at.is_(None), seen)
    return {one["id"]: one["name"] for one in tx.all(wanted)}


_KNOWN: dict[Kind, Callable[[Transaction, str], dict[str, str]]] = {"category": _categories, "enterprise": _enterprises}
