"""Joining and leaving a household: people who share one customer of an enterprise, see `enterprises.households`.

Whoever leaves, or is removed, no longer reaches anything of the household. What they ordered for it and is not settled
passes to the founder, who pays and collects it.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, func, or_, select, update

from ...base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ...enterprises.households import shared_customer_id, take_invitation
from ...enterprises.tables import customer, customer_person, enterprise, household_invitation
from ...orders.tables import customer_order
from ...orders.values import Identity
from ...people.email import read_email
from ...people.people import Person, person_by_id
from ...storage.database import Transaction, insert_once, insert_or
from ...storage.jobs import enqueue

LASTS = timedelta(days=14)
MOST = 10  # people and invitations beside the founder
_shared, _invitation, _order = customer_person.c, household_invitation.c, customer_order.c


def invite_to_household(tx: Transaction, person_id: str, customer_id: str, *, email: str) -> str:
    """Invites an address to share the customer of this person, and enqueues the mail. Returns the address as kept.

    The caller has proven who the person is. Inviting again renews the invitation. The effect is the same whether the
    address has an account or not. Raises `NotFound` unless the customer is the person's own, `Invalid` for a malformed
    address or the own one, `Conflict` if they share the customer of somebody else there or have invited too many.
    """
    founder, enterprise_id = person_by_id(tx, person_id), _lock_own_customer(tx, person_id, customer_id)
    address = read_email(email)
    if isinstance(address, Problem):
        raise Invalid([address])
    if address == founder.email:
        raise Invalid([Problem("same_email", "This is your address already.", "/email")])
    if shared_customer_id(tx, enterprise_id, person_id=person_id) is not None:
        raise Conflict("in_household", "You share the account of somebody else here. Leave it first.")
    if shared_customer_id(tx, enterprise_id, email=address) == customer_id:
        raise Conflict("in_household_already", "They share your account already.")
    _refuse_too_many(tx, customer_id, address)
    values = {"created_at": tx.now, "expires_at": tx.now + LASTS}
    new = insert_or(tx, household_invitation).values(id=tx.new_id(), customer_id=customer_id, email=address, **values)
    tx.execute(new.on_conflict_do_update(index_elements=["customer_id", "email"], set_=values))
    _mail(tx, "household_invitation", address, founder.language, name=founder.name, enterprise_id=enterprise_id)
    return address


def accept_household_invitation(tx: Transaction, person_id: str, invitation_id: str) -> None:
    """Adds the person to the household, and tells its founder by mail.

    Raises `Forbidden` while the person's address is not confirmed, `NotFound` for an invitation that has expired or is
    for another address, `Conflict` if they belong to a household of the enterprise, or have founded one.
    """
    joining = person_by_id(tx, person_id)
    if joining.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    customer_id = take_invitation(tx, joining.email, invitation_id)
    record = tx.one(select(customer.c.person_id, customer.c.enterprise_id).where(customer.c.id == customer_id))
    if record["person_id"] is None or record["person_id"] == person_id:
        raise NotFound("no_invitation", "There is no such invitation (any more).")
    own = select(customer.c.id).where(
        customer.c.enterprise_id == record["enterprise_id"], customer.c.person_id == person_id
    )
    both = select(customer.c.id).where(or_(customer.c.id == customer_id, customer.c.id.in_(own)))
    tx.all(both.order_by(customer.c.id).with_for_update(key_share=True))  # nobody joins their own household meanwhile
    if tx.first(select(_shared.person_id).where(_shared.customer_id.in_(own))) is not None:
        raise Conflict("founder", "Others share your own account here. Remove them first.")
    keys = {"person_id": person_id, "enterprise_id": record["enterprise_id"]}
    if not insert_once(tx, customer_person, {"customer_id": customer_id, **keys, "since": tx.now}):
        raise Conflict("in_household", "You share the account of somebody else here. Leave it first.")
    founder = person_by_id(tx, record["person_id"])
    _mail(
        tx,
        "household_joined",
        founder.email,
        founder.language,
        name=founder.name,
        enterprise_id=record["enterprise_id"],
        other=f"{joining.name} <{joining.email}>",
    )


def decline_household_invitation(tx: Transaction, person_id: str, invitation_id: str) -> None:
    """Deletes an invitation on behalf of the invited person. Raises `Forbidden`, `NotFound`."""
    invited = person_by_id(tx, person_id)
    if invited.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    take_invitation(tx, invited.email, invitation_id)


def withdraw_household_invitation(tx: Transaction, person_id: str, customer_id: str, invitation_id: str) -> None:
    """Deletes an invitation on behalf of the founder. Raises `NotFound`."""
    _lock_own_customer(tx, person_id, customer_id)
    conditions = (_invitation.id == invitation_id, _invitation.customer_id == customer_id)
    if tx.execute(delete(household_invitation).where(*conditions)).rowcount != 1:
        raise NotFound


def leave_household(tx: Transaction, person_id: str, customer_id: str, leaving_id: str) -> None:
    """Takes `leaving_id` out of the household: themselves (`person_id` is the same), or the founder removes them.

    Raises `NotFound` for everybody else, and if they do not belong to it.
    """
    if leaving_id != person_id:
        _lock_own_customer(tx, person_id, customer_id)
    _end(tx, customer_id, leaving_id)


def remove_from_household(tx: Transaction, enterprise_id: str, customer_id: str, person_id: str) -> None:
    """Takes a person out of the household of a customer, on behalf of the enterprise. Raises `NotFound`."""
    tx.one(select(customer.c.id).where(customer.c.id == customer_id, customer.c.enterprise_id == enterprise_id))
    _end(tx, customer_id, person_id)


def _end(tx: Transaction, customer_id: str, person_id: str) -> None:
    conditions = (_shared.customer_id == customer_id, _shared.person_id == person_id)
    if tx.execute(delete(customer_person).where(*conditions)).rowcount != 1:
        raise NotFound
    founder_id = tx.value(select(customer.c.person_id).where(customer.c.id == customer_id))
    _pass_on_orders(tx, customer_id, person_id, person_by_id(tx, founder_id))


def _pass_on_orders(tx: Transaction, customer_id: str, person_id: str, founder: Person) -> None:
    """Makes the founder the contact of orders that the person placed for the household and that are not settled."""
    unsettled = or_(_order.state == "Held", _order.fulfilment_state == "Held", _order.paid_total != _order.total)
    orders = update(customer_order).where(
        _order.customer_id == customer_id,
        _order.identity != Identity.TYPED,
        _order.person_id == person_id,
        _order.state.in_(("Held", "Complete")),
        unsettled,
    )
    contact = {"name": founder.name, "email": founder.email, "phone": founder.phone, "language": founder.language}
    changed = {"changed_at": tx.now, "version": _order.version + 1}
    tx.execute(orders.values(person_id=founder.id, **contact, **changed))


def _lock_own_customer(tx: Transaction, person_id: str, customer_id: str) -> str:
    """Locks the customer, so that of two invitations at once one waits. Returns its enterprise. Raises `NotFound`."""
    own = select(customer.c.enterprise_id).where(customer.c.id == customer_id, customer.c.person_id == person_id)
    enterprise_id: str = tx.one(own.with_for_update(key_share=True))["enterprise_id"]
    return enterprise_id


def _refuse_too_many(tx: Transaction, customer_id: str, address: str) -> None:
    people = select(func.count()).select_from(customer_person).where(_shared.customer_id == customer_id)
    invited = select(func.count()).where(_invitation.customer_id == customer_id, _invitation.email != address)
    if tx.value(people) + tx.value(invited) >= MOST:
        raise Conflict("household_full", "At most {most} people share an account.", most=MOST)


def _mail(
    tx: Transaction, kind: str, to: str, language: str, *, name: str, enterprise_id: str, other: str = ""
) -> None:
    shop = tx.value(select(enterprise.c.name).where(enterprise.c.id == enterprise_id))
    mail = {"kind": kind, "to": to, "language": language, "name": name, "values": {"shop": shop, "other": other}}
    enqueue(tx, "mail", mail)
