"""Orders at distant platforms on the command line: ``commensal dfc orders`` and ``commensal dfc order retry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from commensal import HERE, Folder, console, named_enterprise, open_instance

from ..links.links import link_by_id
from ..links.values import Link
from .questions import backorder_of, backorders
from .retrying import retry_backorder
from .values import Backorder, BackorderLine

_MOST = 1_000


def add_backorder_commands(dfc: typer.Typer) -> None:
    """Adds them to the commands of DFC."""
    dfc.command("orders")(orders_command)
    order = typer.Typer(help="One order at a linked platform.", no_args_is_help=True)
    order.callback()(lambda: None)
    order.command("retry")(retry_command)
    dfc.add_typer(order, name="order")


def orders_command(
    session: Annotated[str, typer.Option(help="Only those of the sale with this id.")] = "",
    enterprise: Annotated[str, typer.Option(help="Only those of this hub: its id or the name in its address.")] = "",
    instance: Folder = HERE,
) -> None:
    """Shows what was ordered at linked platforms: how far that is, what comes, and what has failed."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        whose = named_enterprise(tx, enterprise).id if enterprise else None
        for one in backorders(tx, whose, session_id=session, limit=_MOST):
            _print(one, link_by_id(tx, one.link_id))


def retry_command(id: str, instance: Folder = HERE) -> None:
    """Tells an order again that was given up, or ordered anew where its platform has cancelled it.

    Where it is not known whether the order has arrived, look at the platform first: it is sent again.
    """
    with open_instance(instance) as opened:
        with opened.store.write() as tx:
            retry_backorder(tx, None, id)
        with opened.store.read() as tx:
            one = backorder_of(tx, None, id)
            _print(one, link_by_id(tx, one.link_id))


def _print(one: Backorder, link: Link) -> None:
    console.print(f"{one.id}  {one.session_name} at {link.name or link.url}: {_progress(one)}", markup=False)
    if one.iri:
        console.print(f"  {one.iri}", markup=False)
    if one.error:
        console.print(f"  {one.error}", markup=False, style="red")
    for line in one.lines:
        console.print(f"  {', '.join(_said(line, final=one.final))}", markup=False)


def _progress(one: Backorder) -> str:
    if one.progress == "failing":
        due = f", again at {one.due_at:%Y-%m-%d %H:%M} UTC" if one.due_at else ""
        return f"failed {one.failures} times{due}"
    if one.progress == "parked":
        return "not tried any more, see `commensal dfc order retry`"
    told = {"": "not told yet", "Held": "told", "Complete": "complete", "Cancelled": "cancelled"}[one.said_state]
    return f"{told}, more is to be told" if one.progress == "waiting" and one.said_state else told


def _said(line: BackorderLine, *, final: bool) -> Iterator[str]:
    yield f"{line.name}: {line.pieces} pieces"
    if line.per_case != 1:
        yield f"{line.cases} cases of {line.per_case}"
    if line.answer:
        yield f"{line.answer}" if line.answer == "confirmed" else f"{line.answer} to {line.confirmed}"
    if line.reason:
        yield line.reason
    if final and line.cases != (line.said or 0):
        yield f"{line.said or 0} were told: it has changed since it was completed"
    if line.surplus:
        yield f"{line.surplus} pieces more than was ordered"
    if line.told_price is not None and line.price is not None and line.told_price != line.price:
        yield "at another price than was listed"
