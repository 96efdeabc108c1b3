"""E-mails to enterprises about their stock that has run low."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ...base.languages.formats import format_quantity
from ...storage.database import Transaction
from ...trade.enterprises.addresses import addresses_of
from ...trade.stock.lots import StockLot
from .to_enterprise import mail_enterprise

_MOST = 30  # lots that an e-mail names


def mail_low_stock(tx: Transaction, lots: Sequence[StockLot]) -> None:
    """Mails each enterprise what has run low; `lots` are sorted by enterprise."""
    for enterprise_id, group in groupby(lots, key=lambda lot: lot.enterprise_id):
        low, language = list(group), addresses_of(tx, enterprise_id).language
        rows = [_row(lot, language) for lot in low[:_MOST]]
        values = {"count": len(low), "lots": rows, "path": f"office/{enterprise_id}/products"}
        mail_enterprise(tx, enterprise_id, "stock_low", values)


def _row(lot: StockLot, language: str) -> dict[str, str]:
    quantities = {"left": lot.free, "level": lot.low_level or 0}
    texts = {name: format_quantity(quantity, lot.unit, language) for name, quantity in quantities.items()}
    return {"name": lot.name, **texts}
