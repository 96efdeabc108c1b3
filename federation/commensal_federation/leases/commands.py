"""Leases on the command line: ``commensal federation leases``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, open_instance, print_line, spoken

from ..messages.bodies.leases import Lease
from ..runtime import federation_of
from .lender import accept_late, force_return
from .questions import leases


def add_lease_commands(app: typer.Typer) -> None:
    """Adds ``leases`` to the plugin's commands."""

    @app.command("leases")
    def show(
        force: Annotated[str, typer.Option(help="Take back all that this lease's holder has not sold.")] = "",
        accept_late_of: Annotated[str, typer.Option("--accept-late", help="Grant what was sold late of it.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Shows who holds what of whose stock, and takes it back where its hub is gone."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            federation = federation_of(opened)
            if force:
                force_return(federation, tx, force)
            if accept_late_of and not accept_late(federation, tx, accept_late_of):
                print_line("Less is free than was sold late: count the stock first, or refuse the order's line.")
                raise typer.Exit(1)
            for one in leases(tx, limit=10_000):
                typer.echo(_line(one))

    del show


def _line(one: Lease) -> str:
    said = spoken(
        "{lot}: {peer} holds {held:f} {unit}, {sold:f} sold"
        if one.role == "lender"
        else "{lot}: held from {peer}: {held:f} {unit}, {sold:f} sold",
        lot=one.lot_name, peer=one.peer_name, held=max(one.out, one.held), unit=one.unit, sold=one.sold,
    )  # fmt: skip
    late = spoken(", {late:f} sold late", late=one.late) if one.late else ""
    until = spoken(", until {until:%Y-%m-%d %H:%M} UTC", until=one.until) if one.until else ""
    return f"{one.id}  {said}{late}{until}"
