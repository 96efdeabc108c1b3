"""How a booking goes from confirmed to its end, and what is owed at each end.

Every end of the real world has a row: a sender who cancels in time or late, a carrier whose van breaks down, goods that
are not there, goods that their sender brought after all, and goods that came warm.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, get_args

State = Literal[
    "ordered",
    "refused",
    "confirmed",
    "picked_up",
    "delivered",
    "cancelled_free",
    "cancelled_late",
    "cancelled_by_carrier",
    "no_show",
    "gone",
    "returned",
]
Event = Literal[
    "pick_up", "deliver", "cancel", "cancel_late", "fail", "no_goods", "brought_by_sender", "refuse_warm", "skip"
]
Owed = Literal["share", "detour", "nothing"]

STATES: tuple[State, ...] = get_args(State)
NEXT: dict[State, dict[Event, State]] = {
    "ordered": {"cancel": "cancelled_free", "cancel_late": "cancelled_free"},  # at another instance, not answered yet
    "confirmed": {
        "pick_up": "picked_up",
        "cancel": "cancelled_free",
        "cancel_late": "cancelled_late",
        "fail": "cancelled_by_carrier",
        "no_goods": "no_show",
        "brought_by_sender": "gone",
    },
    "picked_up": {"deliver": "delivered", "refuse_warm": "returned"},
    "cancelled_late": {"skip": "cancelled_free"},  # the van did not go there after all
}
OWED: dict[State, Owed] = {
    "ordered": "nothing",
    "refused": "nothing",
    "confirmed": "nothing",  # nobody pays without a pick-up
    "picked_up": "share",
    "delivered": "share",
    "cancelled_free": "nothing",
    "cancelled_late": "detour",
    "cancelled_by_carrier": "nothing",
    "no_show": "detour",
    "gone": "detour",
    "returned": "nothing",
}
# In these at the end, the booking was part of the round, and its sides read the statement.
TOOK_PART: frozenset[State] = frozenset(state for state, owes in OWED.items() if owes != "nothing") | {"returned"}
LOADED: frozenset[State] = frozenset({"picked_up", "delivered", "returned"})
"""These goods were loaded, so that their count can be corrected."""
HOLDS_ROOM: frozenset[State] = frozenset({"confirmed", "picked_up"})
ON_THE_WAY: frozenset[State] = frozenset(
    {"confirmed", "picked_up", "delivered", "cancelled_late", "no_show", "gone", "returned"}
)
"""The van stops, or stopped, for these."""
MEET: frozenset[State] = ON_THE_WAY - {"cancelled_late"}
"""The sides of these meet, or have met: until `REACHABLE` after the trip they read each other's contacts."""
REACHABLE = timedelta(hours=48)
ACTIVE: frozenset[State] = frozenset({"ordered", "confirmed", "picked_up", "delivered"})
"""These goods are carried: nobody else may book them."""

ACTS: dict[Event, Literal["carrier", "sender", "receiver"]] = {
    "pick_up": "carrier",
    "deliver": "carrier",
    "cancel": "sender",
    "cancel_late": "sender",
    "fail": "carrier",
    "no_goods": "carrier",
    "brought_by_sender": "carrier",
    "refuse_warm": "receiver",
    "skip": "carrier",
}
"""Who may report an event."""


def after(state: State, event: Event) -> State | None:
    """The state after the event; None if it cannot happen in this state."""
    return NEXT.get(state, {}).get(event)
