"""People over the API: sign-up, confirmation of an address, a forgotten password, and the own account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec

from ...api.authenticate import prove_own_password
from ...api.endpoint import Body, Call, Page, Paging, Routes, changes, page_of
from ...enterprises.access import demand_session
from ...instance import Instance
from ...people.actor import Actor
from ...people.new_password import change_password, check_new_password
from ...people.passwords import hash_password
from ...people.people import (
    NewPerson,
    Person,
    change_person,
    disable_person,
    enable_person,
    list_people,
    new_person,
    person_by_id,
)
from ..accounts import confirmations
from ..accounts.confirmations import ask_new_email, confirm_new_email
from ..web.openapi import Language

routes = Routes("people")

Unset = msgspec.UnsetType
Email = Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Phone = Annotated[str, msgspec.Meta(max_length=40)]
Password = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class SignUp(Body, frozen=True, kw_only=True):
    """The password has between 10 and 200 characters; `language` is that of the e-mails."""

    email: Email
    name: Name
    password: Password
    phone: Phone = ""
    language: Language | None = None


class Confirmation(Body, frozen=True, kw_only=True):
    """`code` came by e-mail."""

    code: Code


class ForgottenPassword(Body, frozen=True, kw_only=True):
    email: Email


class ForgottenPasswordAgain(Body, frozen=True, kw_only=True):
    """`code` came by e-mail."""

    code: Code
    password: Password


class NewEmail(Body, frozen=True, kw_only=True):
    """The password, once more: whoever has the address has the account."""

    email: Email
    password: Password


class PasswordChange(Body, frozen=True, kw_only=True):
    old: Password
    new: Password


class MyChanges(Body, frozen=True, kw_only=True):
    name: Name | Unset = msgspec.UNSET
    phone: Phone | Unset = msgspec.UNSET
    language: Language | Unset = msgspec.UNSET


class PeopleQuery(Paging, frozen=True, kw_only=True):
    """`search`: part of an e-mail address."""

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""


@dataclass(frozen=True)
class MailOnItsWay:
    """An e-mail was promised to this address; what it says, only its owner reads."""

    to: str


def _read_newcomer(call: Call, body: SignUp) -> NewPerson:
    return new_person(
        email=body.email,
        name=body.name,
        password=body.password,
        phone=body.phone,
        language=body.language or call.language,
        place=call.instance.settings.name,
    )


_UNTRACED_ADDRESS = "nobody may learn whether an address has an account; its later changes are traced"


@routes.post("/people", scope="public", status=202, limit="signups", prepare=_read_newcomer, untraced=_UNTRACED_ADDRESS)
def sign_up(call: Call, body: SignUp) -> MailOnItsWay:
    """Makes an account and sends an e-mail to its address. The answer is the same where there is an account already."""
    person: NewPerson = call.prepared
    confirmations.sign_up(call.tx, person)
    return MailOnItsWay(to=person.email)


@routes.post("/forgotten-password", scope="public", status=202, limit="signups", untraced=_UNTRACED_ADDRESS)
def ask_for_new_password(call: Call, body: ForgottenPassword) -> None:
    """Sends a code that sets a new password, if the address has an account. The answer is always the same."""
    confirmations.ask_reset(call.tx, body.email, address=call.actor.address, browser=call.actor.browser)


def _hash_new_password(call: Call, body: ForgottenPasswordAgain) -> str:
    return hash_password(body.password, own=(call.instance.settings.name,))


@routes.put("/forgotten-password", scope="public", status=204, limit="logins", prepare=_hash_new_password)
def set_new_password(call: Call, body: ForgottenPasswordAgain) -> None:
    """Sets a new password with the code from the e-mail, within 20 minutes. Every session ends."""
    confirmations.reset_password(call.tx, body.code, call.prepared)


# ------------------------------------------------------------------------------------------------ oneself


@routes.get("/me", scope="self")
def me(call: Call) -> Person:
    """Says who I am."""
    return person_by_id(call.tx, call.person_id)


@routes.patch("/me", scope="self", edits=True)
def change_me(call: Call, body: MyChanges) -> Person:
    """Changes what I say of myself."""
    return change_person(call.tx, call.person_id, call.version, **changes(body))


@routes.post("/me/confirmation", scope="self", limit="logins")
def confirm_my_address(call: Call, body: Confirmation) -> Person:
    """Proves my e-mail address with the code that was sent to it, within three days."""
    return confirmations.confirm_email(call.tx, body.code, person_id=call.person_id)


@routes.post("/me/confirmation-mail", scope="self", status=202, limit="signups")
def send_confirmation_again(call: Call) -> MailOnItsWay:
    """Sends the code for my e-mail address once more."""
    confirmations.ask_confirmation(call.tx, call.actor.email)
    return MailOnItsWay(to=call.actor.email)


def _check_password_change(instance: Instance, actor: Actor, body: PasswordChange) -> object:
    return check_new_password(instance.store, demand_session(actor), old=body.old, new=body.new)


@routes.put("/me/password", scope="self", limit="logins", proves=_check_password_change)
def change_my_password(call: Call, body: PasswordChange) -> Person:
    """Changes my password and ends all my other sessions. A token is not enough for this."""
    return change_password(call.tx, call.person_id, call.prepared, keep=call.actor.session_hash)


@routes.post("/me/email", scope="self", status=202, limit="logins", keeps=False, proves=prove_own_password)
def ask_for_new_email(call: Call, body: NewEmail) -> MailOnItsWay:
    """Sends a code to my new e-mail address. The old one counts until it is confirmed. A token is not enough for this.

    The answer is the same where somebody else has the address.
    """
    return MailOnItsWay(to=ask_new_email(call.tx, call.person_id, body.email))


@routes.put("/me/email", scope="self", limit="logins", keeps=False)
def set_new_email(call: Call, body: Confirmation) -> Person:
    """Changes my e-mail address with the code that was sent to it, within a day; the old one gets a notice."""
    demand_session(call.actor)
    return confirm_new_email(call.tx, call.person_id, body.code)


# ------------------------------------------------------------------------------------------------ operators


@routes.get("/people", scope="operator")
def people(call: Call, query: PeopleQuery) -> Page[Person]:
    """Everybody with an account."""
    found_people = list_people(call.tx, search=query.search, after=query.after, limit=query.limit)
    return page_of(found_people, query.limit, lambda person: person.id)


@routes.post("/people/{person}/disable", scope="operator")
def lock_out(call: Call, person: str) -> Person:
    """Locks somebody out: sessions and tokens end at once. What they did stays."""
    return disable_person(call.tx, person)


@routes.post("/people/{person}/enable", scope="operator")
def let_in_again(call: Call, person: str) -> Person:
    """Lets somebody log in again."""
    return enable_person(call.tx, person)
