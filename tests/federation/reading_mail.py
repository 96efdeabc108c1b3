"""People at instances of a region, and the mails that they got."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any

import pytest
from sqlalchemy import insert

from commensal.enterprises.tables import enterprise_member
from commensal.people.tables import person
from commensal.storage.database import Transaction
from commensal_federation.testing import Region

from .trading import Hub, Place, Producer, minutes


@dataclass(frozen=True)
class Mail:
    """`text` and `html` are its two parts."""

    to: str
    subject: str
    language: str
    text: str
    html: str


def add_person(tx: Transaction, email: str, language: str, *, operator: bool = False) -> str:
    """Writes an account with a confirmed address; its id is the address."""
    row = {"id": email, "email": email, "name": email.partition("@")[0], "language": language, "is_operator": operator}
    tx.execute(insert(person).values(**row, confirmed_at=tx.now, created_at=tx.now, version=1))
    return email


def add_people(place: Place) -> None:
    """An owner who reads French, a manager who reads English, and a packer, who decides nothing. An operator of each
    language as well."""
    with place.write() as tx:
        for role, language in (("owner", "fr"), ("manager", "en"), ("packer", "en")):
            person_id = add_person(tx, f"{role}@{place.id}.example", language)
            member = {"enterprise_id": place.id, "person_id": person_id, "role": role, "since": tx.now}
            tx.execute(insert(enterprise_member).values(member))
        for language in ("fr", "en"):
            add_person(tx, f"operator-{language}@{place.at}.example", language, operator=True)


@pytest.fixture
def farm(region: Region) -> Producer:
    farm = Producer(region, "a")
    add_people(farm)
    return farm


@pytest.fixture
def hub(region: Region) -> Hub:
    hub = Hub(region, "b")
    add_people(hub)
    return hub


def mails_at(place: Place) -> list[Mail]:
    """All mails of the instance to people of this module, the oldest first."""
    files = sorted((place.instance.folder / "mail").glob("*.eml"))
    parsed: list[Any] = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [
        Mail(
            to=message["To"].addresses[0].addr_spec,
            subject=str(message["Subject"]),
            language=message["Content-Language"],
            text=message.get_body(("plain",)).get_content(),
            html=message.get_body(("html",)).get_content(),
        )
        for message in parsed
        if message["To"].addresses[0].domain.endswith(".example")
    ]


def new_mails(place: Place, region: Region) -> dict[str, Mail]:
    """Removes the mails so far, waits until notices are due, and returns the mails since by recipient: one for each."""
    for _ in range(4):
        minutes(region)
    mails = mails_at(place)
    clear_mails(place)
    by_recipient = {mail.to: mail for mail in mails}
    assert len(by_recipient) == len(mails), [(mail.to, mail.subject) for mail in mails]
    return by_recipient


def clear_mails(place: Place) -> None:
    for file in (place.instance.folder / "mail").glob("*.eml"):
        file.unlink()
