"""Leaves out links to things that a document does not have.

The official connector for Ruby, which Open Food Network uses, reads such a link as a hash and fails when it writes the
thing again, as it does to amend an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .classes import PROPERTIES
from .vocabulary import THINGS, Thing


def contained(things: Iterable[Thing]) -> list[Thing]:
    """Returns the same things, without their links to anything that is not among them."""
    document = list(things)
    iris = {thing.iri for thing in document}
    return [_without_links_beyond(thing, iris) for thing in document]


def renamed(things: Iterable[Thing], names: Mapping[str, str]) -> list[Thing]:
    """Returns the same things with the IRIs that `names` has for theirs, in their links too."""
    return [_renamed(thing, names) for thing in things]


def _renamed(thing: Thing, names: Mapping[str, str]) -> Thing:
    changes: dict[str, Any] = {"iri": names.get(thing.iri, thing.iri)}
    for name in _LINKS.get(type(thing), ()):
        value = getattr(thing, name)
        if isinstance(value, tuple):
            changes[name] = tuple(names.get(iri, iri) for iri in value)
        elif value is not None:
            changes[name] = names.get(value, value)
    return replace(thing, **changes)


def _without_links_beyond(thing: Thing, iris: set[str]) -> Thing:
    changes: dict[str, Any] = {}
    attributes = vars(thing)
    for name in _LINKS.get(type(thing), ()):
        value = attributes[name]
        if isinstance(value, tuple):
            if not iris.issuperset(value):
                changes[name] = tuple(iri for iri in value if iri in iris)
        elif value is not None and value not in iris:
            changes[name] = None
    return replace(thing, **changes) if changes else thing


def _fields_with_links(kind: type[Thing]) -> tuple[str, ...]:
    return tuple(name for name, definition in PROPERTIES[kind].items() if definition.datatype in ("link", "links"))


_LINKS = {kind: _fields_with_links(kind) for kind in THINGS}
