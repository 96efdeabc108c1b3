"""Leases on the command line: ``commensal federation leases``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, open_instance, print_line, spoken

from ..messages.leases import Lease
from ..runtime import federation_of
from .lender import accept_late, force_return
from .row import leases


def add_lease_commands(app: typer.Typer) -> None:
    """Adds ``leases`` to the plugin's commands."""

    @app.command("leases")
    def show(
        force: Annotated[str, typer.Option(help="Take back all that this lease's holder has not sold.")] = "",
        accept_late_of: Annotated[
            str, typer.Option("--accept-late", help="Grant the units of this lease that were sold late.")
        ] = "",
        instance: Folder = HERE,
    ) -> None:
        """Shows which peer holds how much of which stock, and takes stock back from a hub that is gone."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            federation = federation_of(opened)
            if force:
                force_return(federation, tx, force)
            if accept_late_of and not accept_late(federation, tx, accept_late_of):
                print_line("Less is free than was sold late: count the stock first, or refuse the order's line.")
                raise typer.Exit(1)
            for lease in leases(tx, limit=10_000):
                typer.echo(_line(lease))

    del show


def _line(lease: Lease) -> str:
    line = spoken(
        "{lot}: {peer} holds {held:f} {unit}, {sold:f} sold"
        if lease.role == "lender"
        else "{lot}: held from {peer}: {held:f} {unit}, {sold:f} sold",
        lot=lease.lot_name,
        peer=lease.peer_name,
        held=max(lease.out, lease.held),
        unit=lease.unit,
        sold=lease.sold,
    )
    late = spoken(", {late:f} sold late", late=lease.late) if lease.late else ""
    until = spoken(", until {until:%Y-%m-%d %H:%M} UTC", until=lease.until) if lease.until else ""
    return f"{lease.id}  {line}{late}{until}"
