"""E-mails to an order's customer, enqueued in the transaction that gives the reason, and when each is sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Literal, get_args

from sqlalchemy import ColumnElement, String, bindparam, exists, func, insert, not_, or_, select, update

from ..base.errors import Conflict
from ..hooks.values import ChangedBy
from ..people.codes import fingerprint
from ..storage.database import Row, Time, Transaction
from ..storage.jobs import NewJob, enqueue_all
from ..storage.jobs.tables import job
from .guests import is_unconfirmed
from .lock import refuse_unless_placed
from .tables import customer_order, guest_order, order_link
from .values import Order

RepeatedMail = Literal["order_placed", "order_final", "order_ready"]
REPEATED_MAILS: tuple[RepeatedMail, ...] = get_args(RepeatedMail)
_order = customer_order.c
_OF_GUEST = select(bindparam("hash", type_=String), _order.id, bindparam("now", type_=Time)).where(
    _order.id == bindparam("order"),
    _order.person_id.is_(None),
    or_(_order.secret_hash.is_not(None), exists().where(order_link.c.order_id == _order.id)),
)
_LINK = insert(order_link).from_select(["secret_hash", "order_id", "created_at"], _OF_GUEST)
PAYMENT_BEGINS = timedelta(seconds=30)  # after the order was placed; a browser that takes longer is gone


@dataclass(frozen=True, kw_only=True)
class Withdrawn:
    """Goods that were taken off an order because they cannot be given to anybody: their names, and why."""

    names: tuple[str, ...]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Merged:
    """An order whose goods were put into another one: its number, and how it would have reached the customer, as its
    label said, if that no longer holds; "" otherwise."""

    number: int
    shipping: str


def confirmation_mail(tx: Transaction, order_id: str, values: Mapping[str, object], *, to_pay: int) -> list[NewJob]:
    """Returns the job that mails the confirmation of a new order, if it has an address; `to_pay` is its total in minor
    units.

    The e-mail tells how to pay, which is known only once the payment has begun, after this transaction: so the e-mail
    waits until `send_confirmation_now`, or at most `PAYMENT_BEGINS`.
    """
    if not values["email"]:
        return []
    mail = {"kind": "order_placed", "order_id": order_id, "to": values["email"], "language": values["language"]}
    waits_for_payment = bool(values["payment_method"]) and to_pay > 0
    return [NewJob("mail", mail, tx.now + PAYMENT_BEGINS if waits_for_payment else None)]


def mailed_secret(tx: Transaction, order_id: str) -> str | None:
    """Creates a secret that opens a guest's order, for the link in an e-mail that is sent now. Earlier ones stay valid.

    It proves that its holder reads the mailbox (see `proof.prove_order`), so it must go nowhere but into the e-mail,
    and only its hash is stored. Returns None for an order that opens without: of a person, or taken by the shop.
    """
    secret = tx.ids.secret()
    inserted = tx.execute(_LINK, {"order": order_id, "hash": fingerprint(secret), "now": tx.now})
    return secret if inserted.rowcount == 1 else None


def send_confirmation_now(tx: Transaction, order_id: str) -> None:
    """Releases the confirmation that waits for the order's payment, which has begun or has failed to begin."""
    soon = (job.c.due_at > tx.now, job.c.due_at <= tx.now + PAYMENT_BEGINS)
    for row in _waiting_mails(tx, order_id, "order_placed", *soon):
        tx.execute(update(job).where(job.c.id == row["id"], job.c.state == "waiting").values(due_at=tx.now))
        tx.due_moments.append(tx.now)


def order_mail(
    order: Order,
    kind: str,
    *,
    withdrawn: Withdrawn | None = None,
    changed_by: ChangedBy = "hub",
    fewer: Collection[str] = (),
    merged: Merged | None = None,
) -> list[NewJob]:
    """Returns the job of a later e-mail about the order; none for an order without an address, which was taken by
    telephone. It says what was `withdrawn` from it, and why, that it was weighed, or which order was `merged` into it.

    `fewer` are the products of which this change leaves fewer pieces: only of these a changed order says that their
    supplier does not bring them.
    """
    if not order.email:
        return []
    payload: dict[str, object] = {"kind": kind, "order_id": order.id, "to": order.email, "language": order.language}
    if changed_by != "hub":
        payload["changed_by"] = changed_by
    if fewer:
        payload["fewer"] = sorted(fewer)
    if merged is not None:
        payload["merged"] = asdict(merged)
    return [NewJob("mail", payload if withdrawn is None else {**payload, "withdrawn": asdict(withdrawn)})]


def mail_of_return(order: Order) -> list[NewJob]:
    """Returns the job that mails a confirmation once more for an order whose cancellation was taken back."""
    mails = order_mail(order, "order_placed")
    return [replace(mail, payload={**mail.payload, "came_back": True}) for mail in mails]


def mail_refund(tx: Transaction, order: Order, amount: int) -> None:
    """Mails the customer of the locked `order` that `amount` minor units were given back.

    What came by several payments goes back in several parts: they are added up in one e-mail while it waits.
    """
    of_this_moment = job.c.due_at.between(tx.now - PAYMENT_BEGINS, tx.now)
    for mail in order_mail(order, "order_refunded"):
        for row in _waiting_mails(tx, order.id, "order_refunded", of_this_moment):
            if {**row["payload"], "amount": None} == {**mail.payload, "amount": None}:
                add = update(job).where(job.c.id == row["id"], job.c.state == "waiting")
                both = {**mail.payload, "amount": row["payload"]["amount"] + amount}
                if tx.execute(add.values(payload=both)).rowcount == 1:
                    return
        enqueue_all(tx, [replace(mail, payload={**mail.payload, "amount": amount})])


def _waiting_mails(tx: Transaction, order_id: str, kind: str, *due: ColumnElement[bool]) -> list[Row]:
    """The e-mails of this kind about the order that wait in the queue and are due then. Payloads are read here: what is
    due within a few seconds is little."""
    waiting = select(job.c.id, job.c.payload).where(job.c.kind == "mail", job.c.state == "waiting", *due)
    is_meant = (order_id, kind)
    return [row for row in tx.all(waiting) if (row["payload"].get("order_id"), row["payload"]["kind"]) == is_meant]


def mail_again(tx: Transaction, order: Order, kind: RepeatedMail) -> None:
    """Mails the customer of the locked `order` once more, with the order as it is when the e-mail is sent.

    Raises `Conflict` for a draft or a cancelled order, for one without an e-mail address, and for an order that is not
    ready if the mail says that it is.
    """
    refuse_unless_placed(order)
    refuse_without_email(order)
    if kind == "order_ready" and order.fulfilment_state != "Held":
        raise Conflict("not_ready", "This order is not packed, or was handed over already.")
    enqueue_all(tx, order_mail(order, kind))


def refuse_without_email(order: Order) -> None:
    """Raises `Conflict` for an order that was taken for somebody without an e-mail address."""
    if not order.email:
        raise Conflict("no_email", "This order has no e-mail address. Call instead.")


def mail_customers(tx: Transaction, kind: str, session_ids: Collection[str]) -> int:
    """Enqueues an e-mail about every order of these sessions that is neither cancelled nor handed over, nor still to be
    confirmed by its guest, and has an address.

    Two statements, whatever the number of orders. Returns how many there are.
    """
    order = customer_order.c
    statement = (
        select(order.id, order.email, order.language)
        .outerjoin(guest_order, guest_order.c.order_id == order.id)
        .where(order.session_id.in_(sorted(session_ids)), not_(func.coalesce(is_unconfirmed(), False)))
    )
    unfinished = (order.state.in_(("Held", "Complete")), order.fulfilment_state != "Fulfilled", order.email != "")
    rows = tx.all(statement.where(*unfinished).order_by(order.id))
    mails = [{"kind": kind, "order_id": row["id"], "to": row["email"], "language": row["language"]} for row in rows]
    enqueue_all(tx, [NewJob("mail", mail) for mail in mails])
    return len(mails)
