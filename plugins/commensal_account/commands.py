"""Accounts on the command line: ``commensal account list|pay-in``."""

from __future__ import annotations

from typing import Annotated

import typer

from commensal import (
    HERE,
    Folder,
    Invalid,
    NotFound,
    Problem,
    customer_by_email,
    customer_by_id,
    hookimpl,
    named_enterprise,
    open_instance,
    plugin_settings,
    print_line,
    read_amount,
)

from .accounts import account_of, accounts, open_account, write_down
from .settings import Settings

_Shop = Annotated[str, typer.Option("--enterprise", help="The shop: its id or its name in addresses.")]


@hookimpl
def commands(app: typer.Typer) -> None:
    @app.command("list")
    def list_accounts(enterprise: _Shop, instance: Folder = HERE) -> None:
        """Lists the shop's accounts with their balances."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop = named_enterprise(tx, enterprise)
            settings = plugin_settings(tx, opened.hooks, shop.id, "account", Settings)
            after = ""
            while found := accounts(tx, shop.id, after=after, limit=200):
                for one in found:
                    has = settings.shown(one.balance, shop.currency, shop.language)
                    typer.echo(f"{customer_by_id(tx, shop.id, one.customer_id).email}  {has}")
                after = found[-1].customer_id

    @app.command("pay-in")
    def pay_in(
        email: Annotated[str, typer.Argument(help="The customer's address.")],
        amount: Annotated[str, typer.Argument(help="What they paid in: 20 or 20,50.")],
        enterprise: _Shop,
        note: Annotated[str, typer.Option(help="What the ledger should say of it.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Writes down what a customer has paid in; who has no account gets one."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop = named_enterprise(tx, enterprise)
            settings = plugin_settings(tx, opened.hooks, shop.id, "account", Settings)
            read = read_amount(amount, "EUR" if settings.unit else shop.currency)  # both count hundredths
            if isinstance(read, Problem):
                raise Invalid([read])
            customer = customer_by_email(tx, shop.id, email.strip().lower())
            try:
                account_of(tx, shop.id, customer.id)
            except NotFound:
                open_account(tx, shop.id, customer.id)
            entry = write_down(tx, shop.id, customer.id, "paid in", read, note=note, person_id=None)
            has = settings.shown(entry.balance, shop.currency, shop.language)
            print_line("{email} now has {balance}.", email=email, balance=has)

    del list_accounts, pay_in
