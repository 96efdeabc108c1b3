"""Settings that name a customer category, an enterprise, or what rooms above this one add: names or ids are accepted,
ids are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_type_hints

from sqlalchemy import or_, select

from ..base.errors import Invalid, Problem
from ..base.reading import read_settings
from ..hooks.dispatcher import Hooks
from ..storage.database import Transaction
from .customer_categories import list_categories
from .tables import enterprise, enterprise_grant

_SHOWN = 10  # names that an error lists if none is similar
NamedKind = Literal["category", "enterprise", "sale", "shipping"]


@dataclass(frozen=True, kw_only=True)
class Nameable:
    """What a setting may name: the id that is stored, and a label in the reader's language.

    past: nobody would choose it any more, as a sale that is over; a setting that names it keeps it
    """

    id: str
    label: str
    past: bool = False


@dataclass(frozen=True)
class Names:
    """Marks a plugin's setting that names a customer category of the enterprise, or an enterprise visible to it:
    ``category: Annotated[str, Names("category")]``. People write a name or an id; the id is stored. An empty text
    names nothing.

    kind: "category" or "enterprise"; for a sale or a way of shipping there are `NamesSale` and `NamesShipping`
    """

    kind: NamedKind

    def names_by_id(self, tx: Transaction, hooks: Hooks, enterprise_id: str) -> Mapping[str, str]:
        """Returns the names that the enterprise may write, by the id that is stored."""
        return _NAMES_BY_ID[self.kind](tx, enterprise_id)

    def nameable(self, tx: Transaction, hooks: Hooks, enterprise_id: str, language: str) -> Sequence[Nameable]:
        """Returns what a form offers, in the order in which people look for it."""
        names = self.names_by_id(tx, hooks, enterprise_id).items()
        return [Nameable(id=id, label=name) for id, name in sorted(names, key=lambda pair: pair[1].casefold())]

    def unknown(self, text: str, names_by_id: Mapping[str, str], where: str) -> Problem:
        """Returns the problem that `text` names nothing, with what would be right."""
        names = sorted(set(names_by_id.values()))
        values = {"name": text[:100], "right": suggestions(text, names)}
        if self.kind == "category":
            return Problem("no_category", "There is no customer group {name} here. There are: {right}.", where, values)
        message = "There is no enterprise {name} here, or there are several. There are: {right}."
        return Problem("no_enterprise", message, where, values)


def suggestions(text: str, names: Sequence[str]) -> str:
    """Returns the names similar to `text`, else the first ten, as one text."""
    return ", ".join(get_close_matches(text, names, n=3) or names[:_SHOWN]) or "–"


def resolve_names(
    tx: Transaction, hooks: Hooks, enterprise_id: str, shape: type | None, settings: Mapping[str, object]
) -> dict[str, object]:
    """Replaces names by ids in settings that `shape` accepts.

    Raises `Invalid` with a problem for each unknown name, listing names that would be right.
    """
    resolved, problems = _resolve(tx, hooks, enterprise_id, shape, settings)
    if problems:
        raise Invalid(problems)
    return resolved


def unknown_names(
    tx: Transaction, hooks: Hooks, enterprise_id: str, shape: type | None, settings: Mapping[str, object]
) -> list[Problem]:
    """Returns a problem for each thing that stored settings name and that does not exist any more.

    Only for the operator: an archived enterprise is shown by its name, whoever could see it.
    """
    _, problems = _resolve(tx, hooks, enterprise_id, shape, settings)
    ids = [problem.values["name"] for problem in problems if problem.code == "no_enterprise"]
    query = select(enterprise.c.id, enterprise.c.name).where(enterprise.c.id.in_(ids))
    names = {row["id"]: row["name"] for row in tx.all(query)} if ids else {}
    return [
        replace(problem, values={**problem.values, "name": names.get(problem.values["name"], problem.values["name"])})
        for problem in problems
    ]


def read_categories(
    tx: Transaction, enterprise_id: str, texts: Sequence[str], where: str, problems: list[Problem]
) -> tuple[str, ...]:
    """Returns the ids of the enterprise's customer categories that `texts` name, by name or id.

    Adds a problem to `problems` for each unknown one, at `where` and its index; it stays as it is in the answer.
    """
    if not texts:
        return ()
    names_by_id = _category_names(tx, enterprise_id)
    ids = []
    for index, text in enumerate(texts):
        match = _matching_id(text, names_by_id)
        if match is None:
            problems.append(Names("category").unknown(text, names_by_id, f"{where}/{index}"))
        ids.append(match or text)
    return tuple(ids)


def _resolve(
    tx: Transaction, hooks: Hooks, enterprise_id: str, shape: type | None, settings: Mapping[str, object]
) -> tuple[dict[str, object], list[Problem]]:
    """Returns the settings with ids for names, and a problem for each name that is unknown."""
    resolved = deepcopy(dict(settings))
    problems: list[Problem] = []
    if shape is None:
        return resolved, problems
    names_by_mark: dict[Names, Mapping[str, str]] = {}
    for mark, parent, key, where in _marked_values(read_settings(shape, settings), resolved, "/settings"):
        if mark not in names_by_mark:
            names_by_mark[mark] = mark.names_by_id(tx, hooks, enterprise_id)
        match = _matching_id(parent[key], names_by_mark[mark])
        if match is None:
            problems.append(mark.unknown(parent[key], names_by_mark[mark], where))
        else:
            parent[key] = match
    return resolved, problems


def _marked_values(parsed: object, raw: Any, where: str) -> Iterator[tuple[Names, Any, object, str]]:
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


def _mark(hint: object) -> Names | None:
    return next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Names)), None)


def _inner_types(hint: object) -> Iterator[object]:
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
