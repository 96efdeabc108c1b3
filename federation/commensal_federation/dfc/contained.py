"""Leaves out links to things that a document does not have.

The official connector for Ruby, which Open Food Network uses, reads such a link as a hash and fails when it writes the
thing again, as it does to amend an order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .classes import PROPERTIES
from .findings import DocumentFindings
from .vocabulary import THINGS, DfcConsumption, DfcProduct, DfcProduction, Thing


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


# Finds links that form a cycle: a product that is its own variant, a case that is made of itself.


def note_cycles(things: Mapping[str, Thing], findings: DocumentFindings) -> None:
    """Reports chains of variants or of cases that lead back to their start; each cycle once."""
    for iri in _in_cycles(_variants(things)):
        findings.wrong("cycle", "{thing} is a variant of itself, over others or at once.", iri, thing=iri[:200])
    for iri in _in_cycles(_cases(things)):
        findings.wrong("cycle", "{thing} is made of itself, over others or at once.", iri, thing=iri[:200])


def _variants(things: Mapping[str, Thing]) -> dict[str, set[str]]:
    return {
        product.iri: {product.variant_of}
        for product in things.values()
        if isinstance(product, DfcProduct) and product.variant_of
    }


def _cases(things: Mapping[str, Thing]) -> dict[str, set[str]]:
    """The products that each product is made into."""
    outputs: dict[str | None, set[str]] = defaultdict(set)
    for thing in things.values():
        if isinstance(thing, DfcProduction) and thing.product and thing.transformation:
            outputs[thing.transformation].add(thing.product)
    links: dict[str, set[str]] = defaultdict(set)
    for thing in things.values():
        if isinstance(thing, DfcConsumption) and thing.product:
            links[thing.product] |= outputs.get(thing.transformation, set())
    return links


def _in_cycles(links: Mapping[str, set[str]]) -> list[str]:
    """One thing of each cycle, by a depth-first search that visits each link once."""
    iris: list[str] = []
    state: dict[str, bool] = {}  # on the current path: True; done: False
    for start in links:
        if start in state:
            continue
        state[start] = True
        path = [(start, iter(sorted(links[start])))]
        while path:
            node, successors = path[-1]
            successor = next(successors, None)
            if successor is None:
                state[node] = False
                path.pop()
            elif state.get(successor):
                iris.append(successor)
            elif successor not in state:
                state[successor] = True
                path.append((successor, iter(sorted(links.get(successor, ())))))
    return iris
