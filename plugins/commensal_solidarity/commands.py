"""Solidarity on the command line: ``commensal solidarity statement|paid``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from commensal import (
    HERE,
    Enterprise,
    Folder,
    Instance,
    Invalid,
    Problem,
    Transaction,
    format_money,
    hookimpl,
    named_enterprise,
    open_instance,
    plugin_settings,
    print_line,
    read_amount,
    translate,
)

from .as_csv import as_csv
from .received import record_payment
from .settings import Programme, Settings
from .statement import Statement, statement_of

_Hub = Annotated[str, typer.Argument(help="The hub: its id or its name in addresses.")]
_Programme = Annotated[str, typer.Argument(help="The programme's id in the hub's settings.")]


@hookimpl
def commands(app: typer.Typer) -> None:
    @app.command("statement")
    def statement(
        hub: _Hub,
        programme: _Programme,
        first: Annotated[str, typer.Option("--from", help="The first day, like 2026-06-01; else the year's.")] = "",
        last: Annotated[str, typer.Option("--to", help="The last day; else today.")] = "",
        csv: Annotated[Path | None, typer.Option(help="Write it into this file, as CSV.", dir_okay=False)] = None,
        instance: Folder = HERE,
    ) -> None:
        """Prints what a fund is told of a period: orders, what they were granted, and what is left."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop, known = _named(tx, opened, hub, programme)
            found = statement_of(tx, shop.id, known, _day(first, "--from"), _day(last, "--to"))
        if csv is not None:
            csv.write_bytes(as_csv(found, shop.language))
            print_line("{file} holds {count} orders.", file=csv, count=len(found.orders))
        else:
            _print(found, shop.language)

    @app.command("paid")
    def paid(
        hub: _Hub,
        programme: _Programme,
        amount: Annotated[str, typer.Argument(help="What came: 250 or 250,50.")],
        on: Annotated[str, typer.Option(help="The day it came, like 2026-06-30.")],
        reference: Annotated[str, typer.Option(help="What the bank's statement says.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Writes down that a fund has paid."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop, known = _named(tx, opened, hub, programme)
            read = read_amount(amount, shop.currency)
            if isinstance(read, Problem):
                raise Invalid([read])
            day = _day(on, "--on")
            assert day is not None
            record_payment(tx, shop.id, known.id, amount=read, paid_on=day, reference=reference)
            owed = statement_of(tx, shop.id, known).owed
        amount_owed = format_money(owed, shop.currency, shop.language)
        print_line("{payer} now owes {amount}.", payer=known.payer, amount=amount_owed)

    del statement, paid


def _named(tx: Transaction, opened: Instance, hub: str, programme: str) -> tuple[Enterprise, Programme]:
    shop = named_enterprise(tx, hub)
    return shop, plugin_settings(tx, opened.hooks, shop.id, "solidarity", Settings).programme(programme)


def _day(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        said = "{text} is no day; write it like 2026-06-30."
        raise Invalid([Problem("day", said, option, {"text": text[:40]})]) from None


def _print(found: Statement, language: str) -> None:
    def said(minor: int) -> str:
        return format_money(minor, found.currency, language)

    typer.echo(f"{found.shop} – {found.payer}: {found.first_day} – {found.last_day}\n")
    for one in found.orders:
        typer.echo(f"{one.number:>6}  {one.placed_on}  {one.who:<20}  {said(one.amount):>12}")
    for label, minor in (
        (translate(language, "Total"), found.total),
        (translate(language, "Received in this period"), found.received),
        (translate(language, "Still owed"), found.owed),
        (translate(language, "Budget of the year"), found.year.budget),
        (translate(language, "Spent of it"), found.year.spent),
        (translate(language, "Left of it"), found.year.left),
    ):
        typer.echo(f"{label:>40}  {said(minor):>12}")
