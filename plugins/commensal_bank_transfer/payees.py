"""The accounts of suppliers to which a shop transfers what it owes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, select
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from commensal import Invalid, Problem, Transaction, insert_or, read_text

from .settings import LONGEST_HOLDER
from .tables import bank_transfer_payee

_payee = bank_transfer_payee.c


@dataclass(frozen=True, kw_only=True)
class Payee:
    """A supplier's account: its holder as the bank writes it, and the IBAN without blanks (ISO 13616)."""

    holder: str
    iban: str


def payees_of(tx: Transaction, enterprise_id: str) -> dict[str, Payee]:
    """Returns the accounts that the shop has noted, by the id of the supplier."""
    rows = tx.all(select(bank_transfer_payee).where(_payee.enterprise_id == enterprise_id))
    return {row["supplier_id"]: Payee(holder=row["holder"], iban=row["iban"]) for row in rows}


def read_payees(accounts: Mapping[str, tuple[str, str]]) -> dict[str, Payee | None]:
    """Returns the accounts by supplier, as they were typed: holder and IBAN; None for an empty IBAN.

    Raises `Invalid` with every mistake, at ``/holder/<supplier>`` or ``/iban/<supplier>``.
    """
    problems: list[Problem] = []
    checked = {supplier: _read(supplier, *texts, problems) for supplier, texts in accounts.items()}
    if problems:
        raise Invalid(problems)
    return checked


def keep_payee(tx: Transaction, enterprise_id: str, supplier_id: str, payee: Payee | None) -> None:
    """Notes a supplier's account; None removes it. Where that needs a second person, only after they have agreed."""
    if payee is None:
        of_supplier = (_payee.enterprise_id == enterprise_id, _payee.supplier_id == supplier_id)
        tx.execute(delete(bank_transfer_payee).where(*of_supplier))
        return
    values = {"holder": payee.holder, "iban": payee.iban, "changed_at": tx.now}
    row = {"enterprise_id": enterprise_id, "supplier_id": supplier_id, **values}
    change = insert_or(tx, bank_transfer_payee).values(row)
    tx.execute(change.on_conflict_do_update(index_elements=["enterprise_id", "supplier_id"], set_=values))


def _read(supplier: str, holder: str, iban: str, problems: list[Problem]) -> Payee | None:
    if not iban.strip():
        return None
    try:
        compact = iban_number.validate(iban)
    except ValidationError:
        text = "This is not an IBAN; please compare it with the supplier’s invoice."
        problems.append(Problem("iban", text, f"/iban/{supplier}"))
        compact = ""
    name = read_text(holder, f"/holder/{supplier}", problems, least=1, most=LONGEST_HOLDER)
    return Payee(holder=name, iban=str(compact))
