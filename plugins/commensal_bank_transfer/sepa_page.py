"""The page on which a shop notes its suppliers' accounts, and the file of transfers that it takes for its bank."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Xml

from starlette.responses import Response

from commensal import (
    Conflict,
    Enterprise,
    Invalid,
    NotFound,
    Problem,
    ProposedAct,
    SaleSession,
    Screen,
    SupplierAccount,
    Transaction,
    act_by_id,
    demand,
    needs_second_person,
    past_acts,
    payment_holds,
    plugin_settings,
    propose,
    sale_by_id,
    say,
    supplier_accounts,
    waiting_acts,
)
from commensal.pages import Visit, day_field, on_refusal

from .acts import FILE, PAYEE, Payee, keep_payee, payee_content, payees_of, read_payees
from .settings import Settings

# A file of SEPA credit transfers for the bank: ISO 20022 pain.001.001.09, as the European Payments Council profiles
# it (EPC132-08). Elements stand in the order of the schema, and texts in the letters that every bank of the area
# accepts.
#
# Direct debits (pain.008) are not made: a hub would need mandates of its customers and a creditor identifier.

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_LARGEST = 99_999_999_999  # cents of one transfer (EPC132-08)
_NAME, _REMITTANCE, _ID = 70, 140, 35  # characters
_OTHER_LETTERS = re.compile(r"[^A-Za-z0-9/\-?:().,'+ ]")
_SPELT = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss", "ø": "o", "Ø": "O", "’": "'", "–": "-"})


@dataclass(frozen=True, kw_only=True)
class CreditTransfer:
    """A transfer of `amount` euro cents to the account `iban` of `holder`.

    id: the end-to-end id, which stands on the statements of both; text: what the supplier reads
    """

    id: str
    holder: str
    iban: str
    amount: int
    text: str


def credit_transfers(
    transfers: Sequence[CreditTransfer], *, id: str, at: datetime, on: date, holder: str, iban: str
) -> bytes:
    """Returns the file as UTF-8 XML: all transfers from the account `iban` of `holder`, to be executed `on` this day.

    `id` is the message's id, which a bank accepts once; `at` is the moment of creation in UTC. Raises `Invalid` without
    transfers, and for an amount that is not positive or too large.
    """
    if not transfers or any(not 0 < transfer.amount <= _LARGEST for transfer in transfers):
        raise Invalid([Problem("transfers", "Choose at least one supplier who is to be paid.")])
    count, total = str(len(transfers)), _euros(sum(transfer.amount for transfer in transfers))
    Xml.register_namespace("", NAMESPACE)
    document = Xml.Element(f"{{{NAMESPACE}}}Document")
    message = _add(document, "CstmrCdtTrfInitn")
    header = _add(message, "GrpHdr")
    _texts(header, MsgId=id[:_ID], CreDtTm=f"{at:%Y-%m-%dT%H:%M:%SZ}", NbOfTxs=count, CtrlSum=total)
    _texts(_add(header, "InitgPty"), Nm=_latin(holder, _NAME))
    payment = _add(message, "PmtInf")
    _texts(payment, PmtInfId=id[:_ID], PmtMtd="TRF", NbOfTxs=count, CtrlSum=total)
    _texts(_add(_add(payment, "PmtTpInf"), "SvcLvl"), Cd="SEPA")
    _texts(_add(payment, "ReqdExctnDt"), Dt=on.isoformat())
    _texts(_add(payment, "Dbtr"), Nm=_latin(holder, _NAME))
    _texts(_add(_add(payment, "DbtrAcct"), "Id"), IBAN=iban)
    _texts(_add(_add(_add(payment, "DbtrAgt"), "FinInstnId"), "Othr"), Id="NOTPROVIDED")
    _texts(payment, ChrgBr="SLEV")
    for transfer in transfers:
        _add_transfer(payment, transfer)
    content: bytes = Xml.tostring(document, encoding="utf-8", xml_declaration=True)
    return content


def _add_transfer(payment: Xml.Element, transfer: CreditTransfer) -> None:
    element = _add(payment, "CdtTrfTxInf")
    _texts(_add(element, "PmtId"), EndToEndId=_latin(transfer.id, _ID))
    amount = _add(_add(element, "Amt"), "InstdAmt")
    amount.set("Ccy", "EUR")
    amount.text = _euros(transfer.amount)
    _texts(_add(element, "Cdtr"), Nm=_latin(transfer.holder, _NAME))
    _texts(_add(_add(element, "CdtrAcct"), "Id"), IBAN=transfer.iban)
    _texts(_add(element, "RmtInf"), Ustrd=_latin(transfer.text, _REMITTANCE))


def _add(parent: Xml.Element, name: str) -> Xml.Element:
    return Xml.SubElement(parent, f"{{{NAMESPACE}}}{name}")


def _texts(parent: Xml.Element, **texts: str) -> None:
    """Adds elements with a text each, in their order."""
    for name, text in texts.items():
        _add(parent, name).text = text


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _latin(text: str, most: int) -> str:
    """The text in the letters of the SEPA character set: without accents, and a dot for what has no such letter.

    It does not begin or end with a slash, nor has two of them in a row (EPC230-15).
    """
    plain = unicodedata.normalize("NFKD", text.translate(_SPELT))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    shown = " ".join(_OTHER_LETTERS.sub(".", letters).split())
    return re.sub("//+", "/", shown)[:most].strip("/ ") or "."


PATH = "money/suppliers/{session}/sepa"
_LATEST = timedelta(days=60)  # in which banks take a file for later


@dataclass(frozen=True, kw_only=True)
class Row:
    """A supplier of the page, with the account that stands in its fields."""

    account: SupplierAccount
    holder: str
    iban: str


def sepa_page(visit: Visit, shop: Enterprise) -> Screen:
    with visit.read() as tx:
        session, settings, accounts, payees = _load(tx, visit, shop)
        tomorrow = shop.date_at(tx.now) + timedelta(days=1)
        two = needs_second_person(tx, shop.id)
        holds = payment_holds(tx, visit.instance.hooks, shop.id, session.id)
        waiting = waiting_acts(tx, shop.id)
        past = past_acts(tx, shop.id, kind=FILE)
    approved = [act for act in past if (act.state, act.subject) == ("approved", session.id)][:3]
    rows = []
    for account in accounts:
        supplier_id = account.owed.supplier_id
        payee = payees.get(supplier_id, Payee(holder=account.owed.supplier, iban=""))
        typed = {name: visit.form.get(f"{name}/{supplier_id}", getattr(payee, name)) for name in ("holder", "iban")}
        rows.append(Row(account=account, **typed))
    names = {row.account.owed.supplier_id: row.account.owed.supplier for row in rows}
    labels = {f"{field}/{supplier_id}": names[supplier_id] for supplier_id in names for field in ("holder", "iban")}
    context = {
        "rows": rows,
        "holds": {id: say(visit.language, reason) for id, reason in holds.items()},
        "session": session,
        "currency": shop.currency,
        "day": visit.form.get("day", tomorrow.isoformat()),
        "ready": bool(settings.iban) and shop.currency == "EUR",
        "has_account": bool(settings.iban),
        "labels": labels,
        "known": payees,
        "here": _address(shop, session.id),
        "done": visit.query.get("done", ""),
        "two": two,
        "waiting": [act for act in waiting if (act.kind, act.subject) == (FILE, session.id)],
        "waiting_payees": {act.subject for act in waiting if act.kind == PAYEE},
        "approved": approved,
        "in_files": _in_files(approved, accounts),
    }
    return Screen(template="bank_transfer/sepa.html", context=context)


def _in_files(approved: Sequence[ProposedAct], accounts: Sequence[SupplierAccount]) -> dict[str, datetime]:
    """When a file was agreed to that has just what is left to pay to a supplier, by the supplier's id: perhaps the bank
    has it already."""
    left = {account.owed.supplier_id: account.left_of_delivered for account in accounts}
    return {
        transfer["supplier"]: act.decided_at
        for act in reversed(approved)
        for transfer in act.content["transfers"]
        if act.decided_at is not None and left.get(transfer["supplier"]) == transfer["amount"]
    }


@on_refusal(sepa_page)
def post_sepa(visit: Visit, shop: Enterprise) -> Screen | Response:
    """Notes the accounts, or returns the file with the transfers to the suppliers that are ticked."""
    if visit.query.get("then") == "file":
        return _file(visit, shop)
    with visit.write() as tx:
        session, _, accounts, _ = _load(tx, visit, shop)
        ids = [account.owed.supplier_id for account in accounts]
        texts = {each: (visit.form.get(f"holder/{each}", ""), visit.form.get(f"iban/{each}", "")) for each in ids}
        typed = read_payees({each: pair for each, pair in texts.items() if f"iban/{each}" in visit.form})
        waits = _note(tx, visit, shop, typed)
    return visit.redirect(f"{_address(shop, session.id)}?done={'asked' if waits else 'noted'}")


def _note(tx: Transaction, visit: Visit, shop: Enterprise, typed: Mapping[str, Payee | None]) -> bool:
    """Notes the accounts that have changed, or asks a second person for them. Returns whether it has to wait."""
    before, waits = payees_of(tx, shop.id), needs_second_person(tx, shop.id)
    for supplier_id, payee in typed.items():
        if payee == before.get(supplier_id):
            continue
        if waits:
            content = payee_content(before.get(supplier_id), payee)
            propose(tx, shop.id, PAYEE, supplier_id, content, actor=visit.actor)
        else:
            keep_payee(tx, shop.id, supplier_id, payee)
    return waits and any(payee != before.get(id) for id, payee in typed.items())


def _file(visit: Visit, shop: Enterprise) -> Response:
    """The file, or the page where it waits for a second person. It records nothing: whoever sends it to the bank
    records the payments afterwards."""
    with visit.write() as tx:
        demand(tx, visit.actor, "payments:write", shop.id)
        if act_id := visit.form.get("act", ""):
            return _approved_file(tx, visit, shop, act_id)
        session, settings, accounts, payees = _load(tx, visit, shop)
        day = _read_day(visit.form.get("day", ""), shop.date_at(tx.now))
        ticked = {account.owed.supplier_id for account in accounts if f"pay/{account.owed.supplier_id}" in visit.form}
        _refuse_held(tx, visit, shop, session, ticked)
        content = _content(visit, tx.new_id(), session, shop, day, settings, accounts, payees)
        made = _made(content, tx.now)
        if needs_second_person(tx, shop.id):
            propose(tx, shop.id, FILE, session.id, content, actor=visit.actor)
            return visit.redirect(f"{_address(shop, session.id)}?done=asked")
    return _download(made, day)


def _approved_file(tx: Transaction, visit: Visit, shop: Enterprise, act_id: str) -> Response:
    """The file to which a second person has agreed, while nothing of it was paid in another way. Raises `NotFound`, and
    `Conflict` where another sum is left to pay now."""
    act = act_by_id(tx, shop.id, act_id)
    session, _, accounts, _ = _load(tx, visit, shop)
    _refuse_held(tx, visit, shop, session, {each["supplier"] for each in act.content.get("transfers", ())})
    if act.kind != FILE or act.state != "approved" or act.subject != session.id or act.decided_at is None:
        raise NotFound
    left = {account.owed.supplier_id: account.left_of_delivered for account in accounts}
    if any(left.get(each["supplier"]) != each["amount"] for each in act.content["transfers"]):
        text = "Another sum is left to pay than a second person has agreed to. Make the file anew."
        raise Conflict("left_changed", text)
    return _download(_made(act.content, act.decided_at), date.fromisoformat(act.content["day"]))


def _refuse_held(
    tx: Transaction, visit: Visit, shop: Enterprise, session: SaleSession, supplier_ids: Collection[str]
) -> None:
    """Raises `Conflict` for a supplier that is not to be paid now, with the reason."""
    for supplier_id, reason in payment_holds(tx, visit.instance.hooks, shop.id, session.id).items():
        if supplier_id in supplier_ids:
            raise Conflict(reason.code, reason.text, **reason.values)


def _content(
    visit: Visit,
    id: str,
    session: SaleSession,
    shop: Enterprise,
    day: date,
    settings: Settings,
    accounts: Sequence[SupplierAccount],
    payees: Mapping[str, Payee],
) -> dict[str, Any]:
    """All of a file: the suppliers that are ticked, the day, and the account that pays. Raises `Conflict`."""
    if not settings.iban or shop.currency != "EUR":
        raise Conflict("no_sepa", "SEPA transfers are in euros, from the account in the settings of bank transfers.")
    transfers = [
        {
            "supplier": account.owed.supplier_id,
            "id": f"{id[-12:]}-{number}",
            "holder": payees[account.owed.supplier_id].holder,
            "iban": payees[account.owed.supplier_id].iban,
            "amount": account.left_of_delivered,
        }
        for number, account in enumerate(accounts, 1)
        if f"pay/{account.owed.supplier_id}" in visit.form
        and account.left_of_delivered > 0
        and account.owed.supplier_id in payees
    ]
    return {
        "id": id.replace("-", ""),
        "day": day.isoformat(),
        "holder": settings.holder,
        "iban": settings.account,
        "text": f"{shop.name} {session.name}",
        "transfers": transfers,
    }


def _made(content: Mapping[str, Any], at: datetime) -> bytes:
    transfers = [
        CreditTransfer(
            id=each["id"], holder=each["holder"], iban=each["iban"], amount=each["amount"], text=content["text"]
        )
        for each in content["transfers"]
    ]
    day = date.fromisoformat(content["day"])
    return credit_transfers(transfers, id=content["id"], at=at, on=day, holder=content["holder"], iban=content["iban"])


def _download(content: bytes, day: date) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="sepa-{day}.xml"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/xml", headers=headers)


def _load(
    tx: Transaction, visit: Visit, shop: Enterprise
) -> tuple[SaleSession, Settings, list[SupplierAccount], dict[str, Payee]]:
    """The sale, the shop's account, what suppliers are owed, and their accounts. Raises `NotFound`."""
    session = sale_by_id(tx, visit.path["session"]).session
    if session.enterprise_id != shop.id:
        raise NotFound
    settings = plugin_settings(tx, visit.instance.hooks, shop.id, "bank_transfer", Settings)
    return session, settings, supplier_accounts(tx, shop.id, session.id), payees_of(tx, shop.id)


def _read_day(text: str, today: date) -> date:
    day = day_field({"day": text}, "day")
    if not today <= day <= today + _LATEST:
        text = "Banks take transfers from today on, and at most {most} days ahead."
        raise Invalid([Problem("day", text, "/day", {"most": _LATEST.days})])
    return day


def _address(shop: Enterprise, session_id: str) -> str:
    return f"/office/{shop.id}/{PATH.format(session=session_id)}"
