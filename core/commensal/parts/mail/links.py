"""Links with a secret in e-mails of plugins: who follows one has read the e-mail.

The secret is created when the e-mail leaves, and goes nowhere else: the job that waits, the database and its backups
have the name of what it opens, and the SHA-256 of the secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import delete, insert, select

from ...people.codes import fingerprint
from ...storage.database import Transaction
from .tables import mailed_link

LASTS = timedelta(days=400)
_row = mailed_link.c


@dataclass(frozen=True, kw_only=True)
class MailedLink:
    """A value of an e-mail's template: a path of the site ("tell/{secret}") with a new secret, valid for 400 days.

    `purpose` is the plugin's name for what the link is for ("shop.watch"), `subject_id` says whose or of what.
    """

    path: str
    purpose: str
    subject_id: str


def subject_of_link(tx: Transaction, purpose: str, secret: str) -> str | None:
    """Returns the `subject_id` with which a link of this purpose was mailed; None for an unknown or expired secret."""
    valid = (_row.hash == fingerprint(secret), _row.purpose == purpose, _row.expires_at > tx.now)
    subject_id: str | None = tx.value(select(_row.subject_id).where(*valid))
    return subject_id


def split_links(values: Mapping[str, object]) -> dict[str, object]:
    """Returns the parts of a job's payload for these values of a template: `values`, and `links` if there are any."""
    links = {name: msgspec.to_builtins(value) for name, value in values.items() if isinstance(value, MailedLink)}
    plain = {name: value for name, value in values.items() if name not in links}
    return {"values": plain, **({"links": links} if links else {})}


def create_links(tx: Transaction, links: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Creates the secrets of an e-mail that leaves now, and returns the path of each of its `links` by name."""
    paths, rows = {}, []
    for name, link in links.items():
        secret = tx.ids.secret()
        paths[name] = str(link["path"]).format(secret=secret)
        rows.append(
            {
                "hash": fingerprint(secret),
                "purpose": link["purpose"],
                "subject_id": link["subject_id"],
                "expires_at": tx.now + LASTS,
            }
        )
    tx.execute(insert(mailed_link), rows)
    return paths


def forget_links(tx: Transaction) -> int:
    """Deletes expired links. Returns their number."""
    return tx.execute(delete(mailed_link).where(_row.expires_at <= tx.now)).rowcount
