"""Registers the plugin's commands, ``commensal federation …``, room by room."""

from __future__ import annotations

import typer

from commensal import hookimpl


@hookimpl
def commands(app: typer.Typer) -> None:
    """Adds one group of commands for each room. They are imported only here, since a server never needs them."""
    from .catalogue.commands import add_grant_commands, add_origin_commands
    from .delivery.commands import add_message_commands
    from .evidence.commands import add_evidence_commands
    from .identity.commands import add_keys
    from .leases.commands import add_lease_commands
    from .linked_catalogues.backorders.commands import add_backorder_commands
    from .linked_catalogues.commands import add_link_commands
    from .moving.commands import add_move_commands, show_first_key
    from .orders.commands import add_order_commands
    from .peering.commands import add_peer_commands
    from .platforms.document_commands import dfc
    from .proposals.commands import add_sale_commands

    add_keys(app)
    add_peer_commands(app)
    add_message_commands(app)
    add_grant_commands(app, show_first_key)
    add_lease_commands(app)
    add_order_commands(app)
    add_origin_commands(app)
    add_evidence_commands(app)
    add_sale_commands(app)
    add_move_commands(app)
    add_link_commands(dfc)
    add_backorder_commands(dfc)
    app.add_typer(dfc, name="dfc")
