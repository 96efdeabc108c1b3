"""The rules of an enterprise for orders by people without a proven identity: guests, and accounts with an unconfirmed
address. An enterprise that has chosen none gets the safe defaults."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy import select

from ..base.errors import Invalid, Problem
from ..storage.database import Transaction, insert_or
from .tables import guest_policy

LARGEST_AMOUNT = 10**12  # minor units
_BOUNDS = {  # least and most of each number
    "orders_of_mailbox": (1, 1000),
    "orders_of_network": (1, 10_000),
    "confirm_minutes": (5, 7 * 24 * 60),
    "unpaid_hours": (0, 90 * 24),
}


@dataclass(frozen=True, kw_only=True)
class GuestPolicy:
    """guests:            "no": they must log in first; "link": their order stands once they have followed the link of
                       its mail; "yes": it stands at once
    largest_unpaid:    minor units of the enterprise's currency that an order of a guest may leave unpaid; None: any
    orders_of_mailbox: unpaid orders that one e-mail address may have at a time; each holds goods, and a place in a slot
    orders_of_network: the same of one IPv4 address, or /64 of IPv6
    confirm_minutes:   how long a mailed link may be followed, with "link"; then the order is cancelled
    unpaid_hours:      how long an order of a guest may stay unpaid; then it is cancelled. 0: until the distribution,
                       as for those who pay when they collect; only with "link"
    """

    guests: Literal["no", "link", "yes"] = "link"
    largest_unpaid: int | None = 30_000
    orders_of_mailbox: int = 3
    orders_of_network: int = 10
    confirm_minutes: int = 60
    unpaid_hours: int = 0


class GuestPolicyChanges(TypedDict, total=False):
    guests: Literal["no", "link", "yes"]
    largest_unpaid: int | None
    orders_of_mailbox: int
    orders_of_network: int
    confirm_minutes: int
    unpaid_hours: int


POLICY_COLUMNS = [guest_policy.c[field.name] for field in fields(GuestPolicy)]


def guest_policy_of(tx: Transaction, enterprise_id: str) -> GuestPolicy:
    """The enterprise's policy; the safe defaults if it has chosen none."""
    row = tx.first(select(*POLICY_COLUMNS).where(guest_policy.c.enterprise_id == enterprise_id))
    return GuestPolicy(**row) if row is not None else GuestPolicy()


def change_guest_policy(tx: Transaction, enterprise_id: str, **changes: Unpack[GuestPolicyChanges]) -> GuestPolicy:
    """Changes the named rules for future orders and returns the policy. Raises `Invalid` with every mistake."""
    values: dict[str, Any] = {**asdict(guest_policy_of(tx, enterprise_id)), **changes}
    problems = [
        Problem("out_of_range", "This must be between {least} and {most}.", f"/{name}", {"least": least, "most": most})
        for name, (least, most) in _BOUNDS.items()
        if not least <= values[name] <= most
    ]
    if values["guests"] not in ("no", "link", "yes"):
        problems.append(Problem("guests", 'This is "no", "link" or "yes".', "/guests"))
    largest = values["largest_unpaid"]
    if largest is not None and not 0 <= largest <= LARGEST_AMOUNT:
        bounds = {"least": 0, "most": LARGEST_AMOUNT}
        problems.append(Problem("out_of_range", "This must be between {least} and {most}.", "/largest_unpaid", bounds))
    if values["guests"] == "yes" and values["unpaid_hours"] == 0:
        text = "Say after how many hours an unpaid order is cancelled: otherwise anybody can hold your goods."
        problems.append(Problem("unpaid_hours", text, "/unpaid_hours"))
    if problems:
        raise Invalid(problems)
    statement = insert_or(tx, guest_policy).values(enterprise_id=enterprise_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["enterprise_id"], set_=values))
    return GuestPolicy(**values)
