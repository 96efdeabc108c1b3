"""What somebody who is logged in takes along, or has forgotten, of themselves."""

from __future__ import annotations

from ...instance import Instance
from ...storage.database import Transaction
from ..people.people import person_by_id
from .forgetting import forget_person
from .handing_over import archive_of, data_of
from .subject import subject_of
from .values import Forgotten


def my_archive(tx: Transaction, instance: Instance, person_id: str, language: str) -> bytes:
    """Everything that the instance keeps of them, over all enterprises, as a zip file. Only reads."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return archive_of(data_of(tx, instance.hooks, me), language)


def forget_me(tx: Transaction, instance: Instance, person_id: str) -> Forgotten:
    """Forgets them, for good. Raises `Conflict` where something is not settled, and what plugins refuse it with."""
    me = subject_of(tx, person_by_id(tx, person_id))
    return forget_person(tx, instance.hooks, me, years=instance.settings.retention.identities_years)
