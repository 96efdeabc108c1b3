"""Export and erasure of one's own data, for logged-in persons."""

from __future__ import annotations

from ...instance import Instance
from ...people.people import person_by_id
from ...storage.database import Transaction
from .export import archive_of, data_of
from .forgetting import forget_person
from .subject import subject_of
from .values import Forgotten


def my_archive(tx: Transaction, instance: Instance, person_id: str, language: str) -> bytes:
    """All data of the instance about the person, over all enterprises, as a zip file. Only reads."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return archive_of(data_of(tx, instance.hooks, me), language)


def forget_me(tx: Transaction, instance: Instance, person_id: str) -> Forgotten:
    """Erases the person for good. Raises `Conflict` if something is not settled, and any `Refused` of a plugin."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return forget_person(tx, instance.hooks, me, years=instance.settings.retention.identities_years)
