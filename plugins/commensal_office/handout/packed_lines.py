"""Which lines of the orders of a sale lie in their crates, and who laid them in: the same on every telephone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from commensal import PricedLine, Transaction, insert_once
from commensal.enterprises import list_members

from ..tables import office_packed_line

_row = office_packed_line.c
_KEPT = timedelta(days=14)  # after a line was laid in


@dataclass(frozen=True, kw_only=True)
class PackedLine:
    """`quantity` pieces of a line that lie in their crate since `at` (UTC); `by` is the name of who laid them in, ""
    for who is not a member any more."""

    line_id: str
    order_id: str
    quantity: int
    at: datetime
    by: str

    def is_of(self, line: PricedLine) -> bool:
        """Whether all that the line has now lies there."""
        return self.line_id == line.id and self.quantity == line.quantity


def packed_lines(tx: Transaction, enterprise_id: str, session_id: str) -> dict[str, PackedLine]:
    """Returns the lines of a session that lie in their crates, by their ids. Two statements."""
    of_session = (_row.enterprise_id == enterprise_id, _row.session_id == session_id)
    names = {member.person_id: member.name for member in list_members(tx, enterprise_id)}
    return {
        row["line_id"]: PackedLine(
            line_id=row["line_id"],
            order_id=row["order_id"],
            quantity=row["quantity"],
            at=row["at"],
            by=names.get(row["person_id"], ""),
        )
        for row in tx.all(select(office_packed_line).where(*of_session))
    }


def lay_in(
    tx: Transaction,
    enterprise_id: str,
    session_id: str,
    lines: Mapping[str, Sequence[PricedLine]],
    shown: Collection[str],
    ticked: Collection[str],
    *,
    by: str,
) -> None:
    """Makes `ticked` those of the `shown` lines that lie in their crates. `lines` are those of the session by order id;
    others are left out. Forgets lines of sales that are long over."""
    known = {line.id: (order_id, line) for order_id, of_order in lines.items() for line in of_order}
    before = packed_lines(tx, enterprise_id, session_id)
    tx.execute(delete(office_packed_line).where(_row.enterprise_id == enterprise_id, _row.at < tx.now - _KEPT))
    for line_id in sorted(set(shown) & known.keys()):
        order_id, line = known[line_id]
        lies_there = line_id in before and before[line_id].is_of(line)
        if lies_there == (line_id in ticked):
            continue
        tx.execute(delete(office_packed_line).where(_row.line_id == line_id))
        if line_id in ticked:
            row = {"line_id": line_id, "order_id": order_id, "quantity": line.quantity, "at": tx.now, "person_id": by}
            insert_once(tx, office_packed_line, {"enterprise_id": enterprise_id, "session_id": session_id, **row})
