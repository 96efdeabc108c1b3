"""SEPA transfers to suppliers: accounts that are checked, and a file in the order that banks' schema demands."""

from __future__ import annotations

from datetime import UTC, date, datetime
from xml.etree import ElementTree as Xml

import pytest
from sqlalchemy import insert, select

from commensal import Invalid
from commensal.enterprises.tables import enterprise_plugin
from commensal_bank_transfer.acts import payees_of
from commensal_bank_transfer.sepa_page import NAMESPACE, CreditTransfer, credit_transfers
from commensal_bank_transfer.tables import bank_transfer_payee

from .conftest import Browser, Stall
from .test_office import OFFICE, PLUGINS, a_member, owner
from .test_office_books import from_a_farm

__all__ = ["PLUGINS", "owner"]  # fixtures

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # the page writes one plain table

OURS, THEIRS = "FR7630006000011234567890189", "DE89 3704 0044 0532 0130 00"
# The elements of the file in the order of pain.001.001.09, by their parent (ISO 20022 message definition report).
ORDER = {
    "CstmrCdtTrfInitn": ["GrpHdr", "PmtInf"],
    "GrpHdr": ["MsgId", "CreDtTm", "NbOfTxs", "CtrlSum", "InitgPty"],
    "PmtInf": [
        "PmtInfId",
        "PmtMtd",
        "NbOfTxs",
        "CtrlSum",
        "PmtTpInf",
        "ReqdExctnDt",
        "Dbtr",
        "DbtrAcct",
        "DbtrAgt",
        "ChrgBr",
        "CdtTrfTxInf",
    ],
    "CdtTrfTxInf": ["PmtId", "Amt", "Cdtr", "CdtrAcct", "RmtInf"],
}


def a_file(*transfers: CreditTransfer) -> Xml.Element:
    at = datetime(2026, 6, 4, 10, 0, tzinfo=UTC)
    content = credit_transfers(transfers, id="m1", at=at, on=date(2026, 6, 5), holder="Les Paniers d’Été", iban=OURS)
    return Xml.fromstring(content)  # noqa: S314 - our own


def a_transfer(amount: int = 1250, holder: str = "Ferme de l’Œuf", text: str = "Panier") -> CreditTransfer:
    return CreditTransfer(id="e1", holder=holder, iban=THEIRS.replace(" ", ""), amount=amount, text=text)


def texts(document: Xml.Element, name: str) -> list[str | None]:
    return [element.text for element in document.iter(f"{{{NAMESPACE}}}{name}")]


def test_elements_stand_in_the_order_of_the_schema_and_sums_add_up() -> None:
    document = a_file(a_transfer(), a_transfer(5))
    for parent, names in ORDER.items():
        for element in document.iter(f"{{{NAMESPACE}}}{parent}"):
            children = list(dict.fromkeys(child.tag.partition("}")[2] for child in element))
            assert children == names
    assert texts(document, "CtrlSum") == ["12.55", "12.55"]
    assert texts(document, "NbOfTxs") == ["2", "2"]
    assert texts(document, "InstdAmt") == ["12.50", "0.05"]
    assert texts(document, "IBAN") == [OURS, *[THEIRS.replace(" ", "")] * 2]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Ferme de l’Œuf", "Ferme de l'OEuf"),
        ("Müller & Söhne", "Muller . Sohne"),
        ("//a//b/", "a/b"),
        ("x" * 99, "x" * 70),
        ("农场", ".."),
    ],
)
def test_texts_are_in_the_letters_that_every_bank_takes(text: str, written: str) -> None:
    assert texts(a_file(a_transfer(holder=text)), "Nm")[2] == written


@pytest.mark.parametrize("transfers", [(), (a_transfer(0),), (a_transfer(-5),)])
def test_a_file_without_money_is_refused(transfers: tuple[CreditTransfer, ...]) -> None:
    with pytest.raises(Invalid):
        a_file(*transfers)


# ------------------------------------------------------------------------------------------------ the page


PAGE = f"{OFFICE}/money/suppliers/shop-session/sepa"


@pytest.fixture
def treasurer(owner: Browser, stall: Stall) -> Browser:
    """The owner of a shop with an account at a bank, which owes a farm 5.00."""
    from_a_farm(stall)
    row = {"enterprise_id": "shop", "plugin": "bank_transfer", "settings": {"holder": "Les Paniers", "iban": OURS}}
    with stall.instance.store.write() as tx:
        tx.execute(insert(enterprise_plugin).values(**row, version=1))
    return owner


@on_sqlite
def test_the_accounts_of_suppliers_are_noted_and_paid_by_one_file(treasurer: Browser, stall: Stall) -> None:
    assert PAGE in treasurer.go(f"{OFFICE}/money/suppliers?sale=shop-session").links()
    treasurer.go(PAGE)
    treasurer.send(PAGE, **{"holder/farm": "GAEC La Ferme", "iban/farm": "DE89 3704 0044 0532 0130 01"})
    assert (treasurer.status, "This is not an IBAN" in treasurer.page.text) == (422, True)
    assert treasurer.page.form(PAGE).fields["iban/farm"] == "DE89 3704 0044 0532 0130 01"
    treasurer.send(PAGE, **{"iban/farm": THEIRS})
    with stall.instance.store.read() as tx:
        assert payees_of(tx, "shop")["farm"].iban == THEIRS.replace(" ", "")
    form = treasurer.go(PAGE).form(f"{PAGE}?then=file")
    answer = treasurer.client.post(form.action, data=form.fields)
    assert answer.headers["content-disposition"].endswith('.xml"')
    document = Xml.fromstring(answer.content)  # noqa: S314 - our own
    assert (texts(document, "InstdAmt"), texts(document, "CtrlSum")[0]) == (["5.00"], "5.00")
    assert texts(document, "Nm")[-1] == "GAEC La Ferme"


@on_sqlite
@pytest.mark.parametrize("day", ["", "2026-06-03", "2027-06-04", "soon"])
def test_a_day_that_no_bank_takes_is_refused(treasurer: Browser, stall: Stall, day: str) -> None:
    treasurer.go(PAGE)
    treasurer.send(PAGE, **{"iban/farm": THEIRS})
    form = treasurer.go(PAGE).form(f"{PAGE}?then=file")
    treasurer.post(form.action, **{**form.fields, "day": day})
    assert treasurer.status == 422


@on_sqlite
def test_only_who_records_payments_reads_accounts(treasurer: Browser, stall: Stall) -> None:
    treasurer.go(PAGE)
    treasurer.send(PAGE, **{"iban/farm": THEIRS})
    reader = treasurer.another()
    reader.log_in(a_member(stall, "accountant", "max@example.org"))
    reader.go(PAGE)
    assert (reader.status, THEIRS.replace(" ", "") in reader.page.text) == (403, False)
    assert PAGE not in reader.go(f"{OFFICE}/money/suppliers?sale=shop-session").links()
    with stall.instance.store.read() as tx:
        assert len(tx.all(select(bank_transfer_payee))) == 1
