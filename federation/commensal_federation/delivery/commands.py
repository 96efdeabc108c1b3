"""Commands about messages, ``commensal federation message …``, and the one that reports a restore."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from commensal import HERE, Folder, open_instance, print_line

from ..runtime import federation_of
from .outbox.dead_letters import Box, dead_letters, discard, newest, replay
from .proofs import Kept, kept_message
from .restore.restored import restored

_Id = Annotated[str, typer.Argument(help="The id of the message.")]
_In = Annotated[bool, typer.Option("--in", help="Messages that came, instead of those that were sent.")]
_SHOWN = 200


def add_message_commands(app: typer.Typer) -> None:
    """Adds ``message`` and ``restored`` to the plugin's commands."""
    message = typer.Typer(help="Messages to and from peers.", no_args_is_help=True)
    app.add_typer(message, name="message")
    _add_looking(message)
    _add_letters(message)

    @app.command("restored")
    def was_restored(instance: Folder = HERE) -> None:
        """Says that this instance was restored from a backup: peers give back what it does not know, and only then it
        speaks again. `commensal restore` says it by itself."""
        with open_instance(instance) as opened:
            federation = federation_of(opened)
            has_spoken = opened.store.transact(
                lambda tx: restored(federation, tx, f"said {tx.now:%Y-%m-%dT%H:%M:%S.%fZ}")
            )
        print_line(
            "The worker now takes up with each peer." if has_spoken else "It has never spoken; there is nothing to do."
        )

    del was_restored


def _add_looking(message: typer.Typer) -> None:
    @message.command("list")
    def listed(
        incoming: _In = False,
        type: Annotated[str, typer.Option(help="Only those of a type, like OrderUpdate.")] = "",
        number: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 20,
        instance: Folder = HERE,
    ) -> None:
        """Lists what was said, the newest first."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for letter in newest(tx, _box(incoming), type=type, limit=number):
                typer.echo(f"{letter.at:%Y-%m-%d %H:%M}  {letter.state:9} {letter.type:17} {letter.id}")

    @message.command("show")
    def show(id: _Id, instance: Folder = HERE) -> None:
        """Shows a message as it was signed."""
        stored = _kept(instance, id)
        print_line(
            "{type} {state}, from {peer}" if stored.box == "in" else "{type} {state}, to {peer}",
            type=stored.type,
            state=stored.state,
            peer=stored.peer,
        )
        Console(soft_wrap=True).print_json(stored.body)

    @message.command("verify")
    def verify(id: _Id, instance: Folder = HERE) -> None:
        """Proves who said a message: by its bytes, and by the key that was pinned when it came."""
        stored = _kept(instance, id)
        typer.echo(f"{stored.key_id}\n{stored.key}\n{stored.at:%Y-%m-%d %H:%M:%S} UTC")
        if stored.proof:
            print_line("Not proven: {reason}", reason=stored.proof)
            raise typer.Exit(1)
        print_line("The signature holds.")

    del listed, show, verify


def _add_letters(message: typer.Typer) -> None:
    @message.command("dead")
    def dead(incoming: _In = False, instance: Folder = HERE) -> None:
        """Lists messages that had no effect."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for letter in dead_letters(tx, _box(incoming), limit=_SHOWN):
                typer.echo(f"{letter.at:%Y-%m-%d %H:%M}  {letter.type:16} {letter.id}\n    {letter.error}")

    @message.command("replay")
    def again(id: _Id, incoming: _In = False, instance: Folder = HERE) -> None:
        """Tries a dead letter again."""
        with open_instance(instance) as opened:
            federation = federation_of(opened)
            tried = opened.store.transact(lambda tx: replay(federation, tx, _box(incoming), id))
        typer.echo(f"{tried.state} {tried.error}".strip())

    @message.command("discard")
    def put_away(id: _Id, incoming: _In = False, instance: Folder = HERE) -> None:
        """Puts a dead letter away."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            discard(tx, _box(incoming), id)
        print_line("It is kept as evidence, and shown no more.")

    del dead, again, put_away


def _kept(folder: Folder, id: str) -> Kept:
    with open_instance(folder) as opened, opened.store.read() as tx:
        return kept_message(federation_of(opened), tx, id)


def _box(incoming: bool) -> Box:
    return "in" if incoming else "out"
