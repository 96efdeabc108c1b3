"""Grants on the command line: ``commensal federation grant …``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from commensal import (
    HERE,
    Conflict,
    Folder,
    NotFound,
    Transaction,
    list_categories,
    named_enterprise,
    open_instance,
    print_line,
    spoken,
)
from commensal.catalogs import catalogs_of
from commensal.parts.terminal import console

from ..arguments import OurEnterprise
from ..grants.questions import grants_between
from ..peers.fetching import fetch_document, iri_of
from ..peers.peers import WELL_KNOWN, peers, refuse_other_fingerprint
from ..provenance.signers import Origin
from ..runtime import Federation, federation_of
from .grants import accept_grant, end_grant, follow
from .hubs import PeerHub, fetch_hubs, give_grants, hubs_named, peer_named
from .listings import list_all
from .origins import origins, trust_origin

AfterGrant = Callable[[Federation, Transaction, str], None]  # with the id of the enterprise that grants


def add_grant_commands(app: typer.Typer, after_grant: AfterGrant) -> None:
    """Adds ``grant`` to the plugin's commands. `after_grant` runs in the transaction that gives a grant."""
    grant = typer.Typer(help="Who may list and sell whose goods, across instances.", no_args_is_help=True)
    app.add_typer(grant, name="grant")
    _add_list_command(grant)
    _add_grant_changes(grant, after_grant)
    _add_follow_command(grant)


def _add_list_command(grant: typer.Typer) -> None:
    @grant.command("list")
    def list_grants(instance: Folder = HERE) -> None:
        """Lists all grants, given and received."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            for row in grants_between(tx):
                arrow = "->" if row.direction == "given" else "<-"
                state = f"{row.state} {row.reason}".rstrip()
                typer.echo(f"{row.id}  {row.enterprise_id} {arrow} {row.other_name} ({row.other_iri}): {state}")

    del list_grants


def _add_grant_changes(grant: typer.Typer, after_grant: AfterGrant) -> None:
    @grant.command("hubs")
    def hubs(
        peer: Annotated[
            str, typer.Argument(help="The other instance, by its name or address; else the only one.")
        ] = "",
        instance: Folder = HERE,
    ) -> None:
        """Lists the public hubs of another instance, to which enterprises here may grant."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                named_peer = peer_named(tx, peer, "grant hubs NAME")
            for hub in fetch_hubs(federation_of(opened), named_peer):
                typer.echo(f"{hub.name}  {hub.city}  {hub.iri}")

    @grant.command("give")
    def give(
        enterprise: OurEnterprise,
        hub: Annotated[
            list[str],
            typer.Argument(help="Hubs of another instance, by the names that `grant hubs` shows, or by their IRIs."),
        ],
        peer: Annotated[str, typer.Option(help="Whose hubs, by its name or address, if there are several.")] = "",
        name: Annotated[str, typer.Option(help="What people call a hub that is given by its IRI.")] = "",
        category: Annotated[
            str, typer.Option(help="The customer category whose prices it sees: its name or its id.")
        ] = "",
        resell: Annotated[bool, typer.Option("--resell", help="It may grant these goods further.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Lets hubs of another instance list and sell what the enterprise lists."""
        with open_instance(instance) as opened:
            federation = federation_of(opened)
            peer_id, named_hubs = _find_hubs(federation, peer, hub, name)
            with opened.store.write() as tx:
                grantor = named_enterprise(tx, enterprise).id
                new_grants = give_grants(
                    federation,
                    tx,
                    grantor,
                    peer_id,
                    named_hubs,
                    category_id=_category_of(tx, grantor, category) if category else None,
                    resell=resell,
                )
                after_grant(federation, tx, grantor)
        for new_grant in new_grants:
            print_line("{grant}: offered. Their people have to accept it.", grant=new_grant.id)

    @grant.command("accept")
    def accept(grant_id: str, instance: Folder = HERE) -> None:
        """Accepts a grant that was offered to a hub of this instance."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            accepted = accept_grant(federation_of(opened), tx, grant_id)
            print_line("{name}'s goods come in now, and can be listed.", name=accepted.other_name)

    @grant.command("end")
    def end(grant_id: str, instance: Folder = HERE) -> None:
        """Revokes a grant, or gives up a received one. Goods that were ordered stay ordered."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            print_line("It is {state}.", state=end_grant(federation_of(opened), tx, grant_id).state)

    del hubs, give, accept, end


def _add_follow_command(grant: typer.Typer) -> None:
    @grant.command("follow")
    def follow_grant(
        enterprise: OurEnterprise,
        grant_id: str,
        catalog: Annotated[
            str, typer.Option(help="The id of the catalog that follows; by default the hub's first.")
        ] = "",
        margin: Annotated[str, typer.Option(help="Percent on top of the producer's price.")] = "0",
        instance: Folder = HERE,
    ) -> None:
        """Lets a hub's catalog follow what the producer lists, with a margin."""
        try:
            percent = Decimal(margin)
        except InvalidOperation:
            text = spoken("{margin} is not a percentage, like 15 or 12.5", margin=margin)
            raise typer.BadParameter(text) from None
        with open_instance(instance) as opened, opened.store.write() as tx:
            hub = named_enterprise(tx, enterprise).id
            followed = follow(tx, hub, grant_id, catalog or catalogs_of(tx, hub)[0].id, percent)
            list_all(federation_of(opened), tx, followed)
            print_line("The catalog follows from now on.")

    del follow_grant


def _find_hubs(federation: Federation, peer: str, names: Sequence[str], label: str) -> tuple[str, Sequence[PeerHub]]:
    """The id of the peer, and its hubs with these names; an IRI is taken as it is, also of a hub that is not public."""
    store = federation.instance.store
    if all("://" in name for name in names):
        with store.read() as tx:
            peer_ids = {_peer_of(tx, name) for name in names}
        if len(peer_ids) > 1:
            raise Conflict("which_peer", "These hubs are of several instances; grant to those of one at a time.")
        return peer_ids.pop(), [PeerHub(iri=name, name=label or name, city="") for name in names]
    with store.read() as tx:
        named_peer = peer_named(tx, peer, "grant give … --peer NAME")
    return named_peer.id, hubs_named(fetch_hubs(federation, named_peer), names)


def _category_of(tx: Transaction, enterprise_id: str, name: str) -> str:
    """Returns the id of the customer category with this name or id. Raises `NotFound` that lists the categories."""
    categories = list_categories(tx, enterprise_id)
    for category in categories:
        if name in (category.id, category.name):
            return category.id
    names = ", ".join(category.name for category in categories) or "-"
    raise NotFound("no_category", "There is no customer category {name}; there are: {names}.", name=name, names=names)


def _peer_of(tx: Transaction, hub: str) -> str:
    """Returns the id of the peer to which this enterprise belongs. Raises `Conflict`."""
    for peer in peers(tx):
        if hub.startswith(f"{peer.base}/"):
            return peer.id
    raise Conflict("no_peer", "{hub} is of no instance that this one has agreed to trade with.", hub=hub[:200])


# Origins on the command line: ``commensal federation origin …``.

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
