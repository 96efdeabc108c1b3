"""The page of one's own account: name, accounts at hubs, household, invitations, devices, export and erasure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from commensal import NotFound, Order, Transaction, enterprises_by_id, person_by_id, translate
from commensal.enterprises import customers_of_person, household_invitations_to, households_of
from commensal.orders import orders_of_person
from commensal.pages import Visit, clear_session, page_parts
from commensal.parts.accounts import (
    accept_household_invitation,
    ask_new_email,
    confirm_new_email,
    decline_household_invitation,
    identities_of,
    identity_providers,
    invite_to_household,
    leave_household,
    withdraw_household_invitation,
)
from commensal.parts.membership import accept_invitation, decline_invitation, invitations_to
from commensal.parts.privacy import forget_me, my_archive
from commensal.people import (
    change_password,
    change_person,
    check_new_password,
    has_password,
    list_sessions,
    prove_password,
    revoke_session,
    revoke_sessions,
    second_factor_of,
)

from .devices import device_name
from .showing import mistakes_at, on_refusal, show
from .watching import watched_by

_ABOUT_ME = ("name", "phone", "language")
_LATEST = 5  # orders among which the next ones are looked for


def account_page(visit: Visit, at: str = "") -> Response:
    """`at` is the form that was refused; its mistakes are shown above it."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    person_id = person_of(visit)
    with visit.read() as tx:
        person = person_by_id(tx, person_id)
        access, dealings = _access_of(tx, person_id), _dealings_of(tx, visit, person_id)
    return show(
        visit,
        "account",
        email=visit.form.get("email", ""),
        at=at,
        typed=_typed_about_me(visit) if at == "me" else {name: getattr(person, name) for name in _ABOUT_ME},
        version=visit.form.get("version", "") if at == "me" else str(person.version),
        **access,
        **dealings,
        providers=identity_providers(visit.instance),
        invited=visit.form.get("invited", ""),
        zone=visit.instance.settings.timezone,
        done=visit.query.get("done", ""),
    )


def _access_of(tx: Transaction, person_id: str) -> dict[str, Any]:
    """How the person logs in and from where, and which enterprises invite them, as the page shows it."""
    sessions = list_sessions(tx, person_id)
    return {
        "second_factor": second_factor_of(tx, person_id),
        "invitations": invitations_to(tx, person_id),
        "sessions": [(session, device_name(session.agent)) for session in sessions],
        "identities": identities_of(tx, person_id),
        "has_password": has_password(tx, person_id),
    }


def _dealings_of(tx: Transaction, visit: Visit, person_id: str) -> dict[str, Any]:
    """What the person has to do with hubs: orders to come, balances, households and watched sales, as the page shows
    it."""
    records = customers_of_person(tx, person_id)
    next_orders = [order for order in orders_of_person(tx, person_id, limit=_LATEST) if _is_to_come(order)]
    hub_ids = {record.enterprise_id for record in records} | {order.enterprise_id for order in next_orders}
    hubs = enterprises_by_id(tx, hub_ids)
    parts = {
        record.enterprise_id: page_parts(tx, visit, "shop/account", record.enterprise_id, subject=record.id)
        for record in records
    }
    households = households_of(tx, person_id)
    return {
        "hubs": hubs,
        "next_orders": next_orders[::-1],
        "balances": [(hubs[id], added) for id, added in parts.items() if added],
        "watched": watched_by(tx, person_id),
        "to_households": household_invitations_to(tx, person_id),
        "households": [home for home in households if home.people or home.invitations or not home.is_founder],
        "own": [home for home in households if home.is_founder],
    }


def _is_to_come(order: Order) -> bool:
    return order.state != "Cancelled" and order.fulfilment_state != "Fulfilled"


@on_refusal(account_page, at="me")
def post_change_me(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.write() as tx:
        change_person(tx, person_of(visit), visit.form_version, **_typed_about_me(visit))
    return visit.redirect("/account?done=me")


def _typed_about_me(visit: Visit) -> dict[str, str]:
    return {name: visit.form.get(name, "").strip() for name in _ABOUT_ME}


@on_refusal(account_page, at="password")
def post_change_password(visit: Visit) -> Response:
    """Changes the password, which is checked outside of transactions, and ends all other sessions."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    old, new = visit.form.get("old", ""), visit.form.get("new", "")
    hashes = check_new_password(visit.instance.store, person_of(visit), old=old, new=new)
    with visit.write() as tx:
        change_password(tx, person_of(visit), hashes, keep=visit.actor.session_hash)
    return visit.redirect("/account?done=password")


def post_end_session(visit: Visit) -> Response:
    """Logs out one of the person's devices, or all but this one."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    session_id = visit.form.get("session", "")
    with visit.write() as tx:
        if session_id == "others":
            revoke_sessions(tx, person_of(visit), keep=visit.actor.session_hash)
        else:
            with suppress(NotFound):  # it has ended meanwhile
                revoke_session(tx, person_of(visit), session_id)
    return visit.redirect("/account?done=sessions")


@on_refusal(account_page, at="invitations")
def post_answer_invitation(visit: Visit) -> Response:
    """Accepts or declines an invitation, depending on the button."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    accepts = visit.form.get("answer") == "accept"
    answer = accept_invitation if accepts else decline_invitation
    with visit.write() as tx:
        person_id, invitation_id = person_of(visit), visit.path["invitation"]
        shops = {each.id: each.enterprise_id for each in invitations_to(tx, person_id)}
        answer(tx, person_id, invitation_id)
    if accepts and "office" in visit.instance.hooks.plugins():
        return visit.redirect(f"/office/{shops[invitation_id]}")
    return visit.redirect("/account")


@on_refusal(account_page, at="email")
def post_new_email(visit: Visit) -> Response:
    """Answers the same whether the address was known or not."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    check_own_password(visit)
    with visit.write() as tx:
        ask_new_email(tx, person_of(visit), visit.form.get("email", ""))
    title = translate(visit.language, "Check your e-mail")
    message = translate(
        visit.language, "Follow the link that was sent to the new address. Until then the old one counts."
    )
    return show(visit, "message", heading=title, text=message, next_url="/account")


def new_email_page(visit: Visit) -> Response:
    """Shows a form that confirms, as `accounts.confirm_page`."""
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    return show(visit, "new_email", code=visit.path["code"])


@on_refusal(new_email_page)
def post_confirm_new_email(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    with visit.write() as tx:
        confirm_new_email(tx, person_of(visit), visit.path["code"])
    title = translate(visit.language, "Your address is changed")
    message = translate(visit.language, "Log in with the new address from now on. The old one gets a notice.")
    return show(visit, "message", heading=title, text=message, next_url="/account")


def post_my_data(visit: Visit) -> Response:
    """Sends the archive of the person's data, read from one snapshot."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.read() as tx:
        content = my_archive(tx, visit.instance, person_of(visit), visit.language)
    with visit.write() as tx:
        tx.trace("exported", "person", person_of(visit))
    headers = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type="application/zip")


@on_refusal(account_page, at="forget")
def post_forget_me(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    check_own_password(visit)
    with visit.write() as tx:
        forget_me(tx, visit.instance, person_of(visit))
    title = translate(visit.language, "Your account is deleted")
    message = translate(visit.language, "What accounts must keep of your orders no longer shows your name.")
    nobody = replace(visit.actor, person_id=None, email="", is_operator=False, session_hash=None)
    response = show(replace(visit, actor=nobody), "message", heading=title, text=message, next_url="/")
    clear_session(response, visit.instance.settings.base_url)
    return response


def check_own_password(visit: Visit, field: str = "password") -> None:
    """Checks the typed password, outside of transactions. Raises `Invalid`, `TooMany`."""
    prove_password(visit.instance.store, person_of(visit), visit.form.get(field, ""))


def person_of(visit: Visit) -> str:
    assert visit.actor.person_id is not None
    return visit.actor.person_id


# The household on the page of one's own account: invite somebody to share a customer, accept, leave, remove.

# The fields of the form by the names in errors: the page has other fields of these names.
_FIELDS = {"email": "invited", "password": "invited_password"}


@on_refusal(account_page, mistakes_of=mistakes_at(_FIELDS), at="household")
def post_invite(visit: Visit) -> Response:
    """Invites an address. The response is the same whether it has an account or not."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    check_own_password(visit, "invited_password")
    with visit.write() as tx:
        invite_to_household(tx, person_of(visit), visit.form.get("customer", ""), email=visit.form.get("invited", ""))
    return visit.redirect("/account?done=invited#household")


def post_household(visit: Visit) -> Response:
    """Removes somebody from a household, oneself too, or withdraws an invitation, depending on the button."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    person_id, customer_id = person_of(visit), visit.path["customer"]
    try:
        with visit.write() as tx:
            if invitation := visit.form.get("withdraw", ""):
                withdraw_household_invitation(tx, person_id, customer_id, invitation)
            else:
                leave_household(tx, person_id, customer_id, visit.form.get("remove", ""))
    except NotFound:  # somebody else did so meanwhile
        return visit.redirect("/account#household")
    return visit.redirect("/account?done=household#household")


@on_refusal(account_page, at="invitations")
def post_answer(visit: Visit) -> Response:
    """Accepts or declines an invitation, depending on the button."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    accepts = visit.form.get("answer") == "accept"
    answer = accept_household_invitation if accepts else decline_household_invitation
    with visit.write() as tx:
        answer(tx, person_of(visit), visit.path["invitation"])
    return visit.redirect("/account?done=joined#household" if accepts else "/account")
