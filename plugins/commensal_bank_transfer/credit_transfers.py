"""A file of SEPA credit transfers for the bank: ISO 20022 pain.001.001.09, as the European Payments Council profiles it
(EPC132-08). Elements stand in the order of the schema, and texts in the letters that every bank of the area accepts.

Direct debits (pain.008) are not made: a hub would need mandates of its customers and a creditor identifier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree import ElementTree as Xml

from commensal import Invalid, Problem

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
