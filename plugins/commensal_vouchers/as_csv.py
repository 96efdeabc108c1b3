"""Codes as CSV, to be printed or sent, as spreadsheets of the reader's language open it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from commensal import format_money, format_percent, guard, translate

from .voucher import Voucher


def as_csv(vouchers: Iterable[Voucher], language: str) -> bytes:
    """UTF-8 with the mark without which Excel takes it for Windows-1252; in French with semicolons."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";" if language == "fr" else ",", lineterminator="\r\n")
    writer.writerow(
        [
            translate(language, "Code"),
            translate(language, "Worth"),
            translate(language, "Valid from"),
            translate(language, "Valid until"),
            translate(language, "What for"),
        ]
    )
    for one in vouchers:
        days = [moment.isoformat() if moment else "" for moment in (one.valid_from, one.valid_until)]
        writer.writerow([one.code, worth(one, language), *days, guard(one.name)])
    return text.getvalue().encode("utf-8-sig")


def worth(one: Voucher, language: str) -> str:
    """5,00 €, or 10 %; of a gift card what is left on it."""
    if one.percent is not None:
        return format_percent(one.percent, language)
    return format_money((one.amount if one.balance is None else one.balance) or 0, one.currency, language)
