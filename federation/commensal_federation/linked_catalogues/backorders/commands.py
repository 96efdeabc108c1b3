"""Orders at linked platforms on the command line: ``commensal dfc orders`` and ``commensal dfc order retry``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from commensal import HERE, Folder, named_enterprise, open_instance, spoken
from commensal.parts.terminal import console

from ..links import link_by_id
from ..values import Link
from .questions import backorder_of, backorders
from .sending import retry_backorder
from .values import Backorder, BackorderLine

_MOST = 1_000


def add_backorder_commands(dfc: typer.Typer) -> None:
    """Adds the commands of orders at platforms to ``dfc``."""
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
    """Shows the orders at linked platforms: their progress, what will be delivered, and what has failed."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        enterprise_id = named_enterprise(tx, enterprise).id if enterprise else None
        for backorder in backorders(tx, enterprise_id, session_id=session, limit=_MOST):
            _print(backorder, link_by_id(tx, backorder.link_id))


def retry_command(id: str, instance: Folder = HERE) -> None:
    """Sends an order again that was given up, or places it anew if its platform has cancelled it.

    Where it is not known whether the order has arrived, look at the platform first: it is sent again.
    """
    with open_instance(instance) as opened:
        with opened.store.write() as tx:
            retry_backorder(tx, None, id)
        with opened.store.read() as tx:
            backorder = backorder_of(tx, None, id)
            _print(backorder, link_by_id(tx, backorder.link_id))


def _print(backorder: Backorder, link: Link) -> None:
    text = spoken(
        "{sale} at {platform}: {progress}",
        sale=backorder.session_name,
        platform=link.name or link.url,
        progress=_progress(backorder),
    )
    console.print(f"{backorder.id}  {text}", markup=False)
    if backorder.iri:
        console.print(f"  {backorder.iri}", markup=False)
    if backorder.error:
        console.print(f"  {backorder.error}", markup=False, style="red")
    for line in backorder.lines:
        console.print(f"  {', '.join(_line_texts(line, final=backorder.final))}", markup=False)


def _progress(backorder: Backorder) -> str:
    if backorder.progress == "failing":
        if backorder.due_at is None:
            return spoken("failed {count} times", count=backorder.failures)
        return spoken(
            "failed {count} times, again at {at:%Y-%m-%d %H:%M} UTC", count=backorder.failures, at=backorder.due_at
        )
    if backorder.progress == "parked":
        return spoken("not tried any more, see `commensal dfc order retry`")
    has_more = backorder.progress == "waiting"
    match backorder.said_state:
        case "Held":
            return spoken("sent, with changes to be sent" if has_more else "sent")
        case "Complete":
            return spoken("complete, with changes to be sent" if has_more else "complete")
        case "Cancelled":
            return spoken("cancelled, with changes to be sent" if has_more else "cancelled")
    return spoken("not sent yet")


def _line_texts(line: BackorderLine, *, final: bool) -> Iterator[str]:
    yield spoken("{product}: {count} pieces", product=line.name, count=line.pieces)
    if line.per_case != 1:
        yield spoken("{count} cases of {size}", count=line.cases, size=line.per_case)
    if line.answer == "confirmed":
        yield spoken("confirmed")
    elif line.answer:
        shortened = line.answer == "shortened"
        yield spoken("shortened to {count}" if shortened else "refused to {count}", count=line.confirmed)
    if line.reason:
        yield line.reason
    if final and line.cases != (line.said or 0):
        yield spoken("{count} were sent: it has changed since it was completed", count=line.said or 0)
    if line.surplus:
        yield spoken("{count} pieces more than was ordered", count=line.surplus)
    if line.told_price is not None and line.price is not None and line.told_price != line.price:
        yield spoken("at another price than was listed")
