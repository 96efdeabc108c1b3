"""What an enterprise wants to happen at the cut-offs of its sales."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypedDict, Unpack, get_args

from sqlalchemy import select

from ...base.errors import Invalid, Problem
from ...storage.database import Transaction, insert_or
from .tables import closing_policy

Telling = Literal["at the cut-off", "by hand"]
Shortage = Literal["newest first", "pro rata", "by hand"]


@dataclass(frozen=True, kw_only=True)
class ClosingPolicy:
    """telling:  "at the cut-off": suppliers get their orders at once; "by hand": when a person has looked at them
    shortage: who gets less of what a supplier does not bring. "newest first": the latest orders get nothing of it;
              "pro rata": all of them get less; "by hand": a person changes orders
    final_mail: whether customers are mailed their final order when a sale has closed
    reminder:  whether they are reminded of it on the evening before the distribution
    """

    telling: Telling = "at the cut-off"
    shortage: Shortage = "newest first"
    final_mail: bool = True
    reminder: bool = True


class ClosingPolicyChanges(TypedDict, total=False):
    telling: Telling
    shortage: Shortage
    final_mail: bool
    reminder: bool


_COLUMNS = [closing_policy.c[field.name] for field in fields(ClosingPolicy)]
_CHOICES = {"telling": get_args(Telling), "shortage": get_args(Shortage)}


def closing_policy_of(tx: Transaction, enterprise_id: str) -> ClosingPolicy:
    """Returns the enterprise's policy; the defaults if it has chosen none."""
    row = tx.first(select(*_COLUMNS).where(closing_policy.c.enterprise_id == enterprise_id))
    return ClosingPolicy(**row) if row is not None else ClosingPolicy()


def change_closing_policy(
    tx: Transaction, enterprise_id: str, **changes: Unpack[ClosingPolicyChanges]
) -> ClosingPolicy:
    """Changes the named choices for future cut-offs and shortages. Returns the policy. Raises `Invalid`."""
    values: dict[str, Any] = {**asdict(closing_policy_of(tx, enterprise_id)), **changes}
    problems = [
        Problem("choice", "Choose one of these: {choices}.", f"/{name}", {"choices": ", ".join(choices)})
        for name, choices in _CHOICES.items()
        if values[name] not in choices
    ]
    if problems:
        raise Invalid(problems)
    statement = insert_or(tx, closing_policy).values(enterprise_id=enterprise_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["enterprise_id"], set_=values))
    return ClosingPolicy(**values)
