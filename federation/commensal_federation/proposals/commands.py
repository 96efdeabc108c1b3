"""Sales across instances on the command line: ``commensal federation sale …``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import HERE, Folder, format_moment, moment, named_enterprise, open_instance, spoken
from commensal.parts.terminal import console

from ..arguments import OurEnterprise
from ..messages.proposals import ProposedSale
from ..runtime import federation_of
from .proposing import propose_sale, withdraw_sale
from .receiving import accept_sale, proposal_of, proposals_of, refuse_sale

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
        owner = named_enterprise(tx, enterprise)
        for proposal in proposals_of(tx, owner.id, limit=_MOST):
            _print(proposal, owner.timezone, opened.settings.language)


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
    change: Annotated[str, typer.Option(help="The id of a proposal that is changed to these values.")] = "",
    instance: Folder = HERE,
) -> None:
    """Proposes one sale to every hub that was granted something, or changes it."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        owner = named_enterprise(tx, enterprise)
        opens_at = moment(opens, owner.timezone, "--opens", after=tx.now) if opens else tx.now
        closes_at = moment(closes, owner.timezone, "--closes", after=opens_at)
        begins_at = moment(begins, owner.timezone, "--begins", after=closes_at)
        proposed = propose_sale(
            federation_of(opened),
            tx,
            owner.id,
            name=name,
            opens_at=opens_at,
            closes_at=closes_at,
            begins_at=begins_at,
            ends_at=moment(ends, owner.timezone, "--ends", after=begins_at),
            sale=proposal_of(tx, owner.id, change).iri if change else None,
        )
        for proposal in proposed:
            _print(proposal, owner.timezone, opened.settings.language)


def withdraw_command(enterprise: OurEnterprise, proposal: ProposalId, instance: Folder = HERE) -> None:
    """Withdraws a proposed sale from all hubs. Hubs that have accepted it are notified and decide themselves."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        owner = named_enterprise(tx, enterprise)
        for proposal_row in withdraw_sale(federation_of(opened), tx, owner.id, proposal_of(tx, owner.id, proposal).iri):
            _print(proposal_row, owner.timezone, opened.settings.language)


def accept_command(
    enterprise: OurEnterprise,
    proposal: ProposalId,
    catalog: Annotated[
        str, typer.Option(help="The id of the hub's catalog; else the one that follows the producer, or the first.")
    ] = "",
    instance: Folder = HERE,
) -> None:
    """Accepts a proposed sale: it becomes one of the hub's own."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        owner = named_enterprise(tx, enterprise)
        accepted = accept_sale(federation_of(opened), tx, owner.id, proposal, catalog_id=catalog or None)
        _print(accepted, owner.timezone, opened.settings.language)


def refuse_command(enterprise: OurEnterprise, proposal: ProposalId, instance: Folder = HERE) -> None:
    """Refuses a proposed sale, and notifies the producer."""
    with open_instance(instance) as opened, opened.store.write() as tx:
        owner = named_enterprise(tx, enterprise)
        _print(refuse_sale(federation_of(opened), tx, owner.id, proposal), owner.timezone, opened.settings.language)


def _print(sale: ProposedSale, timezone: str, language: str) -> None:
    opens, closes, begins = (
        format_moment(at, timezone, language) for at in (sale.opens_at, sale.closes_at, sale.begins_at)
    )
    is_ours = sale.direction == "proposed"
    headline = spoken(
        "{sale}, to {name}: {state}" if is_ours else "{sale}, from {name}: {state}",
        sale=sale.name,
        name=sale.other_name,
        state=sale.state,
    )
    when = spoken("opens {opens}, closes {closes}, is given out {begins}", opens=opens, closes=closes, begins=begins)
    console.print(f"{sale.id}  {headline}", markup=False)
    console.print(f"  {when}", markup=False)
