"""Moves on the command line: ``commensal federation move …``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, named_enterprise, open_instance, person_by_email

from ..peers.peers import peer_by_iri
from ..peers.values import WELL_KNOWN
from ..runtime import federation_of
from .coming import accept_move, name_owner, refuse_move
from .leaving import cancel_leaving, offer_move
from .moves import move_by_id, moves
from .values import MoveRow

_Move = Annotated[str, typer.Argument(help="The id of the move, as `list` shows it.")]


def add_move_commands(app: typer.Typer) -> None:
    """Adds ``move`` to the plugin's commands."""
    move = typer.Typer(help="Enterprises that move to another instance.", no_args_is_help=True)
    app.add_typer(move, name="move")
    _add_looking(move)
    _add_leaving(move)
    _add_coming(move)


def _add_looking(move: typer.Typer) -> None:
    @move.command("list")
    def list_moves(instance: Folder = HERE) -> None:
        """Lists all moves: of enterprises that leave, come, or have moved elsewhere."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for one in moves(tx, limit=1000):
                typer.echo(_line(one))

    del list_moves


def _add_leaving(move: typer.Typer) -> None:
    @move.command("offer")
    def offer(
        enterprise: Annotated[str, typer.Argument(help="The enterprise of this instance, by its id or slug.")],
        peer: Annotated[str, typer.Argument(help="The address of its new home, a peer, like https://hub.example.")],
        instance: Folder = HERE,
    ) -> None:
        """Offers an enterprise to another instance. Nothing changes until its people accept."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            found = peer_by_iri(tx, peer.rstrip("/").removesuffix(WELL_KNOWN) + WELL_KNOWN)
            if found is None:
                raise typer.BadParameter(f"there is no peer at {peer}")
            typer.echo(_line(offer_move(federation_of(opened), tx, named_enterprise(tx, enterprise).id, found.id)))

    @move.command("cancel")
    def cancel(move_id: _Move, instance: Folder = HERE) -> None:
        """Keeps an enterprise that was offered, or does not take one that would come."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            act = refuse_move if move_by_id(tx, move_id).role == "coming" else cancel_leaving
            typer.echo(_line(act(federation_of(opened), tx, move_id)))

    del offer, cancel


def _add_coming(move: typer.Typer) -> None:
    @move.command("accept")
    def accept(
        move_id: _Move,
        owner: Annotated[str, typer.Option(help="The e-mail address of who will own it here, and wants to.")],
        instance: Folder = HERE,
    ) -> None:
        """Takes an enterprise that was offered. You vouch for it that its future owner agrees."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            person = person_by_email(tx, owner)
            name_owner(tx, move_id, person.id)
            typer.echo(_line(accept_move(federation_of(opened), tx, move_id, person.id)))

    del accept


def _line(move: MoveRow) -> str:
    why = f" ({move.error})" if move.error else ""
    return f"{move.id}  {move.role}  {move.name}: {move.old_iri} -> {move.new_iri}: {move.state}{why}"
