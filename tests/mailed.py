"""The links of e-mails that wait: their secrets are created when the e-mails leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select

from commensal.parts.mail.links import create_links
from commensal.people.codes import new_code
from commensal.storage.database import Transaction
from commensal.storage.jobs.tables import job


def waiting_mails(tx: Transaction) -> list[dict[str, Any]]:
    """The payloads of all e-mails that were not sent yet, the oldest first."""
    mails = select(job.c.payload).where(job.c.kind == "mail", job.c.state != "done")
    return [row["payload"] for row in tx.all(mails.order_by(job.c.created_at, job.c.id))]


def code_in(tx: Transaction, mail: Mapping[str, Any]) -> str:
    """The code in the link of an e-mail about an account, as if the e-mail left now."""
    return str(new_code(tx, mail["person_id"], mail["purpose"], mail["to"]))


def path_in(tx: Transaction, mail: Mapping[str, Any], name: str = "path") -> str:
    """The path of a link in an e-mail of a plugin, as if the e-mail left now."""
    return f"/{create_links(tx, mail['links'])[name]}"
