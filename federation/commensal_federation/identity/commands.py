"""Keys on the command line: ``commensal keys …``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from commensal import HERE, Conflict, Folder, clock_in_doubt, file_of_caller, open_file_of_caller, print_line, spoken

from ..runtime import Federation, open_federation
from ..signing import BadKey, SigningKey
from .keys import (
    Key,
    NoKey,
    file_of,
    fingerprint_of,
    folder_of,
    forget_ended,
    key_iri,
    our_keys,
    put_back,
    refuse_no_keys,
    root_key,
    seal,
    unseal,
)
from .rotation import begin_identity, begin_new_identity, recover_keys, renew_key_set, revoke, rotate

_AskRoot = Annotated[bool, typer.Option("--root", help="Ask for the root key, which is not on this machine.")]

_PassphraseFile = Annotated[
    Path | None, typer.Option(help="A file with the passphrase, which else is asked for.", exists=True, dir_okay=False)
]


def add_keys(app: typer.Typer) -> None:
    """Adds ``keys`` to the plugin's commands."""
    keys = typer.Typer(help="The keys of this instance.", no_args_is_help=True)
    app.add_typer(keys, name="keys")
    _add_queries(keys)
    _add_changes(keys)
    _add_root(keys)
    _add_sealed(keys)


def _add_queries(keys: typer.Typer) -> None:
    @keys.command("init")
    def init(instance: Folder = HERE) -> None:
        """Makes the keys, if there are none yet, and shows the fingerprint."""
        with open_federation(instance) as federation:
            new = begin_identity(federation)
            print_line("Keys were made." if new else "There are keys already; nothing was changed.")
            _show_fingerprint(federation)
            if new:
                print_line("Now take the root key away from here: `commensal keys root export --remove`.")

    @keys.command("list")
    def list_keys(instance: Folder = HERE) -> None:
        """Lists all keys there ever were."""
        with open_federation(instance) as federation, federation.instance.store.read() as tx:
            for key in our_keys(tx):
                typer.echo(f"{key.name:5} {_describe_state(key, federation):40} {key.multikey}")

    @keys.command("fingerprint")
    def fingerprint(instance: Folder = HERE) -> None:
        """Shows the digits by which another operator knows this instance."""
        with open_federation(instance) as federation:
            _show_fingerprint(federation)

    del init, list_keys, fingerprint


def _add_changes(keys: typer.Typer) -> None:
    @keys.command("rotate")
    def rotate_keys(
        now: Annotated[bool, typer.Option("--now", help="Use the next key at once, for emergencies.")] = False,
        root: _AskRoot = False,
        instance: Folder = HERE,
    ) -> None:
        """Has the next key used as soon as all know it, and makes the one after it known."""
        with open_federation(instance) as federation:
            typed_root = _ask_root_key(federation) if root else None
            transact = federation.instance.store.transact
            key = transact(lambda tx: rotate(federation, tx, at_once=now, root=typed_root))
            print_line("{key} is used from {at:%Y-%m-%d %H:%M} UTC.", key=key.name, at=key.used_from)

    @keys.command("revoke")
    def revoke_key(
        name: Annotated[str, typer.Argument(help="The key, like k1.")],
        reason: Annotated[Literal["stolen", "lost", "replaced"], typer.Option(help="What happened to it.")],
        root: _AskRoot = False,
        instance: Folder = HERE,
    ) -> None:
        """Ends a key now: others believe nothing more that it signed."""
        with open_federation(instance) as federation:
            typed_root = _ask_root_key(federation) if root else None
            federation.instance.store.transact(lambda tx: revoke(federation, tx, name, reason, root=typed_root))
            with federation.instance.store.read() as tx:
                in_doubt = clock_in_doubt(tx)  # then a key that has not been revoked may not have ended
                keys = [key for key in our_keys(tx) if key.revoked_at is not None or not in_doubt]
                forget_ended(folder_of(federation.instance.folder), keys, tx.now)
            print_line(
                "{key} is revoked. Peers are told in a moment, and those that are away when they are back.", key=name
            )

    @keys.command("recover")
    def recover(
        root: _AskRoot = False,
        new_identity: Annotated[
            bool, typer.Option("--new-identity", help="The root key is lost too: make a new one, as another identity.")
        ] = False,
        instance: Folder = HERE,
    ) -> None:
        """Makes new keys where the files of keys are lost for ever, with the root key or as a new identity."""
        with open_federation(instance) as federation:
            transact = federation.instance.store.transact
            if new_identity:
                question = spoken(
                    "Every peer will suspend this instance until its operator confirms the new key. Go on?"
                )
                typer.confirm(question, abort=True, err=True)
                lost = transact(lambda tx: begin_new_identity(federation, tx))
            else:
                typed_root = _ask_root_key(federation) if root else None
                lost = transact(lambda tx: recover_keys(federation, tx, root=typed_root))
            print_line("Lost: {keys}. New keys were made, and are in use.", keys=", ".join(lost))
            _show_fingerprint(federation)
            if new_identity:
                print_line(
                    "The operator of each peer compares these digits, and then runs: commensal peer confirm-keys"
                )

    del rotate_keys, revoke_key, recover


def _add_root(keys: typer.Typer) -> None:
    root = typer.Typer(help="The root key, which alone can add keys.", no_args_is_help=True)
    keys.add_typer(root, name="root")

    @root.command("export")
    def export(
        remove: Annotated[bool, typer.Option("--remove", help="Delete it from this machine.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Shows the root key, to be kept on paper, away from here."""
        with open_federation(instance) as federation:
            with federation.instance.store.read() as tx:
                key = root_key(federation, tx)
            if key is None:
                raise Conflict("root_needed", "The root key is not on this machine.")
            typer.echo(key.secret())
            warning = spoken("Whoever has this can speak for this instance for ever. Keep it on paper, in two places.")
            typer.echo(warning, err=True)
            question = spoken("Have you written it down? It is deleted from this machine.")
            if remove and typer.confirm(question, err=True):
                file_of(folder_of(federation.instance.folder), "root").unlink()

    @root.command("sign")
    def sign(instance: Folder = HERE) -> None:
        """Signs the set of keys anew, with the key that stands by; asks for the root key where it is not here."""
        with open_federation(instance) as federation:
            with federation.instance.store.read() as tx:
                is_here = root_key(federation, tx) is not None
            typed_root = None if is_here else _ask_root_key(federation)
            federation.instance.store.transact(lambda tx: renew_key_set(federation, tx, root=typed_root))
            print_line("The set of keys is signed.")

    del export, sign


def _add_sealed(keys: typer.Typer) -> None:
    @keys.command("backup")
    def back_up(
        file: Annotated[Path, typer.Argument(help="A new file, best on another machine.", dir_okay=False)],
        passphrase_file: _PassphraseFile = None,
        instance: Folder = HERE,
    ) -> None:
        """Writes all keys into one file, sealed by a passphrase: no backup has them otherwise."""
        refuse_no_keys(folder_of(instance))  # before anybody thinks of a passphrase
        passphrase = _passphrase(passphrase_file, confirm=True)
        sealed = seal(folder_of(instance), passphrase)
        with file_of_caller(file, new=True) as stream:
            stream.write(sealed)
        with open_file_of_caller(file) as stream:
            names = ", ".join(unseal(stream.read(), passphrase))
        print_line("{file} holds {names}. Without the passphrase it is worth nothing.", file=file, names=names)

    @keys.command("restore")
    def restore(
        file: Annotated[Path, typer.Argument(help="A file of `keys backup`.", exists=True, dir_okay=False)],
        passphrase_file: _PassphraseFile = None,
        instance: Folder = HERE,
    ) -> None:
        """Puts back the keys that are missing, and replaces none."""
        with open_file_of_caller(file) as stream:
            sealed = stream.read()
        files = unseal(sealed, _passphrase(passphrase_file, confirm=False))
        names = ", ".join(put_back(folder_of(instance), files))
        print_line("Put back: {names}." if names else "All keys are there; nothing was changed.", names=names)

    del back_up, restore


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    if file is not None:
        with open_file_of_caller(file) as stream:
            return stream.read().decode().strip()
    return str(typer.prompt(spoken("Passphrase"), hide_input=True, confirmation_prompt=confirm))


def _ask_root_key(federation: Federation) -> SigningKey:
    """Asks for the root key. It stays in memory and is stored nowhere."""
    secret = typer.prompt(spoken("Root key (z3u2…)"), hide_input=True)
    try:
        return SigningKey.read(key_iri(federation, "root"), secret)
    except BadKey:
        raise Conflict("other_root", "This is not the root key of this instance.") from None


def _show_fingerprint(federation: Federation) -> None:
    with federation.instance.store.read() as tx:
        keys = our_keys(tx)
    if not keys:
        raise NoKey
    digits = fingerprint_of(federation.iri, keys[0].multikey).split()
    typer.echo(federation.iri)
    typer.echo("  ".join(digits[:4]) + "\n" + "  ".join(digits[4:]))
    print_line("Read these digits to each other on the telephone, or by video, before you accept a peer.")


def _describe_state(key: Key, federation: Federation) -> str:
    now = federation.instance.clock.now()
    if key.kind == "root":
        is_here = file_of(folder_of(federation.instance.folder), "root").exists()
        return spoken("root, on this machine" if is_here else "root, away")
    if key.revoked_at is not None:
        return spoken("revoked {at:%Y-%m-%d}: {reason}", at=key.revoked_at, reason=key.reason)
    if not key.live(now):
        return spoken("ended {at:%Y-%m-%d}", at=key.ends_at)
    if key.used_from is None:
        return spoken("stands by")
    if key.ends_at is None:
        return spoken("used from {begins:%Y-%m-%d}", begins=key.used_from)
    return spoken("used from {begins:%Y-%m-%d} until {ends:%Y-%m-%d}", begins=key.used_from, ends=key.ends_at)
