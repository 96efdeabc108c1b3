"""Links that come back to where they began: a product that is its own variant, a case that is made of itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from .findings import Findings
from .vocabulary import DfcConsumption, DfcProduct, DfcProduction, Thing


def note_cycles(things: Mapping[str, Thing], findings: Findings) -> None:
    """Reports every thing from which a chain of variants or of cases leads back to itself; each cycle once."""
    for iri in _in_cycles(_variants(things)):
        findings.wrong("cycle", "{thing} is a variant of itself, over others or at once.", iri, thing=iri[:200])
    for iri in _in_cycles(_cases(things)):
        findings.wrong("cycle", "{thing} is made of itself, over others or at once.", iri, thing=iri[:200])


def _variants(things: Mapping[str, Thing]) -> dict[str, set[str]]:
    return {one.iri: {one.variant_of} for one in things.values() if isinstance(one, DfcProduct) and one.variant_of}


def _cases(things: Mapping[str, Thing]) -> dict[str, set[str]]:
    """What each product is made into."""
    made: dict[str | None, set[str]] = defaultdict(set)
    for one in things.values():
        if isinstance(one, DfcProduction) and one.product and one.transformation:
            made[one.transformation].add(one.product)
    links: dict[str, set[str]] = defaultdict(set)
    for one in things.values():
        if isinstance(one, DfcConsumption) and one.product:
            links[one.product] |= made.get(one.transformation, set())
    return links


def _in_cycles(links: Mapping[str, set[str]]) -> list[str]:
    """One thing of each cycle, by a search in depth that visits each link once."""
    found: list[str] = []
    state: dict[str, bool] = {}  # on the way: True; done: False
    for start in links:
        if start in state:
            continue
        state[start] = True
        way = [(start, iter(sorted(links[start])))]
        while way:
            here, ahead = way[-1]
            there = next(ahead, None)
            if there is None:
                state[here] = False
                way.pop()
            elif state.get(there):
                found.append(there)
            elif there not in state:
                state[there] = True
                way.append((there, iter(sorted(links.get(there, ())))))
    return found
