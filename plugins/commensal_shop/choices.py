"""Form fields for the customer's choices besides goods: codes, delivery address, consents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from commensal import Address, Conflict, Invalid, Problem
from commensal.orders import read_codes
from commensal.pages import Visit

T = TypeVar("T")

CODE = "code"  # the field for a new code
_CODES = "codes/"  # prefix of hidden fields, each with an accepted code
_REMOVE = "remove/"  # prefix of the value of a button that removes a code; the code follows
_CONSENTS = "consents/"  # prefix of checkboxes; the name of the request follows
_ADDRESS = "address/"
_LONGEST = {"street": 200, "postcode": 20, "city": 100, "note": 500}
ADDRESS_FIELDS = tuple(_ADDRESS + name for name in _LONGEST)


@dataclass(frozen=True)
class CodesResult(Generic[T]):
    """The result of an attempt with the accepted `codes`; `refused` are the problems with the others."""

    value: T
    codes: tuple[str, ...]
    refused: tuple[Problem, ...]


def typed_address(form: Mapping[str, str]) -> Address | None:
    """The typed address; None if the fields are empty or missing."""
    values = {name: form.get(_ADDRESS + name, "").strip()[:most] for name, most in _LONGEST.items()}
    return Address(**values) if any(values.values()) else None


def address_fields(address: Address | None) -> dict[str, str]:
    """The values of the address fields by field name."""
    return {_ADDRESS + name: getattr(address, name) if address else "" for name in _LONGEST}


def missing_fields(address: Address | None) -> list[Problem]:
    """Problems for the fields that an order with delivery needs and the address lacks."""
    street = Problem("address_missing", "Say in which street your order shall be brought.", f"/{_ADDRESS}street")
    postcode = Problem(
        "address_missing", "Say the postcode of where your order shall be brought.", f"/{_ADDRESS}postcode"
    )
    city = Problem("address_missing", "Say in which town your order shall be brought.", f"/{_ADDRESS}city")
    filled = address or Address()
    parts = ((filled.street, street), (filled.postcode, postcode), (filled.city, city))
    return [problem for value, problem in parts if not value]


def ticked_consents(form: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the consents that the customer gives. A browser sends ticked boxes only."""
    return tuple(name.removeprefix(_CONSENTS) for name in form if name.startswith(_CONSENTS))


def sends_codes(form: Mapping[str, str]) -> bool:
    """Whether the form has a field for codes; without one, the codes of an order stay."""
    return CODE in form


def typed_codes(form: Mapping[str, str]) -> tuple[str, ...]:
    """The codes accepted when the page was shown and the new one, without the one that is being removed."""
    accepted = [value for name, value in form.items() if name.startswith(_CODES)]
    removed = form.get("then", "")
    return tuple(code for code in (*accepted, form.get(CODE, "")) if code.strip() and removed != _REMOVE + code)


def try_codes(visit: Visit, codes: Sequence[str], attempt: Callable[[tuple[str, ...]], T]) -> CodesResult[T]:
    """Calls `attempt` with all codes, and again without those that are refused.

    Raises every other error of `attempt`, and `TooMany` if too many codes were guessed.
    """
    refused: list[Problem] = []
    while True:
        try:
            plain = read_codes(codes)
            with visit.guessing(plain):
                return CodesResult(attempt(plain), plain, tuple(refused))
        except Conflict as error:
            if error.code != "too_many_codes":
                raise
            refused.append(Problem(error.code, error.text, f"/{CODE}", dict(error.values)))
            codes = codes[:-1]
        except Invalid as error:
            refusals = {problem.where: replace(problem, where=f"/{CODE}") for problem in error.problems}
            accepted = tuple(code for index, code in enumerate(plain) if f"/{_CODES}{index}" not in refusals)
            if len(plain) - len(accepted) != len(refusals):
                raise
            refused += refusals.values()
            codes = accepted
