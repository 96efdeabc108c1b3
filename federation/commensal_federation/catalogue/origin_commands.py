"""Origins on the command line: ``commensal federation origin …``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Conflict, Folder, open_instance, print_line, spoken
from commensal.parts.terminal import console

from ..peers.fetching import fetch_document, iri_of
from ..peers.fingerprints import refuse_other_fingerprint
from ..peers.values import WELL_KNOWN
from ..provenance.values import Origin
from ..runtime import federation_of
from .origins import origins, trust_origin

_Url = Annotated[str, typer.Argument(help="The address of the instance, like https://farm.example.")]
_Digits = Annotated[str, typer.Option("--fingerprint", help="The digits that its operator has read to you.")]


def add_origin_commands(app: typer.Typer) -> None:
    """Adds ``origin`` to the plugin's commands."""
    origin = typer.Typer(
        help="Instances that are not peers, and whose producers' goods come through peers.", no_args_is_help=True
    )
    app.add_typer(origin, name="origin")
    origin.command("list")(list_command)
    origin.command("trust")(trust_command)


def list_command(instance: Folder = HERE) -> None:
    """Lists the instances that resold goods come from, with the fingerprints of their keys."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        for origin in origins(tx):
            console.print(f"{origin.iri.removesuffix(WELL_KNOWN)}  {_state(origin)}", markup=False)
            if origin.fingerprint:
                print_line("  fingerprint  {digits}", digits=origin.fingerprint)


def trust_command(url: _Url, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
    """Believes the keys that an instance shows now, once you have compared their fingerprint with its operator."""
    with open_instance(instance) as opened:
        federation = federation_of(opened)
        fetched = fetch_document(federation, iri_of(federation, url))
        digits = fingerprint or typer.prompt(spoken("The 40 digits that its operator has read to you"))
        if not digits.strip():
            raise Conflict("peer_fingerprint", "Compare the fingerprint with its operator first.")
        refuse_other_fingerprint(fetched.document, digits)
        opened.store.transact(lambda tx: trust_origin(federation, tx, fetched))
        print_line("Its producers' statements are believed by these keys from now on.")


def _state(origin: Origin) -> str:
    if origin.doubt:
        return spoken("not believed: {reason}", reason=origin.doubt)
    if origin.silent_since is not None:
        return spoken("has not answered since {since:%Y-%m-%d %H:%M}", since=origin.silent_since)
    return spoken("known") if origin.fingerprint else spoken("is asked for its keys")
