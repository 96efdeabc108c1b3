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

from .accounts import account_of, accounts, open_account, write_entry
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
            while page := accounts(tx, shop.id, after=after, limit=200):
                for account in page:
                    balance = settings.as_text(account.balance, shop.currency, shop.language)
                    typer.echo(f"{customer_by_id(tx, shop.id, account.customer_id).email}  {balance}")
                after = page[-1].customer_id

    @app.command("pay-in")
    def pay_in(
        email: Annotated[str, typer.Argument(help="The customer's address.")],
        amount: Annotated[str, typer.Argument(help="What they paid in: 20 or 20,50.")],
        enterprise: _Shop,
        note: Annotated[str, typer.Option(help="A note for the ledger.")] = "",
        instance: Folder = HERE,
    ) -> None:
        """Records what a customer has paid in; opens an account if they have none."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop = named_enterprise(tx, enterprise)
            settings = plugin_settings(tx, opened.hooks, shop.id, "account", Settings)
            checked_amount = read_amount(amount, "EUR" if settings.unit else shop.currency)  # both count hundredths
            if isinstance(checked_amount, Problem):
                raise Invalid([checked_amount])
            customer = customer_by_email(tx, shop.id, email.strip().lower())
            try:
                account_of(tx, shop.id, customer.id)
            except NotFound:
                open_account(tx, shop.id, customer.id)
            entry = write_entry(tx, shop.id, customer.id, "paid in", checked_amount, note=note, person_id=None)
            balance = settings.as_text(entry.balance, shop.currency, shop.language)
            print_line("{email} now has {balance}.", email=email, balance=balance)

    del list_accounts, pay_in
