"""``commensal enterprise guests``: shows and changes the rules of a hub for orders by guests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer

from ...base.errors import Invalid, Problem
from ...base.languages.formats import format_money
from ...base.money import read_amount
from ...enterprises.enterprises import Enterprise
from ...enterprises.guest_policy import GuestPolicy, change_guest_policy, guest_policy_of
from ...instance import open_instance
from ...storage.database import Transaction
from ..terminal.lists import print_table
from ..terminal.shell import shell_language, spoken
from .named import HERE, Folder, named_enterprise

_OPTIONS = {
    "guests": "--guests",
    "largest_unpaid": "--largest",
    "orders_of_mailbox": "--orders-of-mailbox",
    "orders_of_network": "--orders-of-network",
    "confirm_minutes": "--confirm-minutes",
    "unpaid_hours": "--unpaid-hours",
}
_UNLIMITED = "none"


def add_to(app: typer.Typer) -> None:
    @app.command("guests")
    def guests_command(
        hub: Annotated[str, typer.Argument(help="The hub: its id or its name in addresses.")],
        guests: Annotated[
            str | None, typer.Option(help="no: log in first; link: confirm by the link in the e-mail; yes: at once.")
        ] = None,
        largest: Annotated[
            str | None, typer.Option(help="The most that an order of a guest may leave unpaid, like 300.00, or none.")
        ] = None,
        orders_of_mailbox: Annotated[int | None, typer.Option(help="Unpaid orders of one e-mail address.")] = None,
        orders_of_network: Annotated[int | None, typer.Option(help="Unpaid orders from one network address.")] = None,
        confirm_minutes: Annotated[
            int | None, typer.Option(help="Minutes in which the link must be followed; then the order is cancelled.")
        ] = None,
        unpaid_hours: Annotated[
            int | None, typer.Option(help="Hours in which an order must be paid; 0: until the distribution.")
        ] = None,
        instance: Folder = HERE,
    ) -> None:
        """Shows how people without a proven address may order at a hub. With options, changes it for later orders."""
        numbers = {
            "orders_of_mailbox": orders_of_mailbox,
            "orders_of_network": orders_of_network,
            "confirm_minutes": confirm_minutes,
            "unpaid_hours": unpaid_hours,
        }
        changes: dict[str, object] = {"guests": guests, **numbers}
        changes = {name: value for name, value in changes.items() if value is not None}
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                enterprise = named_enterprise(tx, hub)
                policy = guest_policy_of(tx, enterprise.id)
            if largest is not None:
                changes["largest_unpaid"] = _read_largest(largest, enterprise.currency)
            if changes:
                with opened.store.write() as tx:
                    policy = _change(tx, enterprise.id, changes)
        _print(policy, enterprise)


def _change(tx: Transaction, enterprise_id: str, changes: Mapping[str, Any]) -> GuestPolicy:
    """Changes the policy. Raises `Invalid` naming the options instead of the fields."""
    try:
        return change_guest_policy(tx, enterprise_id, **changes)
    except Invalid as error:
        problems = [replace(problem, where=_OPTIONS[problem.where.strip("/")]) for problem in error.problems]
        raise Invalid(problems) from None


def _read_largest(text: str, currency: str) -> int | None:
    """Returns minor units of the currency; None for no limit."""
    if text.strip().casefold() == _UNLIMITED:
        return None
    amount = read_amount(text, currency)
    if isinstance(amount, Problem):
        raise Invalid([replace(amount, where="--largest")])
    return amount


def _print(policy: GuestPolicy, enterprise: Enterprise) -> None:
    largest = policy.largest_unpaid
    values = {
        "guests": policy.guests,
        "largest_unpaid": _UNLIMITED
        if largest is None
        else format_money(largest, enterprise.currency, shell_language()),
        "orders_of_mailbox": str(policy.orders_of_mailbox),
        "orders_of_network": str(policy.orders_of_network),
        "confirm_minutes": str(policy.confirm_minutes),
        "unpaid_hours": str(policy.unpaid_hours),
    }
    rows = [(_OPTIONS[name], value) for name, value in values.items()]
    print_table((spoken("option"), spoken("now")), rows, one_line=[spoken("option")])
