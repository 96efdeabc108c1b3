"""Moves on the command line: ``commensal federation move …``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, Transaction, named_enterprise, open_instance, print_line, spoken
from commensal.people import person_by_email

from ..arguments import OurEnterprise
from ..messages.moving import MoveRow
from ..peers.peers import WELL_KNOWN, peer_by_iri
from ..runtime import Federation, federation_of
from ..signing import BadKey, SigningKey
from .moves import move_by_id, moves
from .new_home import accept_move, name_owner, refuse_move
from .old_home import cancel_leaving, offer_move
from .recovering import RecoveryKey, contest, has_recovery_key, make_recovery_key, read_recovery_key, recover
from .restored import complete_hand_over

# Prints a new recovery key in the shell, the only time that it is shown.


def show_key(key: RecoveryKey) -> None:
    typer.echo(key.secret)
    print_line(
        "This is its recovery key, by which it can move should this instance be lost. Whoever has it can move the "
        "enterprise: give it to its owner on paper. It is shown never again."
    )


def show_first_key(federation: Federation, tx: Transaction, enterprise_id: str) -> None:
    """Makes and prints the recovery key of an enterprise that grants for the first time and has none yet."""
    if not has_recovery_key(federation, tx, enterprise_id):
        show_key(make_recovery_key(federation, tx, enterprise_id))


_Move = Annotated[str, typer.Argument(help="The id of the move, as `list` shows it.")]


def add_move_commands(app: typer.Typer) -> None:
    """Adds ``move`` to the plugin's commands."""
    move = typer.Typer(help="Enterprises that move to another instance.", no_args_is_help=True)
    app.add_typer(move, name="move")
    _add_looking(move)
    _add_leaving(move)
    _add_coming(move)
    _add_recovering(move)


def _add_looking(move: typer.Typer) -> None:
    @move.command("list")
    def list_moves(instance: Folder = HERE) -> None:
        """Lists all moves of enterprises that leave, arrive, or have moved elsewhere."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for move_row in moves(tx, limit=1000):
                typer.echo(_line(move_row))

    del list_moves


def _add_leaving(move: typer.Typer) -> None:
    @move.command("offer")
    def offer(
        enterprise: OurEnterprise,
        peer: Annotated[str, typer.Argument(help="The address of its new home, a peer, like https://hub.example.")],
        instance: Folder = HERE,
    ) -> None:
        """Offers an enterprise to another instance. Nothing changes until its people accept."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            new_home = peer_by_iri(tx, peer.rstrip("/").removesuffix(WELL_KNOWN) + WELL_KNOWN)
            if new_home is None:
                raise typer.BadParameter(spoken("there is no peer at {address}", address=peer))
            typer.echo(_line(offer_move(federation_of(opened), tx, named_enterprise(tx, enterprise).id, new_home.id)))

    @move.command("cancel")
    def cancel(move_id: _Move, instance: Folder = HERE) -> None:
        """Cancels the move of an enterprise, whether you offered it or it was offered to you."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            act = refuse_move if move_by_id(tx, move_id).role == "coming" else cancel_leaving
            typer.echo(_line(act(federation_of(opened), tx, move_id)))

    @move.command("complete")
    def complete(move_id: _Move, instance: Folder = HERE) -> None:
        """Completes a move that a restore has undone here: hubs sell the goods again, as those of another instance."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            typer.echo(_line(complete_hand_over(federation_of(opened), tx, move_id)))

    del offer, cancel, complete


def _add_coming(move: typer.Typer) -> None:
    @move.command("accept")
    def accept(
        move_id: _Move,
        owner: Annotated[str, typer.Option(help="The e-mail address of its future owner here, who agrees.")],
        instance: Folder = HERE,
    ) -> None:
        """Accepts an enterprise that was offered. You confirm that its future owner agrees."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            person = person_by_email(tx, owner)
            name_owner(tx, move_id, person.id)
            typer.echo(_line(accept_move(federation_of(opened), tx, move_id, person.id)))

    del accept


def _add_recovering(move: typer.Typer) -> None:
    @move.command("key")
    def key(enterprise: OurEnterprise, instance: Folder = HERE) -> None:
        """Creates a recovery key for an enterprise, which replaces the last one, and shows it once."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            new_key = make_recovery_key(federation_of(opened), tx, named_enterprise(tx, enterprise).id)
        show_key(new_key)

    @move.command("recover")
    def recover_it(
        enterprise: Annotated[str, typer.Argument(help="The enterprise as it is here now, by its id or slug.")],
        old: Annotated[str, typer.Argument(help="Its former address, https://…/api/dfc/enterprises/….")],
        secret: Annotated[str, typer.Option(prompt=True, hide_input=True, help="Its recovery key.")],
        epoch: Annotated[int, typer.Option(help="The authority epoch that begins; 0: the next that is known.")] = 0,
        instance: Folder = HERE,
    ) -> None:
        """Announces to all peers, signed by the recovery key, that this is now the enterprise whose home is gone."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            enterprise_id = named_enterprise(tx, enterprise).id
            typer.echo(_line(recover(federation_of(opened), tx, enterprise_id, old, _read_key(secret), epoch=epoch)))

    @move.command("contest")
    def contest_it(
        old: Annotated[str, typer.Argument(help="The address of the enterprise.")],
        new: Annotated[str, typer.Argument(help="The address to which it has allegedly moved.")],
        with_key: Annotated[
            bool, typer.Option("--key", help="Ask for its recovery key, because it is not of this instance.")
        ] = False,
        instance: Folder = HERE,
    ) -> None:
        """Announces to all peers that an enterprise has not moved there."""
        secret = typer.prompt(spoken("Recovery key"), hide_input=True) if with_key else ""
        with open_instance(instance) as opened, opened.store.write() as tx:
            contest(federation_of(opened), tx, old, new, key=_read_key(secret) if secret else None)

    del key, recover_it, contest_it


def _read_key(secret: str) -> SigningKey:
    try:
        return read_recovery_key(secret)
    except BadKey:
        raise typer.BadParameter(spoken("this is not a recovery key")) from None


def _line(move: MoveRow) -> str:
    reason = f" ({move.error})" if move.error else ""
    return f"{move.id}  {move.role}  {move.name}: {move.old_iri} -> {move.new_iri}: {move.state}{reason}"
