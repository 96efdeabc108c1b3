"""Finds links that form a cycle: a product that is its own variant, a case that is made of itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from .findings import DocumentFindings
from .vocabulary import DfcConsumption, DfcProduct, DfcProduction, Thing


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
