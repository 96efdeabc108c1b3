"""Pages about one's own account: another e-mail address, one's data to take along, and leaving for good."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from commensal import (
    Refused,
    Visit,
    accept_invitation,
    ask_new_email,
    clear_session,
    confirm_new_email,
    decline_invitation,
    forget_me,
    invitations_to,
    my_archive,
    prove_password,
    second_factor_of,
    translate,
)

from .showing import NONE, Mistakes, mistakes, show, status_of


def account_page(visit: Visit) -> Response:
    return _page(visit)


def _page(visit: Visit, email: str = "", wrong: Mistakes = NONE, status: int = 200, at: str = "") -> Response:
    """`at` is the form that was refused: its mistakes stand above it."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.read() as tx:
        known, invited = second_factor_of(tx, me(visit)), invitations_to(tx, me(visit))
    return show(
        visit, "account", status=status, email=email, mistakes=wrong, at=at, second_factor=known, invitations=invited
    )


def answer_invitation_now(visit: Visit) -> Response:
    """The invitation is accepted, or declined by the other button."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    answer = accept_invitation if visit.form.get("answer") == "accept" else decline_invitation
    try:
        with visit.write() as tx:
            answer(tx, me(visit), visit.path["invitation"])
    except Refused as error:
        return _page(visit, wrong=mistakes(visit, error), status=status_of(error), at="invitations")
    return visit.redirect("/account")


def new_email_now(visit: Visit) -> Response:
    """Answers the same whether the address was known or not."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    email = visit.form.get("email", "")
    try:
        prove(visit)
        with visit.write() as tx:
            ask_new_email(tx, me(visit), email)
    except Refused as error:
        wrong = mistakes(visit, error, {"email", "password"}.__contains__)
        return _page(visit, email, wrong, status_of(error), at="email")
    title = translate(visit.language, "Look into your e-mail")
    said = translate(visit.language, "Follow the link that was sent to the new address. Until then the old one counts.")
    return show(visit, "told", heading=title, said=said, onward="/account")


def new_email_page(visit: Visit) -> Response:
    """A link in an e-mail is followed by machines too: it shows a button, and only that confirms."""
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    return show(visit, "new_email", code=visit.path["code"], mistakes=NONE)


def confirm_new_email_now(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect(f"/login?next=/email/{visit.path['code']}")
    try:
        with visit.write() as tx:
            confirm_new_email(tx, me(visit), visit.path["code"])
    except Refused as error:
        wrong = mistakes(visit, error)
        return show(visit, "new_email", status=status_of(error), code=visit.path["code"], mistakes=wrong)
    title = translate(visit.language, "Your address is changed")
    said = translate(visit.language, "Log in with the new address from now on. The old one gets a notice.")
    return show(visit, "told", heading=title, said=said, onward="/account")


def my_data_now(visit: Visit) -> Response:
    """The archive, made from one snapshot."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.read() as tx:
        content = my_archive(tx, visit.instance, me(visit), visit.language)
    with visit.write() as tx:
        tx.trace("exported", "person", me(visit))
    headers = {"Content-Disposition": 'attachment; filename="my-data.zip"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type="application/zip")


def forget_me_now(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    try:
        prove(visit)
        with visit.write() as tx:
            forget_me(tx, visit.instance, me(visit))
    except Refused as error:
        wrong = mistakes(visit, error, {"password"}.__contains__)
        return _page(visit, wrong=wrong, status=status_of(error), at="forget")
    title = translate(visit.language, "You are forgotten here")
    said = translate(visit.language, "What accounts must keep of your orders no longer shows your name.")
    nobody = replace(visit.actor, person_id=None, email="", is_operator=False, session_hash=None)
    response = show(replace(visit, actor=nobody), "told", heading=title, said=said, onward="/")
    clear_session(response, visit.instance.settings.base_url)
    return response


def prove(visit: Visit) -> None:
    """The password is checked between transactions."""
    prove_password(visit.instance.store, me(visit), visit.form.get("password", ""))


def me(visit: Visit) -> str:
    assert visit.actor.person_id is not None
    return visit.actor.person_id
