"""Takes over a list of customers from a spreadsheet: all of it or nothing, with every mistake by its row.

The first row has headers, in English or French: e-mail, name, telephone, number, groups, note; others are ignored.
Groups are separated by commas, and made if there are none of this name. A customer who is there already keeps what the
list leaves empty, and gets the groups of the list in addition.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from ...base.errors import Invalid, Problem, Refused
from ...base.search import search_key
from ...enterprises.customer_categories import create_category, list_categories
from ...enterprises.customers import (
    Customer,
    CustomerFields,
    announce_customers,
    customers_by_email,
    new_row,
    read_attributes,
    search_text,
)
from ...enterprises.tables import customer, customer_in_category
from ...people.email import read_email
from ...people.tables import person
from ...storage.database import Transaction, insert_rows
from ..formats.spreadsheets import decode_text

MOST_ROWS = 1000  # below the headers
MOST_COLUMNS = 100  # in which headers are looked for
_LISTED = 200  # mistakes
_HEADERS = {
    "email": ("email", "e mail", "mail", "courriel", "adresse mail", "adresse e mail", "adresse email"),
    "name": ("name", "nom", "nom complet", "full name"),
    "first_name": ("first name", "prenom", "prenoms"),
    "phone": ("phone", "telephone", "tel", "mobile", "portable"),
    "code": ("number", "code", "numero", "numero d adherent", "n d adherent", "n adherent", "member number"),
    "groups": ("groups", "group", "groupes", "groupe", "category", "categorie", "tags"),
    "note": ("note", "notes", "remarque", "comment", "commentaire"),
}  # by their search keys, with other characters than letters as spaces


@dataclass(frozen=True, kw_only=True)
class CustomerRow:
    """A row of the list. `number` is its row in the file, where the headers are row 1. `texts` are name, phone, code
    and note; empty ones change nothing."""

    number: int
    email: str
    texts: Mapping[str, str]
    groups: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CustomerListReport:
    """What a list does, or would do.

    created, changed: numbers of customers
    new_groups:       names of the groups that are made
    problems:         mistakes by row, at "row <number>", the first 200; `unlisted` counts the others
    """

    created: int
    changed: int
    new_groups: tuple[str, ...]
    problems: tuple[Problem, ...] = ()
    unlisted: int = 0


@dataclass(frozen=True, kw_only=True)
class CustomerList:
    """A list as it was read, with the mistakes that need no database to be seen."""

    rows: tuple[CustomerRow, ...]
    problems: tuple[Problem, ...]


def read_customers(content: bytes) -> CustomerList:
    """Reads a list (CSV, or cells copied from a spreadsheet), before a transaction waits for it.

    Raises `Refused` for an unreadable list.
    """
    problems: list[Problem] = []
    rows = tuple(_read_rows(content, problems))
    return CustomerList(rows=rows, problems=tuple(problems))


def import_customers(
    tx: Transaction, enterprise_id: str, listed: CustomerList, *, dry_run: bool = False
) -> CustomerListReport:
    """Adds and completes the customers of a list.

    A dry run changes nothing and reports every mistake; otherwise a list with mistakes raises `Invalid` with them.
    """
    rows, problems = listed.rows, list(listed.problems)
    existing = customers_by_email(tx, enterprise_id, [row.email for row in rows], lock=not dry_run)
    _note_mistyped(rows, existing, problems)
    _note_repeated(rows, problems)
    _note_taken(tx, enterprise_id, rows, problems)
    groups = {search_key(group.name): group.id for group in list_categories(tx, enterprise_id)}
    new_groups = _new_groups(rows, groups)
    if problems and not dry_run:
        raise Invalid(problems[:_LISTED])
    if not dry_run:
        groups |= {search_key(name): create_category(tx, enterprise_id, name=name).id for name in new_groups}
        _write(tx, enterprise_id, rows, existing, groups)
    return CustomerListReport(
        created=sum(row.email not in existing for row in rows),
        changed=sum(row.email in existing for row in rows),
        new_groups=tuple(new_groups),
        problems=tuple(sorted(problems, key=lambda problem: int(problem.values["row"]))[:_LISTED]),
        unlisted=max(0, len(problems) - _LISTED),
    )


def _write(
    tx: Transaction,
    enterprise_id: str,
    rows: Sequence[CustomerRow],
    existing: Mapping[str, Customer],
    groups: Mapping[str, str],
) -> None:
    """Writes the rows; the number of statements depends on that of new groups only."""
    owners = _owners(tx, [row.email for row in rows if row.email not in existing])
    created, changed, memberships = [], [], []
    for row in rows:
        before = existing.get(row.email)
        if before is None:
            texts = {**row.texts, "code": row.texts["code"] or None}
            values = new_row(tx, enterprise_id, row.email, texts)
            created.append({**values, "person_id": owners.get(row.email)})
            customer_id, member_of = values["id"], frozenset[str]()
        else:
            changed.append(_changed(row, before))
            customer_id, member_of = before.id, before.categories
        category_ids = {groups[search_key(name)] for name in row.groups}
        memberships += [{"customer_id": customer_id, "category_id": id} for id in sorted(category_ids - member_of)]
    insert_rows(tx, customer, created)
    if changed:
        columns = ("name", "phone", "code", "note", "search")
        values = {column: bindparam(f"new_{column}") for column in columns}
        statement = update(customer).where(customer.c.id == bindparam("customer"))
        tx.execute(statement.values(**values, version=customer.c.version + 1), changed)
    insert_rows(tx, customer_in_category, memberships)
    if created:
        announce_customers(tx, [values["id"] for values in created])


def _changed(row: CustomerRow, before: Customer) -> dict[str, object]:
    """Parameters of the update of a customer: what the row leaves empty stays."""
    texts = {name: row.texts[name] or getattr(before, name) for name in row.texts}
    search = search_text(before.email, texts["name"], texts["code"])
    return {"customer": before.id, "new_search": search, **{f"new_{name}": text for name, text in texts.items()}}


def _owners(tx: Transaction, emails: Sequence[str]) -> dict[str, str]:
    """The ids of the people who have confirmed these addresses, by address."""
    query = select(person.c.email, person.c.id).where(person.c.email.in_(emails), person.c.confirmed_at.is_not(None))
    return {row["email"]: row["id"] for row in tx.all(query)}


def _read_rows(content: bytes, problems: list[Problem]) -> Iterator[CustomerRow]:
    """The rows with their mistakes noted. Raises `Refused` for an unreadable list."""
    cells = list(_cells(content))
    columns = _columns(cells[0][:MOST_COLUMNS] if cells else [])
    if len(cells) - 1 > MOST_ROWS:
        raise Refused("too_many_rows", "This list has more than {most} rows. Hand it in in parts.", most=MOST_ROWS)
    for number, row in enumerate(cells[1:], 2):
        if any(cell.strip() for cell in row):
            values = {
                name: " ".join(row[place].replace("\x00", "").split())
                for name, place in columns.items()
                if place < len(row)
            }
            yield _read_row(number, values, problems)


def _cells(content: bytes) -> Iterator[list[str]]:
    text = decode_text(content)
    first = text.split("\n", 1)[0]
    delimiter = max("\t;,", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as error:
        text = "This list cannot be read as CSV. Save it again as “CSV UTF-8”."
        raise Refused("unreadable", text) from error


def _columns(headers: Sequence[str]) -> dict[str, int]:
    """The place of each known column. Raises `Refused` without one for e-mail addresses."""
    known = {word: name for name, words in _HEADERS.items() for word in words}
    keys = [" ".join("".join(c if c.isalnum() else " " for c in search_key(header)).split()) for header in headers]
    columns: dict[str, int] = {}
    for place, key in enumerate(keys):
        if key in known:
            columns.setdefault(known[key], place)
    if "email" not in columns:
        text = "The first row must have headers, and one of them must be “e-mail”."
        raise Refused("no_email_column", text)
    return columns


def _read_row(number: int, values: dict[str, str], problems: list[Problem]) -> CustomerRow:
    address = read_email(values.get("email", ""))
    if isinstance(address, Problem):
        problems.append(_at(number, address))
    name = " ".join(part for part in (values.get("first_name", ""), values.get("name", "")) if part)
    texts = {"name": name, **{key: values.get(key, "") for key in ("phone", "code", "note")}}
    groups = tuple(dict.fromkeys(part.strip()[:100] for part in values.get("groups", "").split(",") if part.strip()))
    return CustomerRow(number=number, email=address if isinstance(address, str) else "", texts=texts, groups=groups)


def _note_mistyped(rows: Sequence[CustomerRow], existing: Mapping[str, Customer], problems: list[Problem]) -> None:
    for row in rows:
        own_problems: list[Problem] = []
        texts = row.texts
        fields = CustomerFields(name=texts["name"], phone=texts["phone"], code=texts["code"], note=texts["note"])
        read_attributes(fields, own_problems, phone=existing[row.email].phone if row.email in existing else "")
        problems += [_at(row.number, problem) for problem in own_problems]


def _note_repeated(rows: Sequence[CustomerRow], problems: list[Problem]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if row.email and row.email in seen:
            text = "{email} stands in row {other} already."
            problems.append(
                _at(row.number, Problem("twice", text, values={"email": row.email, "other": seen[row.email]}))
            )
        seen.setdefault(row.email, row.number)


def _note_taken(tx: Transaction, enterprise_id: str, rows: Sequence[CustomerRow], problems: list[Problem]) -> None:
    """Notes numbers that another customer has, or another row."""
    codes = {row.texts["code"] for row in rows} - {""}
    taken_codes = select(customer.c.code, customer.c.email).where(customer.c.enterprise_id == enterprise_id)
    holders = {row["code"]: row["email"] for row in tx.all(taken_codes.where(customer.c.code.in_(sorted(codes))))}
    for row in rows:
        code = row.texts["code"]
        if code and holders.setdefault(code, row.email) != row.email:
            problems.append(
                _at(row.number, Problem("code_taken", "Another customer has the code {code}.", values={"code": code}))
            )


def _new_groups(rows: Sequence[CustomerRow], groups: Mapping[str, str]) -> list[str]:
    names = {search_key(name): name for row in reversed(rows) for name in row.groups}
    return sorted(name for key, name in names.items() if key not in groups)


def _at(number: int, problem: Problem) -> Problem:
    return Problem(problem.code, problem.text, f"row {number}", {**problem.values, "row": number})
