"""Whatever the object of a message holds, that message is refused, and no other."""

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
    None,
    [],
    {},
    "",
    -1,
    True,
    "x",
    "x" * 600,
    [None],
    {"@id": 5},
    {"@value": {}},
    ["a", "b"],
    "1e400",
    "NaN",
    {"@list": [1]},
    "2026-13-45T99:99:99Z",
    {"@type": 5},
]


def paths_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the path of every member and element in the value."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield (*at, name)
        yield from paths_in(child, (*at, name))


def with_value_at(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(document)
    parent = changed
    for name in place[:-1]:
        parent = parent[name]
    parent[place[-1]] = value
    return changed


@pytest.mark.parametrize("name", TYPES)
def test_an_object_that_is_broken_anywhere_is_refused(name: str) -> None:
    message = json.loads(example(name))
    origin, base = (HUB, FARM) if message["actor"].startswith(HUB) else (FARM, HUB)
    for place in paths_in(message["object"]):
        for value in BROKEN:
            with suppress(Unreadable, UnreadableDocument):  # any other exception fails the test
                TYPES[name].read(with_value_at(message["object"], place, value), Reading(base, origin))


def test_a_broken_document_leaves_the_others_of_its_batch_alone(
    forger: Any, notes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was once an internal error: the batch was sent again for a week, and later messages did not arrive."""
    broken_message = forger.signed(
        type="CatalogueUpsert",
        lane="catalogue",
        object={"@context": "https://w3id.org/dfc/ontology/context/context_1.16.0.json", "@graph": []},
    )
    answer = forger.send(forger.signed("before"), broken_message)
    assert [message["status"] for message in json.loads(answer.body)["messages"]] == [202, 422]
    assert notes.at(forger.region["b"]) == ["before"]
    monkeypatch.setattr(verification, "UnreadableDocument", Unreadable)
    with pytest.raises(UnreadableDocument):
        forger.send(forger.signed("after"), broken_message)
