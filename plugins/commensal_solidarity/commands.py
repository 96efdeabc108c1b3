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
    file_of_caller,
    format_money,
    hookimpl,
    named_enterprise,
    open_instance,
    plugin_settings,
    print_line,
    read_amount,
    translate,
)

from .report import statement_csv
from .settings import Programme, Settings
from .statement import FundStatement, record_payment, statement_of

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
        """Prints a fund's statement of a period: orders, what they were granted, and what is left."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop, fund_programme = _programme_of(tx, opened, hub, programme)
            fund_statement = statement_of(tx, shop.id, fund_programme, _day(first, "--from"), _day(last, "--to"))
        if csv is not None:
            with file_of_caller(csv) as file:
                file.write(statement_csv(fund_statement, shop.language))
            print_line("{file} holds {count} orders.", file=csv, count=len(fund_statement.orders))
        else:
            _print(fund_statement, shop.language)

    @app.command("paid")
    def paid(
        hub: _Hub,
        programme: _Programme,
        amount: Annotated[str, typer.Argument(help="What came: 250 or 250,50.")],
        on: Annotated[str, typer.Option(help="The day it came, like 2026-06-30.")],
        reference: Annotated[str, typer.Option(help="What the bank's statement says.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Records a payment of a fund."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop, fund_programme = _programme_of(tx, opened, hub, programme)
            checked_amount = read_amount(amount, shop.currency)
            if isinstance(checked_amount, Problem):
                raise Invalid([checked_amount])
            day = _day(on, "--on")
            assert day is not None
            record_payment(tx, shop.id, fund_programme.id, amount=checked_amount, paid_on=day, reference=reference)
            owed = statement_of(tx, shop.id, fund_programme).owed
        amount_owed = format_money(owed, shop.currency, shop.language)
        print_line("{payer} now owes {amount}.", payer=fund_programme.payer, amount=amount_owed)

    del statement, paid


def _programme_of(tx: Transaction, opened: Instance, hub: str, programme: str) -> tuple[Enterprise, Programme]:
    shop = named_enterprise(tx, hub)
    return shop, plugin_settings(tx, opened.hooks, shop.id, "solidarity", Settings).programme(programme)


def _day(text: str, option: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = "{text} is not a day; write it like 2026-06-30."
        raise Invalid([Problem("day", message, option, {"text": text[:40]})]) from None


def _print(statement: FundStatement, language: str) -> None:
    def money_text(minor: int) -> str:
        return format_money(minor, statement.currency, language)

    typer.echo(f"{statement.shop} – {statement.payer}: {statement.first_day} – {statement.last_day}\n")
    for order in statement.orders:
        typer.echo(f"{order.number:>6}  {order.placed_on}  {order.who:<20}  {money_text(order.amount):>12}")
    for label, minor in (
        (translate(language, "Total"), statement.total),
        (translate(language, "Received in this period"), statement.received),
        (translate(language, "Still owed"), statement.owed),
        (translate(language, "Budget of the year"), statement.year.budget),
        (translate(language, "Spent of it"), statement.year.spent),
        (translate(language, "Left of it"), statement.year.left),
    ):
        typer.echo(f"{label:>40}  {money_text(minor):>12}")
