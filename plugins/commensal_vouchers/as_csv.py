"""Codes as CSV, to be printed or sent, as spreadsheets of the reader's language open it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from commensal import csv_bytes, format_money, format_percent, translate

from .voucher import Voucher


def as_csv(vouchers: Iterable[Voucher], language: str) -> bytes:
    """A line for each code."""
    return csv_bytes(_rows(vouchers, language), language)


def worth(one: Voucher, language: str) -> str:
    """5,00 €, or 10 %; of a gift card what is left on it."""
    if one.percent is not None:
        return format_percent(one.percent, language)
    return format_money((one.amount if one.balance is None else one.balance) or 0, one.currency, language)


def _rows(vouchers: Iterable[Voucher], language: str) -> Iterator[Sequence[str]]:
    yield (
        translate(language, "Code"),
        translate(language, "Worth"),
        translate(language, "Valid from"),
        translate(language, "Valid until"),
        translate(language, "What for"),
    )
    for one in vouchers:
        days = [moment.isoformat() if moment else "" for moment in (one.valid_from, one.valid_until)]
        yield one.code, worth(one, language), *days, one.name
