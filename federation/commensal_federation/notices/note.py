"""Notes what people are to be told, in the transaction in which it happens. `sending` mails it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete

from commensal import Transaction, format_moment, format_money, insert_or

from .tables import federation_notice

# Values of a notice: written as JSON when it is noted, shown in the language and time zone of each reader.

LONGEST = 200  # characters of a value, which a peer may have written


@dataclass(frozen=True)
class Owed:
    """`amount` minor units of an ISO 4217 currency."""

    amount: int
    currency: str


def write_values(values: Mapping[str, object]) -> dict[str, object]:
    """The values as JSON can hold them. Texts become one line of at most `LONGEST` characters."""
    return {name: _write(value) for name, value in values.items()}


def show_values(details: Mapping[str, object], language: str, timezone: str) -> dict[str, str]:
    """The values as a mail shows them, moments in the IANA `timezone`."""
    return {name: _show(value, language, timezone) for name, value in details.items()}


def _write(value: object) -> object:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, Owed):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, int):
        return value
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _show(value: object, language: str, timezone: str) -> str:
    if isinstance(value, dict):
        if "at" in value:
            return format_moment(datetime.fromisoformat(value["at"]), timezone, language)
        return format_money(value["amount"], value["currency"], language)
    return str(value)


GRACE = timedelta(minutes=2)  # in which notices of one kind come together in one mail
_row = federation_notice.c
_KEY = ("enterprise_id", "kind", "peer_id", "subject_id")


def note_for_enterprise(
    tx: Transaction, enterprise_id: str, kind: str, peer_id: str, subject_id: str = "", **values: object
) -> None:
    """Notes an event for the people of an enterprise of ours. `kind` is one of `wordings`, whose texts use `values`.

    The same subject again replaces the values. What is mailed, and how often, is decided by `sending`.
    """
    row = {"enterprise_id": enterprise_id, "kind": kind, "peer_id": peer_id, "subject_id": subject_id}
    state = {"details": write_values(values), "waiting": True, "due_at": tx.now + GRACE}
    new = insert_or(tx, federation_notice).values(**row, **state)
    # What is noted again and again is not put off by that.
    due_at = case((_row.waiting, _row.due_at), else_=new.excluded.due_at)
    changed = {"details": new.excluded.details, "waiting": new.excluded.waiting, "due_at": due_at}
    tx.execute(new.on_conflict_do_update(index_elements=_KEY, set_=changed))


def note_for_operators(tx: Transaction, kind: str, peer_id: str, text: str) -> None:
    """Notes a condition of a peer for the operators of this instance; `text` is in English."""
    note_for_enterprise(tx, "", kind, peer_id, text=text)


def forget_notice(tx: Transaction, enterprise_id: str, kind: str, subject_id: str) -> None:
    """Drops a notice that was not mailed yet, because somebody has acted on it."""
    filters = (_row.enterprise_id == enterprise_id, _row.kind == kind, _row.subject_id == subject_id, _row.waiting)
    tx.execute(delete(federation_notice).where(*filters))
