"""The kinds of notices: whom each concerns, how often it is mailed, and what the mail says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from .enterprise_wordings import hub_wordings, move_wordings, producer_wordings
from .peer_kinds import Wording as Wording
from .peer_kinds import operator_wordings

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
