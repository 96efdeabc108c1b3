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


def note_payees(tx: Transaction, enterprise_id: str, accounts: Mapping[str, tuple[str, str]]) -> None:
    """Notes the holder and the IBAN of each supplier, as they were typed; an empty IBAN removes the account.

    Raises `Invalid` with every mistake, at ``/holder/<supplier>`` or ``/iban/<supplier>``; then nothing is noted.
    """
    problems: list[Problem] = []
    checked = {supplier: _read(supplier, *texts, problems) for supplier, texts in accounts.items()}
    if problems:
        raise Invalid(problems)
    for supplier, payee in checked.items():
        if payee is None:
            tx.execute(
                delete(bank_transfer_payee).where(_payee.enterprise_id == enterprise_id, _payee.supplier_id == supplier)
            )
            continue
        values = {"holder": payee.holder, "iban": payee.iban, "changed_at": tx.now}
        row = {"enterprise_id": enterprise_id, "supplier_id": supplier, **values}
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
