"""Whatever the object of a message holds, the answer is a refusal of that message, and of no other."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from commensal_federation.delivery.inbox import verification
from commensal_federation.dfc.findings import UnreadableDocument
from commensal_federation.handlers import TYPES
from commensal_federation.messages.types import Reading
from commensal_federation.signing import Unreadable

from .examples import FARM, HUB, example

BROKEN: list[Any] = [
    None, [], {}, "", -1, True, "x", "x" * 600, [None], {"@id": 5}, {"@value": {}}, ["a", "b"], "1e400", "NaN",
    {"@list": [1]}, "2026-13-45T99:99:99Z", {"@type": 5},
]  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every member and element in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inside:
        yield (*at, name)
        yield from places(one, (*at, name))


def spoiled(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(document)
    parent = made
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = value
    return made


@pytest.mark.parametrize("name", TYPES)
def test_an_object_that_is_broken_anywhere_is_refused(name: str) -> None:
    said = json.loads(example(name))
    origin, base = (HUB, FARM) if said["actor"].startswith(HUB) else (FARM, HUB)
    for place in places(said["object"]):
        for value in BROKEN:
            with suppress(Unreadable, UnreadableDocument):  # whatever else is raised fails
                TYPES[name].read(spoiled(said["object"], place, value), Reading(base, origin))


def test_a_broken_document_leaves_the_others_of_its_batch_alone(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once, it was an error of ours: the whole batch was sent again, for a week, and nothing behind it came through."""
    broken = forger.signed(
        type="CatalogueUpsert",
        lane="catalogue",
        object={"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "@graph": []},
    )
    answer = forger.send(forger.signed("before"), broken)
    assert [message["status"] for message in json.loads(answer.body)["messages"]] == [202, 422]
    assert notes.at(forger.region["b"]) == ["before"]
    monkeypatch.setattr(verification, "UnreadableDocument", Unreadable)
    with pytest.raises(UnreadableDocument):
        forger.send(forger.signed("after"), broken)
