"""Messages of which members were changed: each as the instance had said it, signed anew with its real keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from commensal_federation.delivery import post
from commensal_federation.delivery.tables import federation_outbox

from .nodes import Node

_box = federation_outbox.c
_RDF = "@value"
Path = tuple[str | int, ...]
NUMBERS = st.sampled_from([0, 1, 2, 3, 5, 10, 99, 1000, 10**6, 2**53 - 1]) | st.integers(-10, 10**7)
WORDS = st.sampled_from(
    [
        "",
        "Held",
        "Complete",
        "Cancelled",
        "confirmed",
        "shortened",
        "refused",
        "taken",
        "open",
        "agreed",
        "disputed",
        "EUR",
        "USD",
        "1",
        "0",
        "1000000",
        "0.001",
        "2020-01-01T00:00:00Z",
        "2026-06-05T12:00:00Z",
        "2027-06-05T12:00:00Z",
        "9999-01-01T00:00:00Z",
    ]
)


def told_before(node: Node, type_name: str) -> dict[str, Any] | None:
    """The last message of this type that the instance has said; None: it has said none."""
    with node.disk.read() as tx:
        query = (
            select(_box.body, _box.peer_id).where(_box.type == type_name).order_by(_box.epoch.desc(), _box.seq.desc())
        )
        row = tx.first(query.limit(1))
    return None if row is None else {"message": json.loads(row["body"]), "peer": row["peer_id"]}


def changed_message(data: st.DataObject, node: Node, type_name: str, before: dict[str, Any]) -> str:
    """Says it once more with changed members, under a number that is believed to be newer. Returns what was changed."""
    document = json.loads(json.dumps(before["message"]["object"]))
    changes = [_raise_number(document)]
    for _ in range(data.draw(st.integers(0, 4))):
        leaves = list(_leaves(document, ()))
        path = leaves[data.draw(st.integers(0, len(leaves) - 1))]
        changes.append(_change(data, document, path))
    federation = node.federation
    binding = federation.messages[type_name]
    lying = replace(binding, type=replace(binding.type, write=lambda body, writing: document))
    liar = replace(federation, messages={**federation.messages, type_name: lying})
    with node.instance.store.write() as tx:
        post(liar, tx, before["peer"], type_name, None, on_behalf_of=before["message"].get("onBehalfOf"))
    return f"{type_name} with {'; '.join(change for change in changes if change)}"


def _raise_number(document: Any) -> str:
    """A word under an older number changes nothing, so each lie has the next one, wherever that stands."""
    for path in list(_leaves(document, ())):
        name = _member_of(path)
        if name in ("rev", "answerNumber", "report") and path[0] != "@context":
            value = _at(document, path)
            if name == "rev" and not _is_of_order(document, path):
                continue
            _set(document, path, type(value)(int(value) + 1) if not isinstance(value, str) else str(int(value) + 1))
    return ""


def _is_of_order(document: Any, path: Path) -> bool:
    """Whether this `rev` is the order's, and not that of a line."""
    node = _at(document, path[:2]) if path[0] == "@graph" else document
    return isinstance(node, dict) and "OrderLine" not in str(node.get("@type", ""))


def _member_of(path: Path) -> str:
    names = [str(part) for part in path if isinstance(part, str) and part != _RDF]
    return names[-1].rpartition("#")[2].rpartition(":")[2] if names else ""


def _leaves(value: Any, path: Path) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ("@context", "proof", "statement", "originStatement"):
                yield from _leaves(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, (*path, number))
        if path and len(value) > 1:
            yield path
    else:
        yield path


def _change(data: st.DataObject, document: Any, path: Path) -> str:
    try:
        before = _at(document, path)
    except (KeyError, IndexError, TypeError):
        return ""  # it has gone with another change
    if isinstance(before, list):
        _set(document, path, before[: data.draw(st.integers(0, len(before) - 1))])
        return f"{_named(path)} cut off"
    if data.draw(st.integers(0, 7)) == 0:
        _remove(document, path)
        return f"{_named(path)} left out"
    after = _other(data, document, before)
    _set(document, path, after)
    return f"{_named(path)}={after!r}"


def _other(data: st.DataObject, document: Any, before: Any) -> Any:
    if isinstance(before, bool):
        return not before
    if isinstance(before, int):
        return data.draw(NUMBERS)
    if isinstance(before, str) and _is_number(before):
        near = [
            Decimal(before) * factor for factor in (Decimal("0.7"), Decimal("0.9"), Decimal("0.99"), Decimal("1.1"), 2)
        ]
        numbers = NUMBERS.map(str) | st.sampled_from([f"{number:f}" for number in near])
        return data.draw(numbers | st.sampled_from([str(int(number)) for number in near]))
    texts = sorted({text for path in _leaves(document, ()) if isinstance(text := _at(document, path), str)})
    concepts = [before.replace(before.rpartition("#")[2], word) for word in ("Cancelled", "Complete", "Held")]
    return data.draw(st.sampled_from([*texts, *concepts]) | WORDS)


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _named(path: Path) -> str:
    return "/".join(str(part).rpartition("#")[2] for part in path)


def _at(document: Any, path: Path) -> Any:
    for part in path:
        document = document[part]
    return document


def _set(document: Any, path: Path, value: Any) -> None:
    _at(document, path[:-1])[path[-1]] = value


def _remove(document: Any, path: Path) -> None:
    del _at(document, path[:-1])[path[-1]]
