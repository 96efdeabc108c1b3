"""Acts of bank transfers that ask for a second person: another account, of a supplier or of the shop, and a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select
from stdnum import iban as iban_number
from stdnum.exceptions import ValidationError

from commensal import (
    ActKind,
    ActWords,
    Instance,
    Invalid,
    Problem,
    ProposedAct,
    Stale,
    Transaction,
    enterprise_by_id,
    format_day,
    format_money,
    hookimpl,
    insert_or,
    read_text,
    translate,
)

from .settings import LONGEST_HOLDER
from .tables import bank_transfer_payee

# The accounts of suppliers to which a shop transfers what it owes them.

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


PAYEE, FILE = "bank_transfer.payee", "bank_transfer.file"


@hookimpl
def act_kinds() -> list[ActKind]:
    return [
        ActKind(name=PAYEE, scope="payments:write", describe=_describe_payee, perform=_keep_payee),
        ActKind(name=FILE, scope="payments:write", describe=_describe_file, perform=_allow_file),
    ]


def payee_content(before: Payee | None, payee: Payee | None) -> dict[str, Any]:
    """What a change of a supplier's account is, as the content of an act."""
    return {"before": _as_content(before), "after": _as_content(payee)}


def _as_content(payee: Payee | None) -> dict[str, str] | None:
    return None if payee is None else {"holder": payee.holder, "iban": payee.iban}


def _describe_payee(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    name = enterprise_by_id(tx, act.subject).name
    title = translate(language, "Another account of {name}").format(name=name)
    before, after = (_in_words(act.content[each], language) for each in ("before", "after"))
    lines = [(translate(language, "Before"), before), (translate(language, "From now on"), after)]
    return ActWords(title=title, lines=lines)


def _in_words(account: Mapping[str, str] | None, language: str) -> str:
    if account is None:
        return translate(language, "no account")
    return f"{account['holder']}, {iban_number.format(account['iban'])}"


def _keep_payee(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    if _as_content(payees_of(tx, act.enterprise_id).get(act.subject)) != act.content["before"]:
        raise Stale
    after = act.content["after"]
    keep_payee(tx, act.enterprise_id, act.subject, None if after is None else Payee(**after))


def _describe_file(tx: Transaction, act: ProposedAct, language: str) -> ActWords:
    title = translate(language, "A file of transfers for the bank, to be executed on {day}")
    transfers = act.content["transfers"]
    lines = [
        (f"{each['holder']}, {iban_number.format(each['iban'])}", format_money(each["amount"], "EUR", language))
        for each in transfers
    ]
    total = format_money(sum(each["amount"] for each in transfers), "EUR", language)
    source = f"{act.content['holder']}, {iban_number.format(act.content['iban'])}"
    more = [(translate(language, "In all"), total), (translate(language, "Account that pays"), source)]
    day = format_day(datetime.fromisoformat(act.content["day"]).replace(hour=12, tzinfo=UTC), "UTC", language)
    return ActWords(title=title.format(day=day), lines=[*lines, *more])


def _allow_file(instance: Instance, tx: Transaction, act: ProposedAct) -> None:
    """Whoever asked downloads it, as it was shown: see `sepa_page`. The accounts must still be those."""
    payees = payees_of(tx, act.enterprise_id)
    for transfer in act.content["transfers"]:
        payee = payees.get(transfer["supplier"])
        if payee is None or (payee.holder, payee.iban) != (transfer["holder"], transfer["iban"]):
            raise Stale
