"""What a customer chooses besides goods, in the fields of a form: codes, where it is to be brought, what they allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from commensal import Address, Conflict, Invalid, Problem, Visit, read_codes

T = TypeVar("T")

CODE = "code"  # the field in which a code is typed
_CODES = "codes/"  # of hidden fields; in each is a code that counts already
_REMOVE = "remove/"  # of the button that takes a code out; the rest of its value is the code
_CONSENTS = "consents/"  # of boxes; the rest of the name is what is asked
_ADDRESS = "address/"
_LONGEST = {"street": 200, "postcode": 20, "city": 100, "note": 500}
ADDRESS_FIELDS = tuple(_ADDRESS + name for name in _LONGEST)


@dataclass(frozen=True)
class Tried(Generic[T]):
    """What came of an attempt with those codes that count; `refused` says what is against the others."""

    value: T
    codes: tuple[str, ...]
    refused: tuple[Problem, ...]


def address_typed(form: Mapping[str, str]) -> Address | None:
    """None where the fields are empty, or there are none."""
    typed = {name: form.get(_ADDRESS + name, "").strip()[:most] for name, most in _LONGEST.items()}
    return Address(**typed) if any(typed.values()) else None


def address_fields(address: Address | None) -> dict[str, str]:
    """What stands in the fields."""
    return {_ADDRESS + name: getattr(address, name) if address else "" for name in _LONGEST}


def missing_of(address: Address | None) -> list[Problem]:
    """What an order that is brought must say and does not."""
    street = Problem("address_missing", "Say in which street your order shall be brought.", f"/{_ADDRESS}street")
    postcode = Problem(
        "address_missing", "Say the postcode of where your order shall be brought.", f"/{_ADDRESS}postcode"
    )
    city = Problem("address_missing", "Say in which town your order shall be brought.", f"/{_ADDRESS}city")
    given = address or Address()
    parts = ((given.street, street), (given.postcode, postcode), (given.city, city))
    return [problem for value, problem in parts if not value]


def ticked(form: Mapping[str, str]) -> tuple[str, ...]:
    """What the customer agrees to. A browser sends only boxes that are ticked."""
    return tuple(name.removeprefix(_CONSENTS) for name in form if name.startswith(_CONSENTS))


def sends_codes(form: Mapping[str, str]) -> bool:
    """Whether the form has a place for codes: without one, those of an order stay."""
    return CODE in form


def codes_typed(form: Mapping[str, str]) -> tuple[str, ...]:
    """Codes that counted when the page was shown, and the one that was typed, without the one that is taken out."""
    kept = [value for name, value in form.items() if name.startswith(_CODES)]
    removed = form.get("then", "")
    return tuple(code for code in (*kept, form.get(CODE, "")) if code.strip() and removed != _REMOVE + code)


def with_codes(visit: Visit, codes: Sequence[str], attempt: Callable[[tuple[str, ...]], T]) -> Tried[T]:
    """Attempts it with all codes, and again without those that are refused.

    Raises whatever else stands against it, and `TooMany` where too many codes were guessed.
    """
    refused: list[Problem] = []
    while True:
        try:
            plain = read_codes(codes)
            with visit.guessing(plain):
                return Tried(attempt(plain), plain, tuple(refused))
        except Conflict as error:
            if error.code != "too_many_codes":
                raise
            refused.append(Problem(error.code, error.text, f"/{CODE}", dict(error.values)))
            codes = codes[:-1]
        except Invalid as error:
            against = {one.where: replace(one, where=f"/{CODE}") for one in error.problems}
            left = tuple(code for place, code in enumerate(plain) if f"/{_CODES}{place}" not in against)
            if len(plain) - len(left) != len(against):
                raise
            refused += against.values()
            codes = left
