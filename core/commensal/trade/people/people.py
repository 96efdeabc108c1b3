"""People: who they are. How they prove it is in the files beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TypedDict, Unpack

from sqlalchemy import select, update

from ...base.errors import Invalid, NotFound, Problem
from ...base.languages.catalogs import LANGUAGES
from ...base.search import matches
from ...base.texts import read_text, refuse_links
from ...storage.database import Transaction, edit_row, insert_or
from .email import read_email
from .passwords import hash_password, judge_password
from .proved import adopt
from .tables import api_token, person, person_session


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with an account. Until `confirmed_at` the address is only a claim."""

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
    """Somebody who would like an account: checked, and with the password already hashed."""

    email: str
    name: str
    phone: str
    language: str
    password_hash: str = field(repr=False)


class PersonChanges(TypedDict, total=False):
    name: str
    phone: str
    language: str


COLUMNS = [person.c[one.name] for one in fields(Person)]  # all but the password's hash


def new_person(*, email: str, name: str, password: str, language: str, phone: str = "", place: str = "") -> NewPerson:
    """Checks what somebody typed and hashes the password: takes 30 ms, so call it outside of transactions. `place` is
    the name of the instance, which no password may consist of.

    Raises `Invalid` with every mistake.
    """
    problems: list[Problem] = []
    read = read_email(email)
    if isinstance(read, Problem):
        problems.append(read)
    values = _checked({"name": name, "phone": phone, "language": language}, problems)
    own = (name, email, place)
    judge_password(password, problems, own=own)
    if problems or isinstance(read, Problem):
        raise Invalid(problems)
    return NewPerson(email=read, password_hash=hash_password(password, own=own), **values)


def add_person(tx: Transaction, new: NewPerson, *, confirmed: bool = False, is_operator: bool = False) -> Person | None:
    """The new person; None where the address is known already. Sends nothing: `signing_up.sign_up` does.

    `confirmed` says that the address has been proved otherwise: by who runs the instance.
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
    if row is not None and confirmed:
        adopt(tx, row["id"], new.email, new.name, own_orders=False)
    return Person(**row) if row is not None else None


def change_person(tx: Transaction, person_id: str, version: int, **changed: Unpack[PersonChanges]) -> Person:
    """Changes name, phone or language. Raises `Invalid` with every mistake, `NotFound`, or `Stale`."""
    problems: list[Problem] = []
    values = _checked(changed, problems)
    if problems:
        raise Invalid(problems)
    row = edit_row(tx, person, person.c.id == person_id, version=version, values=values)
    return Person(**{column.name: row[column.name] for column in COLUMNS})


def disable_person(tx: Transaction, person_id: str) -> Person:
    """Locks somebody out: sessions end and tokens stop. What they did stays. Raises `NotFound`."""
    statement = update(person).where(person.c.id == person_id)
    row = tx.one(statement.values(disabled_at=tx.now, version=person.c.version + 1).returning(*COLUMNS))
    for table in (person_session, api_token):
        open_ones = update(table).where(table.c.person_id == person_id, table.c.revoked_at.is_(None))
        tx.execute(open_ones.values(revoked_at=tx.now))
    return Person(**row)


def enable_person(tx: Transaction, person_id: str) -> Person:
    """Lets somebody log in again; their old sessions and tokens stay ended. Raises `NotFound`."""
    statement = update(person).where(person.c.id == person_id)
    row = tx.one(statement.values(disabled_at=None, version=person.c.version + 1).returning(*COLUMNS))
    return Person(**row)


def person_by_id(tx: Transaction, person_id: str) -> Person:
    """Raises `NotFound`."""
    return Person(**tx.one(select(*COLUMNS).where(person.c.id == person_id)))


def person_by_email(tx: Transaction, email: str) -> Person:
    """Raises `NotFound`."""
    read = read_email(email)
    if isinstance(read, Problem):
        raise NotFound
    return Person(**tx.one(select(*COLUMNS).where(person.c.email == read)))


def list_people(tx: Transaction, *, search: str = "", after: str = "", limit: int = 50) -> Sequence[Person]:
    """Everybody, or those whose address contains `search`; by id, beginning after `after`."""
    found = select(*COLUMNS).where(person.c.id > after, matches(person.c.email, search))
    return [Person(**row) for row in tx.all(found.order_by(person.c.id).limit(limit))]


def _checked(given: PersonChanges, problems: list[Problem]) -> PersonChanges:
    values: PersonChanges = {}
    if "name" in given:
        values["name"] = read_text(given["name"], "/name", problems, least=1, most=200)
        refuse_links(values["name"], "/name", problems)
    if "phone" in given:
        values["phone"] = read_text(given["phone"], "/phone", problems, most=40)
    if "language" in given:
        values["language"] = given["language"]
        if given["language"] not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            problems.append(Problem("language", "The languages here are {known}.", "/language", {"known": known}))
    return values
