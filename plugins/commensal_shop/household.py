"""The household on the page of one's own account: invite somebody to share a customer, accept, leave, remove."""

from __future__ import annotations

from starlette.responses import Response

from commensal import NotFound
from commensal.pages import Visit
from commensal.parts.accounts import (
    accept_household_invitation,
    decline_household_invitation,
    invite_to_household,
    leave_household,
    withdraw_household_invitation,
)

from .myself import account_page, check_own_password, person_of
from .showing import mistakes_at, on_refusal

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
