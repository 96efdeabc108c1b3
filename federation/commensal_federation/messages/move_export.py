"""MoveExport: a part of what the enterprise takes along, as rows that `messages/bodies/enterprise_rows.py` explains."""

from __future__ import annotations

from ..signing import JsonObject, Unreadable
from .bodies.enterprise_rows import read_rows
from .bodies.moving import MoveExport
from .members import ENTERPRISE
from .reading import number, text
from .types import MessageType, Reading, Writing

_MOST = 10_000


def write(body: MoveExport, writing: Writing) -> dict[str, object]:
    return {
        "type": "MoveExport",
        "enterprise": body.enterprise,
        "part": body.part,
        "parts": body.parts,
        "rows": list(body.rows),
    }


def read(document: JsonObject, reading: Reading) -> MoveExport:
    rows = document.get("rows")
    read_rows(rows)
    part, parts = number(document, "part"), number(document, "parts")
    if not isinstance(rows, list) or not 1 <= part <= parts <= _MOST:
        raise Unreadable("part", f"parts are counted from 1 to {_MOST} at most")
    return MoveExport(enterprise=text(document, "enterprise"), part=part, parts=parts, rows=tuple(rows))


MOVE_EXPORT = MessageType(
    name="MoveExport",
    lane="catalogue",
    scope="enterprise.move",
    body=MoveExport,
    write=write,
    read=read,
    members={
        "enterprise": ENTERPRISE,
        "part": "from 1",
        "parts": "how many there are",
        "rows": "one for each thing, by `kind`; only an instance of Commensal can take them",
    },
)
