"""Values of a notice: written as JSON when it is noted, shown in the language and time zone of each reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from commensal import format_moment, format_money

LONGEST = 200  # characters of a value, which a peer may have written


@dataclass(frozen=True)
class Owed:
    """`amount` minor units of an ISO 4217 currency."""

    amount: int
    currency: str


def write_values(values: Mapping[str, object]) -> dict[str, object]:
    """The values as JSON can hold them. Texts become one line of at most `LONGEST` characters."""
    return {name: _write(value) for name, value in values.items()}


def show_values(details: Mapping[str, object], language: str, timezone: str) -> dict[str, str]:
    """The values as a mail shows them, moments in the IANA `timezone`."""
    return {name: _show(value, language, timezone) for name, value in details.items()}


def _write(value: object) -> object:
    if isinstance(value, datetime):
        return {"at": value.isoformat()}
    if isinstance(value, Owed):
        return {"amount": value.amount, "currency": value.currency}
    if isinstance(value, int):
        return value
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _show(value: object, language: str, timezone: str) -> str:
    if isinstance(value, dict):
        if "at" in value:
            return format_moment(datetime.fromisoformat(value["at"]), timezone, language)
        return format_money(value["amount"], value["currency"], language)
    return str(value)
