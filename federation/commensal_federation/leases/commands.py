"""Leases on the command line: ``commensal federation leases``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, open_instance

from ..runtime import federation_of
from .lending import accept_late, force_return
from .questions import leases
from .values import Lease


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
                typer.echo("Less is free than was sold late: count the stock first, or refuse the order's line.")
                raise typer.Exit(1)
            for one in leases(tx, limit=10_000):
                typer.echo(_line(one))

    del show


def _line(one: Lease) -> str:
    who = f"{one.peer_name} holds" if one.role == "lender" else f"held from {one.peer_name}:"
    late = f", {one.late:f} sold late" if one.late else ""
    until = f", until {one.until:%Y-%m-%d %H:%M} UTC" if one.until else ""
    return f"{one.id}  {one.lot_name}: {who} {max(one.out, one.held):f} {one.unit}, {one.sold:f} sold{late}{until}"
