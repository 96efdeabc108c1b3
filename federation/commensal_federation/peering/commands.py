"""Peers on the command line: ``commensal federation peer …``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from commensal import HERE, Conflict, Folder, NotFound, Transaction, open_instance, print_line, spoken

from ..delivery.alerts import alerts, title
from ..peers.fetching import iri_of
from ..peers.peers import peer_by_id, peer_by_iri, peers
from ..peers.values import Limits, Peer
from ..runtime import Federation, federation_of
from .accepting import accept, asked_scopes
from .ending import go_on_without, resume, revoke, suspend
from .fingerprints import fingerprint
from .inviting import invite
from .probing import probe
from .terms import change_limits, change_scopes

_Url = Annotated[str, typer.Argument(help="The address of the other instance, like https://hub.example.")]
_Scope = Annotated[list[str] | None, typer.Option("--scope", help="What it may do here; say it again for more.")]
_Digits = Annotated[str, typer.Option("--fingerprint", help="The digits that its operator has read to you.")]
_Limit = Annotated[list[str] | None, typer.Option("--set", help="A limit and its value; say it again for more.")]
_USUAL = ("catalogue.read", "order.place", "stock.lease", "sale.propose")


def add_peer_commands(app: typer.Typer) -> None:
    """Adds ``peer`` to the plugin's commands."""
    peer = typer.Typer(help="Instances that this one trades with.", no_args_is_help=True)
    app.add_typer(peer, name="peer")
    _add_agreeing(peer)
    _add_looking(peer)
    _add_terms(peer)
    _add_ending(peer)


def _add_agreeing(peer: typer.Typer) -> None:
    @peer.command("add")
    def add(url: _Url, scope: _Scope = None, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
        """Asks an instance to trade. Its operator must accept."""
        with _opened(instance) as federation:
            _show(invite(federation, url, scope or _USUAL, fingerprint=fingerprint))
            print_line("Read the fingerprint to each other on the telephone; then its operator accepts.")

    @peer.command("accept")
    def accept_it(url: _Url, scope: _Scope = None, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
        """Agrees to trade with an instance that has asked."""
        with _opened(instance) as federation:
            with federation.instance.store.read() as tx:
                found = _named(federation, tx, url)
            _show(accept(federation, found.id, scope or _USUAL, fingerprint=fingerprint))

    del add, accept_it


def _add_terms(peer: typer.Typer) -> None:
    @peer.command("scopes")
    def scopes(
        url: _Url,
        scope: Annotated[list[str] | None, typer.Option("--scope", help="This, and what you name more.")] = None,
        add: Annotated[list[str] | None, typer.Option("--add", help="This besides what it may do already.")] = None,
        remove: Annotated[list[str] | None, typer.Option("--remove", help="Not this any more.")] = None,
        instance: Folder = HERE,
    ) -> None:
        """Shows what a peer may do here, or changes it from now on; it is told."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            found = _named(federation, tx, url)
            if scope or add or remove:
                wanted = {*(scope or found.scopes_given), *(add or ())} - {*(remove or ())}
                found = change_scopes(federation, tx, found.id, found.version, sorted(wanted))
            _show(found)

    @peer.command("limits")
    def limits(url: _Url, limit: _Limit = None, instance: Folder = HERE) -> None:
        """Shows what a peer may cost, or changes it: --set messages=600 --set lot_share=30."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            found = _named(federation, tx, url)
            if limit:
                found = change_limits(tx, found.id, found.version, dict(map(_read_limit, limit)))
            for name, value in asdict(found.limits).items():
                typer.echo(f"{name:12} {value}")

    del scopes, limits


def _read_limit(written: str) -> tuple[str, int]:
    name, _, value = written.partition("=")
    if name not in Limits.__dataclass_fields__ or not (value.isascii() and value.isdecimal() and len(value) < 16):
        known = ", ".join(Limits.__dataclass_fields__)
        raise typer.BadParameter(
            spoken("{written} is no limit like messages=600; there are {known}", written=written, known=known)
        )
    return name, int(value)


def _add_looking(peer: typer.Typer) -> None:
    @peer.command("list")
    def list_peers(instance: Folder = HERE) -> None:
        """Lists all peers, and what you should look at."""
        with _opened(instance) as federation, federation.instance.store.read() as tx:
            after, names = "", {}
            while found := peers(tx, after=after):
                for one in found:
                    names[one.id] = one.name
                    line = spoken("no answer") if one.breaker == "open" or one.barrier else ""
                    typer.echo(f"{one.state:10} {one.base:40} {one.name}  {line}".rstrip())
                after = found[-1].id
            for told in alerts(tx):
                print_line(
                    "! {peer}: {title} {what} ({count}x, {at:%Y-%m-%d %H:%M} UTC)",
                    peer=names[told.peer_id], title=title(told.kind, spoken), what=told.text, count=told.count,
                    at=told.last_at,
                )  # fmt: skip

    @peer.command("show")
    def show(url: _Url, instance: Folder = HERE) -> None:
        """Shows a peer with its fingerprint."""
        with _opened(instance) as federation, federation.instance.store.read() as tx:
            found = _named(federation, tx, url)
            _show(found)
            if (asked := asked_scopes(tx, found)) is not None:
                print_line("  asks to do   {scopes}", scopes=", ".join(asked) or "-")

    @peer.command("probe")
    def probe_it(url: _Url, instance: Folder = HERE) -> None:
        """Asks a peer now whether it is there, and sends it what waits, without waiting for the next try."""
        with _opened(instance) as federation:
            with federation.instance.store.read() as tx:
                found = _named(federation, tx, url)
            if not probe(federation, found.id):
                print_line("{name} does not answer, or does not know this instance.", name=found.name)
                raise typer.Exit(1)
            print_line("{name} answers; what waits for it goes now.", name=found.name)

    del list_peers, show, probe_it


def _add_ending(peer: typer.Typer) -> None:
    @peer.command("suspend")
    def suspend_it(url: _Url, instance: Folder = HERE) -> None:
        """Takes nothing of a peer's and sends it nothing, until it is resumed."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            _show(suspend(tx, _named(federation, tx, url).id))

    @peer.command("resume")
    def resume_it(url: _Url, instance: Folder = HERE) -> None:
        """Goes on with a peer that was suspended."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            _show(resume(tx, _named(federation, tx, url).id))

    @peer.command("revoke")
    def revoke_it(
        url: _Url,
        reason: Annotated[str, typer.Option(help="For the other's operator.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Ends it with a peer for good."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            _show(revoke(federation, tx, _named(federation, tx, url).id, reason=reason))

    @peer.command("go-on-without")
    def go_on(url: _Url, instance: Folder = HERE) -> None:
        """After a restore: sells and lends again what this peer may hold, though it has not answered. Ask its people
        first how much they have sold: what they hold is sold twice otherwise."""
        with _opened(instance) as federation, federation.instance.store.write() as tx:
            _show(go_on_without(tx, _named(federation, tx, url).id))

    del suspend_it, resume_it, revoke_it, go_on


@contextmanager
def _opened(folder: Folder) -> Iterator[Federation]:
    with open_instance(folder) as opened:
        if "federation" not in opened.settings.enabled_plugins:
            raise Conflict("federation_off", "The plugin federation is not enabled in instance.toml.")
        yield federation_of(opened)


def _named(federation: Federation, tx: Transaction, url: str) -> Peer:
    """By its address, or by its id."""
    found = peer_by_iri(tx, iri_of(federation, url)) if "://" in url else peer_by_id(tx, url)
    if found is None:
        raise NotFound("no_peer", "There is no peer at {url}.", url=url)
    return found


def _show(peer: Peer) -> None:
    typer.echo(f"{peer.name}  {peer.base}  ({peer.id})")
    print_line("  state        {state}", state=peer.state)
    print_line("  fingerprint  {digits}", digits=fingerprint(peer))
    print_line("  may do here  {scopes}", scopes=", ".join(sorted(peer.scopes_given)) or "-")
    print_line("  we may there {scopes}", scopes=", ".join(sorted(peer.scopes_received)) or "-")
