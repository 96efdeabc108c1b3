"""Pages about one's own account: a new e-mail address, invitations, export and erasure of one's data."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from commensal import Refused, translate
from commensal.pages import Visit, clear_session
from commensal.trade import (
    accept_invitation,
    ask_new_email,
    confirm_new_email,
    decline_invitation,
    forget_me,
    invitations_to,
    my_archive,
    prove_password,
    second_factor_of,
)

from .showing import NONE, Mistakes, mistakes, show, status_of


def account_page(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, email: str = "", errors: Mistakes = NONE, status: int = 200, at: str = "") -> Response:
    """`at` is the form that was refused; its mistakes are shown above it."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.read() as tx:
        second_factor, invitations = second_factor_of(tx, person_of(visit)), invitations_to(tx, person_of(visit))
    return show(
        visit,
        "account",
        status=status,
        email=email,
        mistakes=errors,
        at=at,
        second_factor=second_factor,
        invitations=invitations,
    )


def answer_invitation_now(visit: Visit) -> Response:
    """Accepts or declines an invitation, depending on the button."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    answer = accept_invitation if visit.form.get("answer") == "accept" else decline_invitation
    try:
        with visit.write() as tx:
            answer(tx, person_of(visit), visit.path["invitation"])
    except Refused as error:
        return _page(visit, errors=mistakes(visit, error), status=status_of(error), at="invitations")
    return visit.redirect("/account")


def new_email_now(visit: Visit) -> Response:
    """Answers the same whether the address was known or not."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    email = visit.form.get("email", "")
    try:
        check_own_password(visit)
        with visit.write() as tx:
            ask_new_email(tx, person_of(visit), email)
    except Refused as error:
        errors = mistakes(visit, error, {"email", "password"}.__contains__)
        return _page(visit, email, errors, status_of(error), at="email")
    title = translate(visit.language, "Look into your e-mail")
    message = translate(
        visit.language, "Follow the link that was sent to the new address. Until then the old one counts."
    )
    return show(visit, "message", heading=title, text=message, next_url="/account")


def new_email_page(visit: Visit) -> Response:
    """Shows a button that confirms: machines follow links in e-mails too, so a link alone must not confirm."""
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    return show(visit, "new_email", code=visit.path["code"], mistakes=NONE)


def confirm_new_email_now(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    try:
        with visit.write() as tx:
            confirm_new_email(tx, person_of(visit), visit.path["code"])
    except Refused as error:
        errors = mistakes(visit, error)
        return show(visit, "new_email", status=status_of(error), code=visit.path["code"], mistakes=errors)
    title = translate(visit.language, "Your address is changed")
    message = translate(visit.language, "Log in with the new address from now on. The old one gets a notice.")
    return show(visit, "message", heading=title, text=message, next_url="/account")


def my_data_now(visit: Visit) -> Response:
    """Sends the archive of the person's data, read from one snapshot."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.read() as tx:
        content = my_archive(tx, visit.instance, person_of(visit), visit.language)
    with visit.write() as tx:
        tx.trace("exported", "person", person_of(visit))
    headers = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type="application/zip")


def forget_me_now(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    try:
        check_own_password(visit)
        with visit.write() as tx:
            forget_me(tx, visit.instance, person_of(visit))
    except Refused as error:
        errors = mistakes(visit, error, {"password"}.__contains__)
        return _page(visit, errors=errors, status=status_of(error), at="forget")
    title = translate(visit.language, "You are forgotten here")
    message = translate(visit.language, "What accounts must keep of your orders no longer shows your name.")
    nobody = replace(visit.actor, person_id=None, email="", is_operator=False, session_hash=None)
    response = show(replace(visit, actor=nobody), "message", heading=title, text=message, next_url="/")
    clear_session(response, visit.instance.settings.base_url)
    return response


def check_own_password(visit: Visit) -> None:
    """Checks the typed password, outside of transactions. Raises `Invalid`, `TooMany`."""
    prove_password(visit.instance.store, person_of(visit), visit.form.get("password", ""))


def person_of(visit: Visit) -> str:
    assert visit.actor.person_id is not None
    return visit.actor.person_id
