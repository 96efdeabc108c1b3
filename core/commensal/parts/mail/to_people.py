"""Sends e-mails of plugins to the people who may act: members of an enterprise, or operators of the instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select

from ...enterprises.access import MEMBERS, RIGHTS, scopes_of_member, works_at
from ...enterprises.tables import enterprise, enterprise_member
from ...hooks import specifications
from ...hooks.contract import Hook
from ...instance import Instance
from ...orders.values import Order
from ...people.codes import fingerprint
from ...people.tables import person
from ...storage.database import Transaction
from ...storage.jobs import Job, NewJob, enqueue_all
from ...storage.jobs.enqueue import enqueue_once
from ...storage.jobs.run import note_for_retry
from .links import split_links


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Somebody who gets an e-mail in their language ("fr"); `name` is a person's, or that of the enterprise."""

    email: str
    name: str
    language: str


_PEOPLE = select(person.c.email, person.c.name, person.c.language).where(
    person.c.disabled_at.is_(None), person.c.confirmed_at.is_not(None)
)


def members_who_may(tx: Transaction, enterprise_id: str, scope: str) -> Sequence[Recipient]:
    """The members who hold the scope ("orders:write"), also those of the hub that keeps the enterprise, each in their
    own language; without such a member, the enterprise's address in its language, if it has one. Raises `NotFound`."""
    member = enterprise_member.c
    members = _PEOPLE.add_columns(*RIGHTS).join(MEMBERS, member.person_id == person.c.id).where(works_at(enterprise_id))
    recipients = {
        row["email"]: Recipient(email=row["email"], name=row["name"], language=row["language"])
        for row in tx.all(members.order_by(person.c.email))
        if scope in scopes_of_member(tx, row)
    }
    row = tx.one(
        select(enterprise.c.email, enterprise.c.name, enterprise.c.language).where(enterprise.c.id == enterprise_id)
    )
    return list(recipients.values()) or ([Recipient(**row)] if row["email"] else [])


def operators(tx: Transaction) -> Sequence[Recipient]:
    """The operators of the instance who have an active account."""
    return [Recipient(**row) for row in tx.all(_PEOPLE.where(person.c.is_operator).order_by(person.c.email))]


def mail_people(
    tx: Transaction, kind: str, mails: Iterable[tuple[Recipient, Mapping[str, object]]], *, typed: bool = False
) -> None:
    """Enqueues one e-mail to each recipient, with the values of its template: what JSON can encode, and `MailedLink`
    for a link with a secret.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``. Name the kind after the plugin. `typed`:
    somebody has typed the address and not proved that it is theirs, so the limit for its mailbox counts. With a value
    `stop_path`, programs offer to end such mails: they send a POST to that path of the site (RFC 8058).
    """
    enqueue_all(
        tx,
        [
            NewJob(
                "mail",
                {
                    "kind": kind,
                    "language": to.language,
                    "enterprise": to.name,
                    "to": to.email,
                    **split_links(values),
                    **({"typed": True} if typed else {}),
                },
            )
            for to, values in mails
        ],
    )


# Sends e-mails of plugins to customers about their orders: capped and logged like those of the core.


def mail_customer(
    tx: Transaction, order: Order, kind: str, values: Mapping[str, object], *, key: str, consent: str = ""
) -> None:
    """Enqueues an e-mail about `order` to its customer, in the language of the order.

    The plugin has the templates ``templates/mail/<kind>.txt`` and ``.html``; name the kind after the plugin. They may
    extend ``mail/order.txt`` and ``mail/order.html``, and get `values` (what JSON can encode) beside what those use:
    `order`, `view` and `link`, as they are when the e-mail is sent. Then they fill the block ``subject`` of the text
    and the block ``title`` of the HTML, and in both ``opening``, which stands above what was ordered. The office shows
    the e-mail on the page of the order.

    `key` says what the e-mail is about, such as the id of an event: for the same order, kind and key it is sent once.
    Without a consent write only what concerns the order itself. Everything else needs the customer's `consent`,
    "<plugin>:<id>" of a `ConsentRequest`: the e-mail is sent if it was given with this order and stands when it leaves.
    A mailbox whose owner has not proved it gets no more such e-mails than the instance's limit; an order without an
    address, which was taken by telephone, gets none.
    """
    if not order.email:
        return
    payload = {
        "kind": kind,
        "order_id": order.id,
        "to": order.email,
        "language": order.language,
        "values": {**values},
        **({"consent": consent} if consent else {}),
    }
    enqueue_once(tx, f"mail-{fingerprint(f'{kind} {order.id} {key}')}", NewJob("mail", payload))


# Tells the operators in an e-mail that a plugin was set aside: where, what this means for orders, and what to do.

Effect = Literal["orders", "refused", "skipped", "retried", "apart"]
# Hooks without which a shop that uses the plugin cannot take, change or cancel orders.
_NEEDED_BY_ORDERS = (
    "price_adjustments",
    "settle_adjustments",
    "order_problems",
    "order_changing",
    "book_shipping",
    "release_shipping",
)


def mail_set_aside(instance: Instance, job: Job) -> None:
    """Does the job that `hooks.failures` has enqueued: one e-mail to each operator, in their language."""
    instance.store.transact(lambda tx: _promise_mails(tx, job))


def effect_of(where: str) -> Effect:
    """What it means that a plugin is set aside at `where`: a hook, or a page, endpoint, report or job."""
    hook = getattr(specifications, where, None)
    if not isinstance(hook, Hook):
        return "apart"
    if hook.contract.on_error in ("skip", "undo"):
        return "skipped"
    if hook.contract.on_error == "retry":
        return "retried"
    return "orders" if where in _NEEDED_BY_ORDERS else "refused"


def _promise_mails(tx: Transaction, job: Job) -> None:
    if job.payload.get("mailed"):  # by a worker that was killed before the job was done
        return
    values = {**job.payload, "effect": effect_of(job.payload["where"])}
    mails = [
        NewJob(
            "mail",
            {
                "kind": "plugin_set_aside",
                "to": operator.email,
                "name": operator.name,
                "language": operator.language,
                "values": values,
            },
        )
        for operator in operators(tx)
    ]
    enqueue_all(tx, mails)
    note_for_retry(tx, job, mailed=True)
