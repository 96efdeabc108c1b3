"""People: accounts with name, address, telephone and language. The other files of the room are about logging in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import bindparam, select, update

from ..base.errors import Invalid, NotFound, Problem
from ..base.languages.catalogs import LANGUAGES
from ..base.search import matches
from ..base.texts import read_phone, read_text, refuse_links
from ..storage.database import Transaction, edit_row, insert_or
from .email import read_email
from .passwords import hash_password, judge_password
from .tables import api_token, person, person_session


@dataclass(frozen=True, kw_only=True)
class Person:
    """A person with an account. While `confirmed_at` is None the address is only a claim."""

    id: str
    email: str
    name: str
    phone: str
    language: str
    is_operator: bool
    confirmed_at: datetime | None
    disabled_at: datetime | None
    created_at: datetime
    version: int


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """The validated data of a new account, with the password already hashed; None: its owner logs in elsewhere."""

    email: str
    name: str
    phone: str
    language: str
    password_hash: str | None = field(repr=False)


class PersonChanges(TypedDict, total=False):
    name: str
    phone: str
    language: str


COLUMNS = [person.c[attribute.name] for attribute in fields(Person)]  # all but the password's hash
_BY_ID = select(*COLUMNS).where(person.c.id == bindparam("person"))


def new_person(*, email: str, name: str, password: str, language: str, phone: str = "", place: str = "") -> NewPerson:
    """Validates the data of a new account and hashes the password: takes 30 ms, so call it outside of transactions.

    `place` is the name of the instance, which no password may consist of. Raises `Invalid` with every mistake.
    """
    problems: list[Problem] = []
    address = read_email(email)
    if isinstance(address, Problem):
        problems.append(address)
    values = _read_changes({"name": name, "phone": phone, "language": language}, problems)
    own = (name, email, place)
    judge_password(password, problems, own=own)
    if problems or isinstance(address, Problem):
        raise Invalid(problems)
    return NewPerson(email=address, password_hash=hash_password(password, own=own), **values)


def add_person(tx: Transaction, new: NewPerson, *, confirmed: bool = False, is_operator: bool = False) -> Person | None:
    """Creates a person; returns None if the address has an account.

    Sends no mail and links no customer records: the commands in `accounts` do. `confirmed` means that the address is
    proved otherwise: by the operator of the instance.
    """
    statement = insert_or(tx, person).values(
        id=tx.new_id(),
        email=new.email,
        name=new.name,
        phone=new.phone,
        language=new.language,
        password_hash=new.password_hash,
        is_operator=is_operator,
        confirmed_at=tx.now if confirmed else None,
        created_at=tx.now,
        version=1,
    )
    row = tx.first(statement.on_conflict_do_nothing(index_elements=["email"]).returning(*COLUMNS))
    return Person(**row) if row is not None else None


def change_person(tx: Transaction, person_id: str, version: int, **changes: Unpack[PersonChanges]) -> Person:
    """Changes name, phone or language. Raises `Invalid` with every mistake, `NotFound`, or `Stale`."""
    problems: list[Problem] = []
    stored = person_by_id(tx, person_id).phone if "phone" in changes else ""
    values = _read_changes(changes, problems, phone=stored)
    if problems:
        raise Invalid(problems)
    row = edit_row(tx, person, person.c.id == person_id, version=version, values=values)
    return Person(**{column.name: row[column.name] for column in COLUMNS})


def disable_person(tx: Transaction, person_id: str) -> Person:
    """Locks a person out and ends their sessions and tokens. Their orders and records stay. Raises `NotFound`."""
    statement = update(person).where(person.c.id == person_id)
    row = tx.one(statement.values(disabled_at=tx.now, version=person.c.version + 1).returning(*COLUMNS))
    for table in (person_session, api_token):
        revocation = update(table).where(table.c.person_id == person_id, table.c.revoked_at.is_(None))
        tx.execute(revocation.values(revoked_at=tx.now))
    return Person(**row)


def enable_person(tx: Transaction, person_id: str) -> Person:
    """Lets a person log in again; their old sessions and tokens stay ended. Raises `NotFound`."""
    statement = update(person).where(person.c.id == person_id)
    row = tx.one(statement.values(disabled_at=None, version=person.c.version + 1).returning(*COLUMNS))
    return Person(**row)


def person_by_id(tx: Transaction, person_id: str) -> Person:
    """The person with this id. Raises `NotFound`."""
    return Person(**tx.one(_BY_ID, {"person": person_id}))


def person_by_email(tx: Transaction, email: str) -> Person:
    """The person with this address, in any spelling that `read_email` accepts. Raises `NotFound`."""
    address = read_email(email)
    if isinstance(address, Problem):
        raise NotFound
    return Person(**tx.one(select(*COLUMNS).where(person.c.email == address)))


def list_people(tx: Transaction, *, search: str = "", after: str = "", limit: int = 50) -> Sequence[Person]:
    """All people, or those whose address contains `search`; ordered by id, beginning after the id `after`."""
    query = select(*COLUMNS).where(person.c.id > after, matches(person.c.email, search))
    return [Person(**row) for row in tx.all(query.order_by(person.c.id).limit(limit))]


def _read_changes(changes: PersonChanges, problems: list[Problem], *, phone: str = "") -> PersonChanges:
    values: PersonChanges = {}
    if "name" in changes:
        values["name"] = read_text(changes["name"], "/name", problems, least=1, most=200)
        refuse_links(values["name"], "/name", problems)
    if "phone" in changes:
        values["phone"] = read_phone(changes["phone"], "/phone", problems, stored=phone)
    if "language" in changes:
        values["language"] = changes["language"]
        if changes["language"] not in LANGUAGES:
            languages = ", ".join(LANGUAGES)
            problems.append(Problem("language", "The languages here are {known}.", "/language", {"known": languages}))
    return values
