"""Messages of which members were changed: each as the instance had said it, signed anew with its real keys."""

from __future__ import annotations

import json
import re
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
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
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
    for _ in range(data.draw(st.integers(1, 4))):
        changes.append(data.draw(st.sampled_from(_WAYS))(data, document))
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
            if str(value).isdigit():
                number = int(value) + 1
                _set(document, path, str(number) if isinstance(value, str) else number)
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


def _telling(data: st.DataObject, document: Any) -> str:
    """Another number, day or state."""
    leaves = [path for path in _leaves(document, ()) if _tells(_at(document, path))]
    return _change(data, document, data.draw(st.sampled_from(leaves))) if leaves else ""


def _any(data: st.DataObject, document: Any) -> str:
    leaves = list(_leaves(document, ()))
    return _change(data, document, data.draw(st.sampled_from(leaves))) if leaves else ""


def _less_lines(data: st.DataObject, document: Any) -> str:
    """A line is left out, with all that names it."""
    lines = [node for node in document.get("@graph", ()) if "OrderLine" in str(node.get("@type", ""))]
    if not lines:
        return ""
    gone = data.draw(st.sampled_from(lines))
    name = str(gone.get("@id", ""))
    document["@graph"].remove(gone)
    for node in document["@graph"]:
        parts = node.get("dfc-b:hasPart")
        if isinstance(parts, list):
            node["dfc-b:hasPart"] = [part for part in parts if part != name]
    return f"without {name.rpartition('/')[2]}"


def _receipt(data: st.DataObject, document: Any) -> str:
    """It says what it got, and what it owes for it, in parts that fit each other or do not."""
    nodes = {node["@id"]: node for node in document.get("@graph", ()) if "@id" in node}
    lines = [node for node in nodes.values() if "OrderLine" in str(node.get("@type", "")) and "dfc-b:hasPrice" in node]
    order = next((node for node in nodes.values() if node.get("@type") == "dfc-b:Order"), None)
    if order is None or not lines:
        return _scales(data, document)
    parts, owed = [], 0
    for line in lines:
        part, weighs = data.draw(st.sampled_from(_PARTS)), data.draw(st.booleans())
        parts.append(f"{part}{' weighed' if weighs else ''}")
        pieces = _whole(line.get("dfc-b:quantity"))
        amount = int(_decimal(nodes.get(line["dfc-b:hasPrice"], {}).get("dfc-b:value")) * 100 * pieces * part)
        line |= {f"{_OWN}received": str(pieces), f"{_OWN}amount": str(amount)}
        if weighs:
            line[f"{_OWN}weighed"] = f"{pieces * data.draw(st.sampled_from(_SIZES)) * part:f}"
        owed += amount
    order[f"{_OWN}owed"] = str(owed + data.draw(st.sampled_from([0, 0, 0, -1, 1, -100])))
    return f"a receipt of {', '.join(parts)}"


def _scales(data: st.DataObject, document: Any) -> str:
    """A producer says what its goods weigh, where it answers an order."""
    lines = [node for node in document.get("@graph", ()) if "OrderLine" in str(node.get("@type", ""))]
    for line in lines:
        line[f"{_OWN}weighed"] = str(data.draw(NUMBERS | st.sampled_from([Decimal("2.2"), Decimal("1.9")])))
    return "weighed anew" if lines else ""


def _called_off(data: st.DataObject, document: Any) -> str:
    """A hub cancels; a producer says of all lines alike how many pieces come."""
    nodes = document.get("@graph", ())
    orders = [node for node in nodes if "dfc-b:hasOrderStatus" in node]
    for node in orders:
        node["dfc-b:hasOrderStatus"] = "dfc-v:Cancelled"
    if orders:
        return "cancelled"
    pieces, answers = data.draw(st.sampled_from([0, 2, 1000])), [node for node in nodes if f"{_OWN}answer" in node]
    for node in answers:
        node |= {"dfc-b:quantity": str(pieces), f"{_OWN}answer": "confirmed" if pieces else "refused"}
    return f"{pieces} of each" if answers else ""


_OWN = "https://commensal.example/ns/federation/v1#"
_PARTS = [Decimal(part) for part in ("0", "0.5", "0.7", "0.9", "0.95", "0.99", "1", "1.1", "2")]
_SIZES = [Decimal(1), Decimal("0.5")]
_WAYS = [_telling] * 5 + [_receipt] * 2 + [_any, _less_lines, _called_off]


def _tells(value: Any) -> bool:
    """Whether a value is a number, a day, a state or an answer, of which money may follow."""
    if not isinstance(value, str):
        return isinstance(value, int)
    is_day = len(value) >= 20 and value[4] == value[7] == "-"
    return is_day or _is_number(value) or value in _STATES or value.startswith("dfc-v:")


_STATES = ("confirmed", "shortened", "refused", "taken", "open", "agreed", "disputed")


def _whole(value: Any) -> int:
    return int(_decimal(value))


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value)) if _is_number(str(value)) and len(str(value)) < 20 else Decimal(0)


def _change(data: st.DataObject, document: Any, path: Path) -> str:
    before = _at(document, path)
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
    return bool(_NUMBER.fullmatch(text))


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
