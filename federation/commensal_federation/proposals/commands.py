"""Sales across instances on the command line: ``commensal federation sale …``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, console, format_moment, moment, named_enterprise, open_instance, spoken

from ..arguments import OurEnterprise
from ..messages.bodies.proposals import ProposedSale
from ..runtime import federation_of
from .hearing import accept_sale, proposal_of, proposals_of, refuse_sale
from .proposing import propose_sale, withdraw_sale

_MOST = 1_000
ProposalId = Annotated[str, typer.Argument(help="The id that `commensal federation sale list` shows.")]


def add_sale_commands(app: typer.Typer) -> None:
    """Adds ``sale`` to the plugin's commands."""
    sale = typer.Typer(help="Sales that producers propose to hubs of other instances.", no_args_is_help=True)
    app.add_typer(sale, name="sale")
    sale.command("list")(list_command)
    sale.command("propose")(propose_command)
    sale.command("withdraw")(withdraw_command)
    sale.command("accept")(accept_command)
    sale.command("refuse")(refuse_command)


def list_command(enterprise: OurEnterprise, instance: Folder = HERE) -> None:
    """Lists what the enterprise has proposed to hubs elsewhere, and what producers have proposed to it."""
    with open_instance(instance) as opened, opened.store.read() as tx:
        one = named_enterprise(tx, enterprise)
        for proposal in proposals_of(tx, one.id, limit=_MOST):
            _print(proposal, one.timezone, opened.settings.language)


def propose_command(
    enterprise: OurEnterprise,
    name: Annotated[str, typer.Argument(help="What the sale is called.")],
    closes: Annotated[
        str,
        typer.Option(
            help="When orders close, by the clocks of the enterprise: '2026-06-06 20:00', or the next 'thursday 20:00'."
        ),
    ],
    begins: Annotated[str, typer.Option(help="When the distribution begins, likewise.")],
    ends: Annotated[str, typer.Option(help="When it ends, likewise.")],
    opens: Annotated[str, typer.Option(help="When it opens, likewise; else now.")] = "",
    change: Annotated[str, typer.Option(help="The id of a proposal that is as said here from now on.")] = "",
    instance: Folder = HERE,
) -> None:
    """Proposes one sale to every hub that was granted something, or changes it."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        one = named_enterprise(tx, enterprise)
        opens_at = moment(opens, one.timezone, "--opens", after=tx.now) if opens else tx.now
        closes_at = moment(closes, one.timezone, "--closes", after=opens_at)
        begins_at = moment(begins, one.timezone, "--begins", after=closes_at)
        proposed = propose_sale(
            federation_of(opened), tx, one.id, name=name, opens_at=opens_at, closes_at=closes_at, begins_at=begins_at,
            ends_at=moment(ends, one.timezone, "--ends", after=begins_at),
            sale=proposal_of(tx, one.id, change).iri if change else None,
        )  # fmt: skip
        for proposal in proposed:
            _print(proposal, one.timezone, opened.settings.language)


def withdraw_command(enterprise: OurEnterprise, proposal: ProposalId, instance: Folder = HERE) -> None:
    """The sale will not be, at no hub. Hubs that hold it are told, and decide themselves."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        one = named_enterprise(tx, enterprise)
        for told in withdraw_sale(federation_of(opened), tx, one.id, proposal_of(tx, one.id, proposal).iri):
            _print(told, one.timezone, opened.settings.language)


def accept_command(
    enterprise: OurEnterprise,
    proposal: ProposalId,
    catalog: Annotated[
        str, typer.Option(help="The id of the hub's catalog; else the one that follows the producer, or the first.")
    ] = "",
    instance: Folder = HERE,
) -> None:
    """Holds a proposed sale: it becomes one of the hub's own."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        one = named_enterprise(tx, enterprise)
        held = accept_sale(federation_of(opened), tx, one.id, proposal, catalog_id=catalog or None)
        _print(held, one.timezone, opened.settings.language)


def refuse_command(enterprise: OurEnterprise, proposal: ProposalId, instance: Folder = HERE) -> None:
    """Does not hold a proposed sale; the producer is told."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        one = named_enterprise(tx, enterprise)
        _print(refuse_sale(federation_of(opened), tx, one.id, proposal), one.timezone, opened.settings.language)


def _print(one: ProposedSale, timezone: str, language: str) -> None:
    opens, closes, begins = (
        format_moment(at, timezone, language) for at in (one.opens_at, one.closes_at, one.begins_at)
    )
    ours = one.direction == "proposed"
    said = spoken(
        "{sale}, to {name}: {state}" if ours else "{sale}, from {name}: {state}",
        sale=one.name, name=one.other_name, state=one.state,
    )  # fmt: skip
    when = spoken("opens {opens}, closes {closes}, is given out {begins}", opens=opens, closes=closes, begins=begins)
    console.print(f"{one.id}  {said}", markup=False)
    console.print(f"  {when}", markup=False)
