"""Notes what people are to be told, by its kind, in the transaction in which it happens. `sending` mails it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, delete

from commensal import Transaction, format_moment, format_money, insert_or

from .enterprise_wordings import hub_wordings, move_wordings, producer_wordings
from .peer_kinds import Wording as Wording
from .peer_kinds import operator_wordings
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


# The kinds of notices: whom each concerns, how often it is mailed, and what the mail says.

_EVENTS = timedelta(hours=1)
_CONDITIONS = timedelta(days=1)


@dataclass(frozen=True)
class NoticeKind:
    """scope: members of the enterprise whose role has it are mailed; empty: operators
    pause: between two mails about one peer to one audience
    """

    scope: str = ""
    pause: timedelta = _CONDITIONS


KINDS = {
    # a producer's people
    "order_waits": NoticeKind("orders:write", _EVENTS),
    "order_final": NoticeKind("orders:write", _EVENTS),
    "claimed": NoticeKind("orders:write", _EVENTS),
    "grant_accepted": NoticeKind("grants:write", _EVENTS),
    "grant_refused": NoticeKind("grants:write", _EVENTS),
    "grant_given_up": NoticeKind("grants:write", _EVENTS),
    "sold_late": NoticeKind("orders:write"),
    # a hub's people
    "grant_offered": NoticeKind("grants:write", _EVENTS),
    "grant_ended": NoticeKind("sales:write", _EVENTS),
    "sale_proposed": NoticeKind("sales:write", _EVENTS),
    "sale_changed": NoticeKind("sales:write", _EVENTS),
    "shortened": NoticeKind("orders:write", _EVENTS),
    "confirmed_late": NoticeKind("orders:write", _EVENTS),
    "objected": NoticeKind("orders:write", _EVENTS),
    "oversold": NoticeKind("orders:write"),
    "producer_away": NoticeKind("sales:write"),
    "item_left_out": NoticeKind("catalogs:write"),
    "sums_differ": NoticeKind("payments:write"),
    "platform_sums_differ": NoticeKind("payments:write"),
    "price_asked": NoticeKind("catalogs:write", _EVENTS),
    "first_price": NoticeKind("catalogs:write", _EVENTS),
    "origin_silent": NoticeKind("catalogs:write"),
    # both
    "move_refused": NoticeKind("members:write", _EVENTS),
    "arrived": NoticeKind("members:write", _EVENTS),
    "arriving": NoticeKind("members:write"),  # mailed at once, to a person who is not a member yet
    "unsettled": NoticeKind("orders:write"),
}
CONDITIONS = frozenset(operator_wordings(str))  # of a peer, about which operators are mailed


def pause_of(kind: str) -> timedelta:
    """The time between two mails of this kind about one peer to one audience."""
    return KINDS.get(kind, NoticeKind()).pause


def scope_of(kind: str) -> str:
    """The scope that a member's role must have to be mailed."""
    return KINDS[kind].scope


def wording(kind: str, _: Callable[[str], str]) -> Wording:
    """The texts of a kind in the language of `_`, without their values. Raises `KeyError` for an unknown kind."""
    return {**producer_wordings(_), **hub_wordings(_), **move_wordings(_), **operator_wordings(_)}[kind]
