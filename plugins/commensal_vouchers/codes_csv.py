"""Exports codes as CSV for spreadsheets in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from commensal import csv_bytes, format_money, format_percent, translate

from .voucher import Voucher


def codes_csv(vouchers: Iterable[Voucher], language: str) -> bytes:
    """Returns the vouchers as CSV, one line for each code."""
    return csv_bytes(_rows(vouchers, language), language)


def worth(voucher: Voucher, language: str) -> str:
    """Returns a voucher's value as text: 5,00 €, or 10 %; for a gift card its balance."""
    if voucher.percent is not None:
        return format_percent(voucher.percent, language)
    return format_money(
        (voucher.amount if voucher.balance is None else voucher.balance) or 0, voucher.currency, language
    )


def _rows(vouchers: Iterable[Voucher], language: str) -> Iterator[Sequence[str]]:
    yield (
        translate(language, "Code"),
        translate(language, "Worth"),
        translate(language, "Valid from"),
        translate(language, "Valid until"),
        translate(language, "What for"),
    )
    for voucher in vouchers:
        days = [moment.isoformat() if moment else "" for moment in (voucher.valid_from, voucher.valid_until)]
        yield voucher.code, worth(voucher, language), *days, voucher.name
