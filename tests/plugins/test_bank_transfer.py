"""Bank transfer: what the customer is told, and how statements of the account are matched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update
from starlette.testclient import TestClient

from commensal.base.errors import Conflict, Invalid, NotFound, Refused, SettingsError
from commensal.enterprises.tables import enterprise_member, enterprise_plugin
from commensal.enterprises.tokens import make_token
from commensal.hooks.loading import load_plugins
from commensal.instance import Instance, InstanceSettings, read_settings
from commensal.orders.place import place_order
from commensal.orders.questions import order_by_id
from commensal.orders.values import Wish
from commensal.payments.begin import start_payment
from commensal.payments.journal import verify_journal
from commensal.payments.payments import payments_of
from commensal.people.people import add_person, new_person
from commensal.sale_sessions.tables import sale_session
from commensal.storage.database import Store
from commensal.testing.placed import a_lot, a_placed_order, a_shop, an_item
from commensal_bank_transfer.entries import ImportResult, entries, ignore, import_credits, reopen, settle, split
from commensal_bank_transfer.payments import order_numbers_in, reference_of
from commensal_bank_transfer.settings import CsvColumns
from commensal_bank_transfer.settings import Settings as Account
from commensal_bank_transfer.statements.read import read_statement
from commensal_bank_transfer.statements.values import Credit

PLUGINS = ("bank_transfer",)
IBAN = "FR7630006000011234567890189"
ACCOUNT = Account(holder="Les Paniers du Val", iban="FR76 3000 6000 0112 3456 7890 189")


# ------------------------------------------------------------------------------------------------ references


@given(st.integers(1, 10**9), st.integers(0, 9))
def test_a_reference_is_found_whatever_is_written_around_it(number: int, other: int) -> None:
    reference = reference_of(number)
    assert order_numbers_in(f"VIR SEPA {reference} commande de juin") == {number}
    assert order_numbers_in(reference.lower().replace(" ", "")) == {number}


@given(st.integers(1, 10**9), st.data())
def test_a_digit_that_was_mistyped_is_noticed(number: int, data: st.DataObject) -> None:
    compact = reference_of(number).replace(" ", "")
    place = data.draw(st.integers(2, len(compact) - 1))
    digit = data.draw(st.sampled_from([other_digit for other_digit in "0123456789" if other_digit != compact[place]]))
    assert number not in order_numbers_in(compact[:place] + digit + compact[place + 1 :])


def test_a_text_without_a_reference_names_no_order() -> None:
    assert order_numbers_in("Commande 1024, merci") == set()
    assert order_numbers_in("XRF98 1024") == set()
    assert order_numbers_in(f"{reference_of(7)} et {reference_of(8)}") == {7, 8}


# ------------------------------------------------------------------------------------------------ settings


@pytest.mark.parametrize(
    ("bad_settings", "message"),
    [
        ({"iban": "FR7630006000011234567890188", "holder": "X"}, "compare it with your statement"),
        ({"iban": IBAN}, "say whose account"),
        ({"bic": "AGRI"}, "8 or 11"),
        ({"days": 0}, "between 1 and 90"),
        ({"ibann": IBAN}, "did you mean 'iban'"),
    ],
)
def test_an_account_that_cannot_be_is_refused(bad_settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_settings(Account, bad_settings)


# ------------------------------------------------------------------------------------------------ statements

CAMT = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><Stmt>
 <Acct><Id><IBAN>{iban}</IBAN></Id></Acct>
 <Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{booked}</Sts><BookgDt><Dt>2026-06-03</Dt></BookgDt>
  <AcctSvcrRef>B1</AcctSvcrRef><NtryDtls><TxDtls><RltdPties><Dbtr>{payer}</Dbtr></RltdPties>
  <RmtInf><Strd><CdtrRefInf><Ref>RF981024</Ref></CdtrRefInf></Strd></RmtInf></TxDtls></NtryDtls></Ntry>
 <Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>{booked}</Sts><BookgDt><Dt>2026-06-03</Dt></BookgDt>
  <AcctSvcrRef>B2</AcctSvcrRef><NtryDtls>
  <TxDtls><Amt Ccy="EUR">10.00</Amt><RmtInf><Ustrd>un</Ustrd></RmtInf></TxDtls>
  <TxDtls><AmtDtls><TxAmt><Amt Ccy="EUR">20.00</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>deux</Ustrd></RmtInf></TxDtls>
  </NtryDtls></Ntry>
 <Ntry><Amt Ccy="EUR">99.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>{booked}</Sts><BookgDt><Dt>2026-06-03</Dt></BookgDt>
 </Ntry>
 <Ntry><Amt Ccy="EUR">98.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-06-03</Dt></BookgDt></Ntry>
 <Ntry><Amt Ccy="EUR">97.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><RvslInd>true</RvslInd><Sts>{booked}</Sts>
  <BookgDt><Dt>2026-06-03</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"""


def camt(version: str = "02", iban: str = IBAN) -> bytes:
    """A statement as banks write it in an old version and in a new one, where names and states lie one level deeper."""
    is_old_version = version < "08"
    booked = "BOOK" if is_old_version else "<Cd>BOOK</Cd>"
    payer = "<Nm>Bob Le Goff</Nm>" if is_old_version else "<Pty><Nm>Bob Le Goff</Nm></Pty>"
    return CAMT.format(version=version, iban=iban, booked=booked, payer=payer).encode()


@pytest.mark.parametrize("version", ["02", "08", "13"])
def test_a_camt_statement_gives_booked_credits_and_opens_batches(version: str) -> None:
    first_entry, second_entry, third_entry = read_statement(camt(version), ACCOUNT, "EUR")
    assert (first_entry.amount, first_entry.payer, first_entry.text, first_entry.booked_on) == (
        1250,
        "Bob Le Goff",
        "RF981024",
        date(2026, 6, 3),
    )
    assert [(entry.amount, entry.text) for entry in (second_entry, third_entry)] == [(1000, "un"), (2000, "deux")]
    assert len({first_entry.key, second_entry.key, third_entry.key}) == 3


def batch(*transactions: str, amount: str = "30.00", name: str = "<AcctSvcrRef>B</AcctSvcrRef>") -> str:
    """An entry of this many euros with its transactions."""
    details = "".join(f"<TxDtls>{transaction}</TxDtls>" for transaction in transactions)
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>'
        f"<BookgDt><Dt>2026-06-03</Dt></BookgDt>{name}<NtryDtls>{details}</NtryDtls></Ntry>"
    )


def statement(*entries: str) -> bytes:
    return f"<Document><BkToCstmrStmt><Stmt>{''.join(entries)}</Stmt></BkToCstmrStmt></Document>".encode()


def remitted(text: str, more: str = "") -> str:
    return f"{more}<RmtInf><Ustrd>{text}</Ustrd></RmtInf>"


def test_a_batch_that_does_not_say_who_paid_how_much_is_one_credit() -> None:
    (credit,) = read_statement(statement(batch(remitted("RF981024"), remitted("aux pommes"))), ACCOUNT, "EUR")
    assert (credit.amount, credit.text, credit.is_of_one) == (3000, "RF981024 aux pommes", False)


def test_what_the_bank_keeps_of_a_batch_is_not_received() -> None:
    paid = remitted("RF981024", '<Amt Ccy="EUR">31.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>')
    fee = remitted("RF981025", '<Amt Ccy="EUR">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>')
    (credit,) = read_statement(statement(batch(paid, fee)), ACCOUNT, "EUR")
    assert (credit.amount, credit.text) == (3100, "RF981024")


def test_entries_that_are_only_numbered_are_told_apart_by_their_content() -> None:
    name = "<NtryRef>1</NtryRef>"
    monday, tuesday = (statement(batch(remitted(text), name=name)) for text in ("RF981024", "RF961025"))
    keys = [credit.key for file in (monday, tuesday, monday) for credit in read_statement(file, ACCOUNT, "EUR")]
    assert (len(keys), keys[0], len(set(keys))) == (3, keys[2], 2)


@pytest.mark.parametrize("currency", ["eur", "<b>", "€€€", ""])
def test_what_is_no_currency_is_refused(currency: str) -> None:
    content = camt().replace(b'Ccy="EUR"', f'Ccy="{escape(currency)}"'.encode(), 1)
    with pytest.raises(Refused) as refused:
        read_statement(content, ACCOUNT, "EUR")
    assert refused.value.code == "amount"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (camt(iban="DE89370400440532013000"), "other_account"),
        (b"<html></html>", "not_camt"),
        (b"<Document><BkToCstmrStmt>", "not_xml"),
        (b'<!DOCTYPE d [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><Document>&b;</Document>', "not_xml"),
        (b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><Document>&a;</Document>', "not_xml"),
        (b"", "no_headers"),
        (b"a;b;c\n1;2;3\n", "no_headers"),
        ("date;montant;libellé\n03/06/2026;douze;x\n".encode(), "amount"),
        ("date;montant;libellé\nhier;12,00;x\n".encode(), "date"),
        (b"x" * 10_000_001, "too_large"),
    ],
)
def test_what_is_no_statement_of_this_account_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_statement(content, ACCOUNT, "EUR")
    assert refused.value.code == code


CSVS = [
    "Compte;FR76\nSolde;1 234,00\n\nDate;Libellé;Montant(EUROS)\n03/06/2026;VIR RF98 1024;12,50\n"
    "04/06/2026;LOYER;-700,00\n",
    "date,amount,description\n2026-06-03,12.50,RF981024\n2026-06-04,-5.00,fees\n",
    "Buchungstag\tVerwendungszweck\tBetrag\n03.06.2026\tRF98 1024\t12,50\n",
    "Date opération;Libellé;Débit;Crédit\n03/06/26;RF981024;;+12,50\n04/06/26;CB;8,00;\n",
]


@pytest.mark.parametrize("amount", ["1E+999999999", "1E-999999999", "9" * 5000, "NaN"])
def test_an_amount_that_nobody_pays_is_refused_with_its_row(amount: str) -> None:
    with pytest.raises(Refused, match="Row 2"):
        read_statement(f"Date;Label;Amount\n04/06/2026;x;{amount}\n".encode(), ACCOUNT, "EUR")


def test_what_no_database_stores_is_left_out_of_a_statement() -> None:
    (credit,) = read_statement(b"Date;Label;Amount\n04/06/2026;a\x00b;5,00\n", ACCOUNT, "EUR")
    assert credit.text == "ab"


@pytest.mark.parametrize("text", CSVS)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1252"])
def test_the_csv_of_a_bank_is_understood(text: str, encoding: str) -> None:
    (credit,) = read_statement(text.encode(encoding), ACCOUNT, "EUR")
    assert (credit.amount, credit.currency, credit.booked_on) == (1250, "EUR", date(2026, 6, 3))
    assert order_numbers_in(credit.text) == {1024}


def test_thousands_are_grouped_in_every_way() -> None:
    text = "date;montant;libellé\n03/06/2026;1.234,50;a\n03/06/2026;1 234,50;b\n03/06/2026;1,234.50;c\n"
    assert [entry.amount for entry in read_statement(text.encode(), ACCOUNT, "EUR")] == [123450] * 3


def test_columns_that_no_bank_calls_so_are_named_in_the_settings() -> None:
    columns = CsvColumns(date="jour", credit="entrée", text="mot")
    account = Account(holder="X", iban=IBAN, csv=columns)
    (credit,) = read_statement("jour;mot;entrée\n03/06/2026;x;1,00\n".encode(), account, "EUR")
    assert credit.amount == 100


def test_twins_of_one_day_are_two_credits_and_the_same_ones_tomorrow() -> None:
    text = "date;montant;libellé\n" + "03/06/2026;5,00;panier\n" * 2
    keys = [entry.key for entry in read_statement(text.encode(), ACCOUNT, "EUR")]
    assert len(set(keys)) == 2
    assert [entry.key for entry in read_statement(f"{text}04/06/2026;1,00;z\n".encode(), ACCOUNT, "EUR")][:2] == keys


# ------------------------------------------------------------------------------------------------ in a shop


@pytest.fixture
def instance(settings: InstanceSettings, store: Store, clock: Any, ids: Any, tmp_path: Path) -> Instance:
    return Instance(tmp_path, settings, store, load_plugins(settings, clock=clock), clock, ids)


@pytest.fixture
def shop(instance: Instance) -> str:
    account_settings = {"holder": ACCOUNT.holder, "iban": ACCOUNT.iban}
    with instance.store.write() as tx:
        a_shop(tx)
        tx.execute(
            insert(enterprise_plugin).values(
                enterprise_id="shop", plugin="bank_transfer", settings=account_settings, version=1
            )
        )
    return "shop"


def an_order(instance: Instance, **columns: Any) -> str:
    with instance.store.write() as tx:
        return a_placed_order(tx, "shop", total=1250, payment_method="bank_transfer:transfer", **columns)


def a_credit(text: str, amount: int = 1250, key: str = "k", currency: str = "EUR") -> Credit:
    return Credit(booked_on=date(2026, 6, 3), amount=amount, currency=currency, payer="Bob", text=text, key=key)


def import_all(instance: Instance, *credits: Credit) -> ImportResult:
    with instance.store.write() as tx:
        return import_credits(tx, "shop", credits)


def state(instance: Instance, order_id: str) -> tuple[str, int]:
    with instance.store.read() as tx:
        order = order_by_id(tx, order_id, enterprise_id="shop")
        assert verify_journal(tx, "shop") == []
    return order.payment_state, order.paid_total


def test_the_customer_reads_where_to_transfer_and_sees_the_code(instance: Instance, shop: str) -> None:
    order_id = an_order(instance)
    payment = start_payment(instance, order_id, "bank_transfer:transfer", "key", "fr")
    assert payment.state == "Pending"
    assert payment.reference == reference_of(1)
    assert payment.instructions is not None
    text = payment.instructions["text"]
    assert all(part in text for part in ("12,50\xa0€", "FR76 3000 6000 0112 3456 7890 189", reference_of(1)))
    assert payment.instructions["picture"].startswith("data:image/png")


@pytest.mark.parametrize(
    ("distribution", "last_day"), [(3, "dimanche 7 juin 2026"), (9, "jeudi 11 juin 2026"), (-1, "jeudi 11 juin 2026")]
)
def test_a_transfer_is_asked_for_within_a_week_or_by_the_distribution_if_that_is_sooner(
    instance: Instance, shop: str, distribution: int, last_day: str
) -> None:
    order_id = an_order(instance)
    with instance.store.write() as tx:
        begins_at = tx.now + timedelta(days=distribution)
        tx.execute(update(sale_session).values(begins_at=begins_at, ends_at=begins_at + timedelta(hours=2)))
    payment = start_payment(instance, order_id, "bank_transfer:transfer", "key", "fr")
    assert payment.instructions is not None
    assert f"au plus tard le {last_day} :" in payment.instructions["text"].replace("\xa0", " ")


def test_who_transfers_an_estimate_reads_that_the_rest_follows(instance: Instance, shop: str) -> None:
    with instance.store.write() as tx:
        chicken = an_item(tx, a_lot(tx, on_hand="9"), name="Poulet", price=1250, weighed=True)
        wish = Wish(items={chicken: 1}, name="Ada", email="ada@example.org", payment_method="bank_transfer:transfer")
        order = place_order(tx, instance.hooks, "shop-session", wish, by_hub=True)
    payment = start_payment(instance, order.id, "bank_transfer:transfer", "key", "fr")
    assert payment.instructions is not None
    assert payment.instructions["text"].endswith("le trop-payé vous reviendra.")


def test_a_transfer_with_a_reference_pays_its_order_once(instance: Instance, shop: str) -> None:
    order_id = an_order(instance)
    start_payment(instance, order_id, "bank_transfer:transfer", "key", "fr")
    credit = a_credit(f"VIR {reference_of(1)}")
    assert import_all(instance, credit) == ImportResult(matched=1, open=0, known=0)
    assert import_all(instance, credit) == ImportResult(matched=0, open=0, known=1)
    assert state(instance, order_id) == ("Paid", 1250)
    with instance.store.read() as tx:
        assert sorted(payment.state for payment in payments_of(tx, "shop", order_id)) == ["Cancelled", "Done"]


def test_credits_to_which_the_bank_gives_one_reference_are_all_received(instance: Instance, shop: str) -> None:
    order_id = an_order(instance)
    both = a_credit(reference_of(1), amount=1000), a_credit(reference_of(1), amount=300)
    assert import_all(instance, *both) == ImportResult(matched=2, open=0, known=0)
    assert import_all(instance, *reversed(both)) == ImportResult(matched=0, open=0, known=2)
    assert state(instance, order_id) == ("Paid", 1300)


def test_without_keys_of_their_own_the_second_would_be_lost(
    instance: Instance, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commensal_bank_transfer.entries._with_own_keys", lambda _tx, _shop, credits: credits)
    both = a_credit("un", amount=1000), a_credit("deux", amount=300)
    assert import_all(instance, *both) == ImportResult(matched=0, open=1, known=1)


def test_what_several_people_paid_together_waits_for_a_person(instance: Instance, shop: str) -> None:
    order_id = an_order(instance)
    together = replace(a_credit(f"{reference_of(1)} panier"), is_of_one=False)
    assert import_all(instance, together) == ImportResult(matched=0, open=1, known=0)
    assert state(instance, order_id) == ("Unpaid", 0)


def test_what_came_is_what_is_written_down(instance: Instance, shop: str) -> None:
    order_id = an_order(instance)
    import_all(instance, a_credit(reference_of(1), amount=1000, key="a"))
    assert state(instance, order_id) == ("Unpaid", 1000)
    import_all(instance, a_credit(reference_of(1), amount=300, key="b"))
    assert state(instance, order_id) == ("Paid", 1300)


def test_a_cancelled_order_has_its_money_shown(instance: Instance, shop: str) -> None:
    order_id = an_order(instance, state="Cancelled", payment_state="Cancelled", fulfilment_state="Cancelled")
    import_all(instance, a_credit(reference_of(1)))
    assert state(instance, order_id) == ("Paid", 1250)


@pytest.mark.parametrize("text", ["sans rien", reference_of(99), f"{reference_of(1)} {reference_of(2)}"])
def test_what_names_no_one_order_waits_for_a_person(instance: Instance, shop: str, text: str) -> None:
    order_id = an_order(instance)
    an_order(instance)
    assert import_all(instance, a_credit(text)) == ImportResult(matched=0, open=1, known=0)
    assert state(instance, order_id) == ("Unpaid", 0)
    with instance.store.write() as tx:
        (open_entry,) = entries(tx, "shop")
        settled_entry = settle(tx, "shop", open_entry.id, 1, person_id="somebody")
        assert (settled_entry.state, settled_entry.order_id, settled_entry.settled_by) == (
            "matched",
            order_id,
            "somebody",
        )
        with pytest.raises(Conflict):
            settle(tx, "shop", open_entry.id, 1, person_id="somebody")
    assert state(instance, order_id) == ("Paid", 1250)


def test_another_currency_and_another_order_are_not_guessed(instance: Instance, shop: str) -> None:
    an_order(instance)
    import_all(instance, a_credit(reference_of(1), currency="CHF"))
    with instance.store.write() as tx:
        (open_entry,) = entries(tx, "shop")
        with pytest.raises(Conflict, match="EUR"):
            settle(tx, "shop", open_entry.id, 1, person_id=None)
        with pytest.raises(NotFound):
            settle(tx, "shop", open_entry.id, 2, person_id=None)
        assert ignore(tx, "shop", open_entry.id, person_id=None).state == "ignored"
        assert entries(tx, "shop") == []


def test_the_account_of_one_shop_says_nothing_to_another(instance: Instance, shop: str) -> None:
    import_all(instance, a_credit("sans rien"))
    with instance.store.write() as tx:
        a_shop(tx, "other")
        assert entries(tx, "other") == []
        (open_entry,) = entries(tx, "shop")
        with pytest.raises(NotFound):
            settle(tx, "other", open_entry.id, 1, person_id=None)


def test_a_statement_is_handed_in_over_the_api(instance: Instance, shop: str, client: TestClient) -> None:
    order_id = an_order(instance, number=1024)
    with instance.store.write() as tx:
        person = add_person(
            tx, new_person(email="ada@example.org", name="Ada", password="correct horse", language="en"), confirmed=True
        )
        assert person is not None
        membership = {"enterprise_id": "shop", "person_id": person.id, "role": "owner", "since": tx.now}
        tx.execute(insert(enterprise_member).values(membership))
        scopes = ["payments:write", "payments:read"]
        token = make_token(tx, person.id, name="t", scopes=scopes, enterprise_id="shop")
    client.headers["Authorization"] = f"Bearer {token.secret}"
    binary = {"Content-Type": "application/octet-stream"}
    url = "/api/-/bank_transfer/enterprises/shop"
    answer = client.post(f"{url}/statements", content=camt(), headers=binary)
    assert (answer.status_code, answer.json()) == (200, {"matched": 1, "open": 2, "known": 0, "outgoing": 1})
    assert state(instance, order_id) == ("Paid", 1250)
    first_entry, second_entry = client.get(f"{url}/entries").json()["items"]
    assert (first_entry["amount"], second_entry["text"]) == (1000, "deux")
    assert client.post(f"{url}/entries/{first_entry['id']}/settle", json={"order_number": 1024}).status_code == 200
    assert client.post(f"{url}/entries/{second_entry['id']}/ignore").json()["state"] == "ignored"
    refused = client.post(f"{url}/statements", content=b"<html/>", headers=binary)
    assert refused.status_code == 422
    assert "camt.053" in refused.json()["detail"]
    assert state(instance, order_id) == ("Paid", 2250)


# ------------------------------------------------------------------------------------------- several orders


def an_open_credit(instance: Instance, amount: int) -> str:
    import_all(instance, a_credit("sans rien", amount))
    with instance.store.read() as tx:
        return entries(tx, "shop")[0].id


def test_one_transfer_pays_several_orders_of_a_customer_and_is_taken_back(instance: Instance, shop: str) -> None:
    first, second = an_order(instance), an_order(instance)
    credit_id = an_open_credit(instance, 2000)
    for _ in range(2):  # what was taken back is recorded anew
        with instance.store.write() as tx:
            credit = split(tx, instance.hooks, "shop", credit_id, {1: 1250, 2: 750}, person_id="olivia")
            assert {part.order_id: part.amount for part in credit.shares} == {first: 1250, second: 750}
            with pytest.raises(Conflict, match="already"), tx.attempt():
                split(tx, instance.hooks, "shop", credit_id, {1: 1250, 2: 750}, person_id="olivia")
        assert (state(instance, first), state(instance, second)) == (("Paid", 1250), ("Unpaid", 750))
        with instance.store.write() as tx:
            assert reopen(tx, instance.hooks, "shop", credit_id, person_id="olivia").shares == ()
        assert (state(instance, first), state(instance, second)) == (("Unpaid", 0), ("Unpaid", 0))
    with instance.store.write() as tx:
        settle(tx, "shop", credit_id, 1, person_id="olivia")
    assert state(instance, first) == ("Paid", 2000)


@pytest.mark.parametrize(
    ("amounts", "error", "text"),
    [
        ({1: 1250, 2: 700}, Invalid, "19.50.* together, and the transfer is .*20.00"),
        ({1: 2000}, Invalid, "over 2 to 20 orders"),
        ({1: 2000, 2: 0}, Invalid, "something for each"),
        ({1: 1300, 2: 700}, Conflict, "Only 12.50 EUR is due for order 1"),
        ({1: 1250, 3: 750}, Conflict, "several customers"),
        ({1: 1250, 9: 750}, NotFound, "no such order"),
    ],
)
def test_a_transfer_is_shared_out_exactly_and_to_one_customer(
    instance: Instance, shop: str, amounts: dict[int, int], error: type[Exception], text: str
) -> None:
    orders = [an_order(instance), an_order(instance), an_order(instance, email="paul@example.org")]
    credit_id = an_open_credit(instance, 2000)
    with instance.store.write() as tx, pytest.raises(error, match=text):
        split(tx, instance.hooks, "shop", credit_id, amounts, person_id="olivia")
    assert [state(instance, order) for order in orders] == [("Unpaid", 0)] * 3
