"""Export of all data about a person as an archive for them (GDPR, art. 15 and 20): every row as JSON and as CSV."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from sqlalchemy import Column, ColumnElement, Table, or_, select

from ...base.errors import NotFound, Problem
from ...base.languages.catalogs import translate
from ...enterprises.tables import customer, enterprise, legal_text
from ...hooks import specifications
from ...hooks.dispatcher import Hooks
from ...instance import Instance
from ...orders.tables import customer_order
from ...orders.values import Identity
from ...payments.tables import payment
from ...people.email import read_email
from ...people.people import Person, person_by_id
from ...people.tables import person
from ...storage.database import Row, Transaction
from ...storage.database.marks import is_derived, is_personal
from ...storage.jobs.tables import job
from ..formats.spreadsheets import csv_bytes
from .forgetting import forget_person
from .personal_rows import DataSubject, Forgotten, rows_about

# Finds all records of a person: by their account, and by their address if it is confirmed.


def subject_by_email(tx: Transaction, hooks: Hooks, email: str) -> DataSubject:
    """All records under this address, with or without an account. For operators: the address needs no proof.

    Raises `NotFound` if there are none, and no plugin keeps anything of the address.
    """
    parsed = read_email(email)
    address = "" if isinstance(parsed, Problem) else parsed
    row = tx.first(select(person.c.id, person.c.language).where(person.c.email == address))
    subject = _subject(tx, address, row["id"] if row else None, row["language"] if row else "", by_address=True)
    if not address or not (subject.known or _is_known_to_plugins(tx, hooks, subject)):
        raise NotFound("nobody", "Nothing is known here of {email}.", email=email[:80])
    return subject


def _is_known_to_plugins(tx: Transaction, hooks: Hooks, subject: DataSubject) -> bool:
    answers = hooks.each(specifications.person_data, tx=tx, person=subject)
    return any(kept_rows.rows for answer in answers for kept_rows in answer.value or ())


def subject_of(tx: Transaction, account: Person) -> DataSubject:
    """All records of a person with an account, and those under their address once they have confirmed it."""
    return _subject(tx, account.email, account.id, account.language, by_address=account.confirmed_at is not None)


def _subject(tx: Transaction, email: str, person_id: str | None, language: str, *, by_address: bool) -> DataSubject:
    customers = _ids(tx, customer.c.id, _belongs(customer.c.person_id, customer.c.email, person_id, email, by_address))
    is_own = _belongs(customer_order.c.person_id, customer_order.c.email, person_id, email, by_address)
    as_customer = customer_order.c.customer_id.in_(customers) & (customer_order.c.identity != Identity.TYPED)
    orders = _ids(tx, customer_order.c.id, or_(is_own, as_customer))
    return DataSubject(
        email=email,
        person_id=person_id,
        language=language,
        customer_ids=customers,
        order_ids=orders,
        payment_ids=_ids(tx, payment.c.id, payment.c.order_id.in_(orders)),
    )


def _belongs(
    owner: ColumnElement[str | None], address: ColumnElement[str], person_id: str | None, email: str, by_address: bool
) -> ColumnElement[bool]:
    """The condition for rows of the person: with their id, or under their address without another person's id."""
    is_own = owner == person_id if person_id is not None else owner.is_(None) & (address == email)
    return or_(is_own, owner.is_(None) & (address == email)) if by_address else is_own


def _ids(tx: Transaction, column: ColumnElement[str], condition: ColumnElement[bool]) -> tuple[str, ...]:
    return tuple(tx.execute(select(column).where(condition).order_by(column)).scalars())


Rows = Sequence[Row]
_MOMENT = (1980, 1, 1, 0, 0, 0)  # of files in the archive: the same data make the same archive


def data_of(tx: Transaction, hooks: Hooks, subject: DataSubject) -> dict[str, Rows]:
    """All rows about the person by table, without secrets. Plugins add rows that no foreign key leads to."""
    data: dict[str, Rows] = {}
    for table, is_about_them in rows_about(subject, hooks.plugins()):
        rows = tx.all(select(*_exported_columns(table)).where(is_about_them).order_by(*table.primary_key.columns))
        if rows:
            data[table.name] = [dict(row) for row in rows]
    data.update(_messages(tx, subject))
    for answer in hooks.each(specifications.person_data, tx=tx, person=subject):
        data.update(
            {f"{answer.plugin}_{kept_rows.name}": kept_rows.rows for kept_rows in answer.value or () if kept_rows.rows}
        )
    data.update(_accepted_terms(tx, data))
    data.update(_enterprises(tx, data))
    return data


def archive_of(data: Mapping[str, Rows], language: str) -> bytes:
    """A zip file: ``read-me.txt`` in the person's language, and a JSON and a CSV file for each table."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in _files(data, language):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files(data: Mapping[str, Rows], language: str) -> Iterator[tuple[str, bytes]]:
    text = translate(
        language,
        "This is what is kept about you here, by table: once as JSON, for machines, and once as CSV, for spreadsheets. "
        "Amounts are in the smallest unit of the currency (cents), moments in UTC. Passwords and keys are left out: "
        "only their fingerprints are kept.",
    )
    yield "read-me.txt", f"{text}\n".encode()
    for name, rows in sorted(data.items()):
        yield f"{name}.json", msgspec.json.format(msgspec.json.encode(rows), indent=2)
        columns = list(rows[0])
        cells = [[_cell(row.get(column)) for column in columns] for row in rows]
        yield f"{name}.csv", csv_bytes([columns, *cells], language)


def _cell(value: object) -> object:
    if isinstance(value, list | dict):
        return msgspec.json.encode(value).decode()
    return "" if value is None else value if isinstance(value, str) else msgspec.to_builtins(value)


def _exported_columns(table: Table) -> list[Column[object]]:
    """The table's columns without secrets, and without derived values that are not personal."""
    return [
        column
        for column in table.c
        if not column.info.get("secret") and (is_personal(column) or not is_derived(column))
    ]


def _messages(tx: Transaction, subject: DataSubject) -> dict[str, Rows]:
    """E-mails to the person that are not sent yet. Sent ones are not kept."""
    waiting = tx.all(select(job).where(job.c.kind == "mail", job.c.state != "done"))
    jobs = [row for row in waiting if row["payload"].get("to") == subject.email]
    mails = [{"created_at": row["created_at"], "kind": row["payload"]["kind"], "to": subject.email} for row in jobs]
    return {"mail": mails} if mails else {}


def _accepted_terms(tx: Transaction, data: Mapping[str, Rows]) -> dict[str, Rows]:
    """The versions of terms of sale that the person accepted with their orders."""
    ids = {row.get("terms_id") for row in data.get("customer_order", ())} - {None}
    rows = tx.all(select(legal_text).where(legal_text.c.id.in_(ids)).order_by(legal_text.c.id)) if ids else []
    return {"legal_text": [dict(row) for row in rows]} if rows else {}


def _enterprises(tx: Transaction, data: Mapping[str, Rows]) -> dict[str, Rows]:
    """Names of the enterprises to which the data refer."""
    ids = {row.get("enterprise_id") for rows in data.values() for row in rows} - {None}
    query = select(enterprise.c.id, enterprise.c.name, enterprise.c.slug).where(or_(enterprise.c.id.in_(ids)))
    rows = [dict(row) for row in tx.all(query.order_by(enterprise.c.id))] if ids else []
    return {"enterprise": rows} if rows else {}


# Export and erasure of one's own data, for logged-in persons.


def my_archive(tx: Transaction, instance: Instance, person_id: str, language: str) -> bytes:
    """All data of the instance about the person, over all enterprises, as a zip file. Only reads."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return archive_of(data_of(tx, instance.hooks, me), language)


def forget_me(tx: Transaction, instance: Instance, person_id: str) -> Forgotten:
    """Erases the person for good. Raises `Conflict` if something is not settled, and any `Refused` of a plugin."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return forget_person(tx, instance.hooks, me, years=instance.settings.retention.identities_years)
