"""Quantities of a form: how they are read, and how they join a cart that another tab or person has changed meanwhile.

A form sends what it shows now and what it showed at first (`WAS`). Only the difference counts, so an old tab takes
nothing away that it does not know of.
"""

from __future__ import annotations

from collections.abc import Mapping

from commensal import Invalid, Problem, read_whole

FIELD = "items/"  # prefix of quantity fields; the item's id follows
WAS = "was"  # the field with the quantities at the time when the page was shown
AGAIN = "again"  # the field that a script fills if it repeats a request of which no answer came
_LONGEST = 20  # characters of a quantity


def typed_quantities(form: Mapping[str, str]) -> dict[str, str]:
    """The quantity fields of a form as they were typed, by item."""
    return {name.removeprefix(FIELD): value[:_LONGEST] for name, value in form.items() if name.startswith(FIELD)}


def read_quantities(typed: Mapping[str, str]) -> dict[str, int]:
    """Pieces by item; an empty field means 0. Raises `Invalid` naming every field that is not a number."""
    problems, pieces = [], {}
    for item, value in typed.items():
        plain = value.strip() or "0"
        number = read_whole(plain)
        if number is not None:
            pieces[item] = number
        else:
            text = "{text} is not a number of pieces."
            problems.append(Problem("not_a_number", text, f"/{FIELD}{item}", {"text": plain[:20]}))
    if problems:
        raise Invalid(problems)
    return pieces


def merge_quantity(now: int, was: int, typed: int) -> int:
    """The pieces of an item in a cart that has `now`, after a form that showed `was` at first and sends `typed`.

    What was added or taken off in the form is added to, or taken off, what the cart has by now. A form that arrives
    twice counts once: then the cart has what was typed already. An item that was taken out is out.
    """
    if typed == 0 or now in (was, typed):
        return typed
    return max(0, now + typed - was)


def format_quantities(items: Mapping[str, int]) -> str:
    """The cart's quantities as text for a hidden field of the form: ``item:2 other:1``."""
    return " ".join(f"{item}:{pieces}" for item, pieces in items.items())


def parse_quantities(field: str) -> dict[str, int]:
    """Parses the text of `format_quantities` into pieces by item."""
    pairs = (pair.rpartition(":") for pair in field.split())
    return {item: number for item, _, pieces in pairs if (number := read_whole(pieces)) is not None}
