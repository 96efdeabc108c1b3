"""Peers on the command line: ``commensal federation peer …``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from commensal import HERE, Conflict, Folder, NotFound, Transaction, print_line, spoken

from ..delivery.alerts import alerts, dismiss_alert
from ..notices import alert_title
from ..peers.fetching import fetch_document, iri_of
from ..peers.peers import Limits, Peer, document_fingerprint, fingerprint, peer_by_id, peer_by_iri, peers
from ..runtime import Federation, open_federation
from .deciding import Probe, change_limits, change_scopes, confirm_keys, go_on_without, probe, resume, revoke, suspend
from .inviting import accept, invite, requested_scopes

_Url = Annotated[str, typer.Argument(help="The address of the other instance, like https://hub.example.")]
_Scope = Annotated[list[str] | None, typer.Option("--scope", help="What it may do here; say it again for more.")]
_Digits = Annotated[str, typer.Option("--fingerprint", help="The digits that its operator has read to you.")]
_Limit = Annotated[list[str] | None, typer.Option("--set", help="A limit and its value; say it again for more.")]
_DEFAULT_SCOPES = ("catalogue.read", "order.place", "stock.lease", "sale.propose")


def add_peer_commands(app: typer.Typer) -> None:
    """Adds ``peer`` to the plugin's commands."""
    peer = typer.Typer(help="Instances that this one trades with.", no_args_is_help=True)
    app.add_typer(peer, name="peer")
    _add_agreements(peer)
    _add_queries(peer)
    _add_terms(peer)
    _add_ending(peer)


def _add_agreements(peer: typer.Typer) -> None:
    @peer.command("add")
    def add(url: _Url, scope: _Scope = None, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
        """Asks an instance to trade, once you have compared its fingerprint. Its operator must accept."""
        with open_federation(instance) as federation:
            digits = _heard_digits(fingerprint)
            _show(invite(federation, url, scope or _DEFAULT_SCOPES, fingerprint=digits))
            print_line("Read your own fingerprint to its operator, who needs it to accept.")

    @peer.command("confirm-keys")
    def confirm(url: _Url, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
        """Goes on with a peer that has lost its keys and has a new root key, once you have compared its new digits."""
        with open_federation(instance) as federation:
            with federation.instance.store.read() as tx:
                known_peer = _peer_at(federation, tx, url)
            _show(confirm_keys(federation, known_peer.id, _heard_digits(fingerprint)))

    @peer.command("look")
    def look(url: _Url, instance: Folder = HERE) -> None:
        """Shows the name and the fingerprint of an instance, to be compared before you add it. Stores nothing."""
        with open_federation(instance) as federation:
            document = fetch_document(federation, iri_of(federation, url)).document
            typer.echo(document.name)
            print_line("  fingerprint  {digits}", digits=document_fingerprint(document))

    @peer.command("accept")
    def accept_it(url: _Url, scope: _Scope = None, fingerprint: _Digits = "", instance: Folder = HERE) -> None:
        """Agrees to trade with an instance that has asked. Asks for the fingerprint that its operator reads to you."""
        with open_federation(instance) as federation:
            with federation.instance.store.read() as tx:
                known_peer = _peer_at(federation, tx, url)
            digits = _heard_digits(fingerprint)
            _show(accept(federation, known_peer.id, scope or _DEFAULT_SCOPES, fingerprint=digits))

    del add, confirm, look, accept_it


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
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            known_peer = _peer_at(federation, tx, url)
            if scope or add or remove:
                new_scopes = {*(scope or known_peer.scopes_given), *(add or ())} - {*(remove or ())}
                known_peer = change_scopes(federation, tx, known_peer.id, known_peer.version, sorted(new_scopes))
            _show(known_peer)

    @peer.command("limits")
    def limits(url: _Url, limit: _Limit = None, instance: Folder = HERE) -> None:
        """Shows what a peer may cost, or changes it: --set messages=600 --set lot_share=30."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            known_peer = _peer_at(federation, tx, url)
            if limit:
                known_peer = change_limits(tx, known_peer.id, known_peer.version, dict(map(_read_limit, limit)))
            for name, value in asdict(known_peer.limits).items():
                typer.echo(f"{name:12} {value}")

    del scopes, limits


def _read_limit(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if name not in Limits.__dataclass_fields__ or not (value.isascii() and value.isdecimal() and len(value) < 16):
        names = ", ".join(Limits.__dataclass_fields__)
        raise typer.BadParameter(
            spoken("{written} is not a limit like messages=600; there are {known}", written=text, known=names)
        )
    return name, int(value)


def _add_queries(peer: typer.Typer) -> None:
    @peer.command("list")
    def list_peers(instance: Folder = HERE) -> None:
        """Lists all peers, and what you should look at."""
        with open_federation(instance) as federation, federation.instance.store.read() as tx:
            names = {}
            for peer_row in peers(tx):
                names[peer_row.id] = peer_row.name
                line = spoken("no answer") if peer_row.breaker == "open" or peer_row.barrier else ""
                typer.echo(f"{peer_row.shown_state(tx.now):10} {peer_row.base:40} {peer_row.name}  {line}".rstrip())
            for alert in alerts(tx):
                print_line(
                    "! {peer}: {title} {what} ({count}x, {at:%Y-%m-%d %H:%M} UTC)",
                    peer=names[alert.peer_id],
                    title=alert_title(alert.kind, spoken),
                    what=alert.text,
                    count=alert.count,
                    at=alert.last_at,
                )

    @peer.command("show")
    def show(url: _Url, instance: Folder = HERE) -> None:
        """Shows a peer with its fingerprint."""
        with open_federation(instance) as federation, federation.instance.store.read() as tx:
            known_peer = _peer_at(federation, tx, url)
            _show(known_peer)
            if (requested := requested_scopes(federation, tx, known_peer)) is not None:
                print_line("  asks to do   {scopes}", scopes=", ".join(requested) or "-")

    @peer.command("probe")
    def probe_it(url: _Url, instance: Folder = HERE) -> None:
        """Asks a peer now whether it is there, and sends it what waits, without waiting for the next try."""
        with open_federation(instance) as federation:
            with federation.instance.store.read() as tx:
                known_peer = _peer_at(federation, tx, url)
            result = probe(federation, known_peer.id)
            if result != "answers":
                typer.echo(_probed(result, known_peer.name))
                raise typer.Exit(1)
            print_line("{name} answers; what waits for it goes now.", name=known_peer.name)

    @peer.command("dismiss")
    def dismiss(
        url: _Url,
        kind: Annotated[str, typer.Argument(help="The kind of the alert, as `commensal check` names it.")],
        instance: Folder = HERE,
    ) -> None:
        """Forgets an alert that you have looked at. It comes back if it happens again."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            dismiss_alert(tx, _peer_at(federation, tx, url).id, kind)

    del list_peers, show, probe_it, dismiss


def _add_ending(peer: typer.Typer) -> None:
    @peer.command("suspend")
    def suspend_it(url: _Url, instance: Folder = HERE) -> None:
        """Takes nothing of a peer's and sends it nothing, until it is resumed."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            _show(suspend(tx, _peer_at(federation, tx, url).id))

    @peer.command("resume")
    def resume_it(url: _Url, instance: Folder = HERE) -> None:
        """Goes on with a peer that was suspended."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            _show(resume(tx, _peer_at(federation, tx, url).id))

    @peer.command("revoke")
    def revoke_it(
        url: _Url, reason: Annotated[str, typer.Option(help="For the other's operator.")] = "", instance: Folder = HERE
    ) -> None:
        """Ends it with a peer for good."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            _show(revoke(federation, tx, _peer_at(federation, tx, url).id, reason=reason))

    @peer.command("go-on-without")
    def go_on(url: _Url, instance: Folder = HERE) -> None:
        """After a restore: sells and lends again what this peer may hold, though it has not answered. Ask its people
        first how much they have sold: what they hold is sold twice otherwise."""
        with open_federation(instance) as federation, federation.instance.store.write() as tx:
            _show(go_on_without(tx, _peer_at(federation, tx, url).id))

    del suspend_it, resume_it, revoke_it, go_on


def _probed(result: Probe, name: str) -> str:
    if result == "clock":
        text = spoken("{name} refuses this instance because the clocks differ; `commensal check` says by how much.")
    elif result == "unknown":
        text = spoken("{name} does not know this instance (any more); its operator invites this one again.")
    elif result == "refuses":
        text = spoken("{name} refuses this instance: call its operator.")
    else:
        text = spoken("{name} does not answer.")
    return text.format(name=name)


def _heard_digits(fingerprint: str) -> str:
    """The digits that were passed, or that the operator types now. Raises `Conflict` for none."""
    digits: str = fingerprint or typer.prompt(spoken("The 40 digits that its operator has read to you"))
    if not digits.strip():
        raise Conflict("peer_fingerprint", "Compare the fingerprint with its operator first.")
    return digits


def _peer_at(federation: Federation, tx: Transaction, url: str) -> Peer:
    """The peer by address or id. Raises `NotFound`."""
    peer = peer_by_iri(tx, iri_of(federation, url)) if "://" in url else peer_by_id(tx, url)
    if peer is None:
        raise NotFound("no_peer", "There is no peer at {url}.", url=url)
    return peer


def _show(peer: Peer) -> None:
    typer.echo(f"{peer.name}  {peer.base}  ({peer.id})")
    print_line("  state        {state}", state=peer.state)
    print_line("  fingerprint  {digits}", digits=fingerprint(peer))
    print_line("  may do here  {scopes}", scopes=", ".join(sorted(peer.scopes_given)) or "-")
    print_line("  we may there {scopes}", scopes=", ".join(sorted(peer.scopes_received)) or "-")
