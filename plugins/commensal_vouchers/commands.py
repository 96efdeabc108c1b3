"""Vouchers on the command line: ``commensal vouchers add|card|list``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import InvalidOperation
from pathlib import Path
from typing import Annotated

import typer

from commensal import (
    HERE,
    Enterprise,
    Folder,
    Invalid,
    Problem,
    file_of_caller,
    hookimpl,
    named_enterprise,
    open_instance,
    print_line,
    read_amount,
    read_decimal,
)

from .codes import Voucher, codes_csv, worth
from .create import VoucherTerms, add_batch, add_voucher
from .questions import vouchers_of

_Hub = Annotated[str, typer.Argument(help="The hub: its id or its name in addresses.")]
_Worth = Annotated[str, typer.Argument(help="The discount: 5.00, or 10%.")]
_Csv = Annotated[Path | None, typer.Option(help="Write the codes into this file, as CSV.", dir_okay=False)]
_Name = Annotated[str, typer.Option(help="What it is for; only the hub sees it.")]


@hookimpl
def commands(app: typer.Typer) -> None:
    @app.command("add")
    def add(
        hub: _Hub,
        spares: _Worth,
        code: Annotated[str, typer.Option(help="The code, if you choose it; by default a random one.")] = "",
        count: Annotated[int, typer.Option(help="The number of codes; several are random.")] = 1,
        minimum: Annotated[str, typer.Option(help="The least value of goods.")] = "0",
        uses: Annotated[int | None, typer.Option(help="How often each can be used; by default without limit.")] = None,
        once: Annotated[bool, typer.Option("--once", help="Each customer can use it for one order.")] = False,
        name: _Name = "",
        csv: _Csv = None,
        instance: Folder = HERE,
    ) -> None:
        """Creates vouchers."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop = named_enterprise(tx, hub)
            least = _amount(minimum, shop, "--minimum")
            terms = replace(_worth(spares, shop), name=name, minimum=least, most_uses=uses, once=once)
            vouchers = (
                [add_voucher(tx, shop.id, terms, code=code)] if count == 1 else add_batch(tx, shop.id, terms, count)
            )
        _show(vouchers, shop, csv)

    @app.command("card")
    def card(
        hub: _Hub,
        amount: Annotated[str, typer.Argument(help="What is put onto each, like 30.00.")],
        count: Annotated[int, typer.Option(help="The number of cards.")] = 1,
        name: _Name = "",
        csv: _Csv = None,
        instance: Folder = HERE,
    ) -> None:
        """Creates gift cards that have been paid for."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            shop = named_enterprise(tx, hub)
            terms = VoucherTerms(kind="card", amount=_amount(amount, shop, "AMOUNT"), name=name)
            vouchers = add_batch(tx, shop.id, terms, count)
        _show(vouchers, shop, csv)

    @app.command("list")
    def list_vouchers(
        hub: _Hub,
        archived: Annotated[bool, typer.Option("--archived", help="Lists archived codes instead.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Lists a hub's codes, what they are worth, and how often they were used."""
        with open_instance(instance) as opened, opened.store.read() as tx:
            shop, after = named_enterprise(tx, hub), ""
            while page := vouchers_of(tx, shop.id, archived=archived, after=after, limit=200):
                _show(page, shop, None)
                after = page[-1].id

    del add, card, list_vouchers


def _worth(spares: str, shop: Enterprise) -> VoucherTerms:
    """The terms of a code that spares "10" (in the shop's currency) or "10%". Raises `Invalid`."""
    if not spares.strip().endswith("%"):
        return VoucherTerms(kind="amount", amount=_amount(spares, shop, "SPARES"))
    try:
        percent = read_decimal(spares.strip().rstrip("%").strip().replace(",", "."))
    except InvalidOperation:
        raise Invalid([Problem("percent", "The percentage is above 0, and at most 100.", "SPARES")]) from None
    return VoucherTerms(kind="percent", percent=percent)


def _amount(text: str, shop: Enterprise, where: str) -> int:
    amount = read_amount(text, shop.currency)
    if isinstance(amount, Problem):
        raise Invalid([Problem(amount.code, amount.text, where, amount.values)])
    return amount


def _show(vouchers: Sequence[Voucher], shop: Enterprise, csv: Path | None) -> None:
    if csv is not None:
        with file_of_caller(csv) as file:
            file.write(codes_csv(vouchers, shop.language))
        print_line("{count} codes in {file}", count=len(vouchers), file=csv)
        return
    for voucher in vouchers:
        uses = f"{voucher.used}/{voucher.most_uses}" if voucher.most_uses else str(voucher.used)
        typer.echo(f"{voucher.code}  {worth(voucher, shop.language)}  {uses}  {voucher.name}".rstrip())
