"""Pages for accounts: log in and out, sign up, confirm an address, a new password, a second factor, the language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import segno
from starlette.responses import Response

from commensal import LANGUAGES, person_by_id, translate
from commensal.pages import Visit, clear_session, set_browser, set_session, shown_once
from commensal.parts.accounts import (
    ask_confirmation,
    ask_reset,
    confirm_email,
    email_of_reset,
    identity_providers,
    reset_password,
    sign_up,
)
from commensal.parts.membership import invitations_to
from commensal.people import (
    CodeWanted,
    Enrolment,
    NewSession,
    await_code,
    begin_second_factor,
    change_person,
    check_password,
    confirm_second_factor,
    finish_log_in,
    hash_password,
    log_in,
    log_out,
    new_person,
    second_factor_of,
    turn_off_second_factor,
    unconfirmed_enrolment,
    wrong_code,
    wrong_password,
)

from .guest import merge_guest_carts, note_merged
from .myself import check_own_password, person_of
from .showing import on_refusal, show

_YEAR = 365  # days
_SIGN_UP = ("name", "email", "phone", "password")


def log_in_page(visit: Visit) -> Response:
    if visit.actor.person_id is not None:
        return visit.redirect(visit.query.get("next", "/"))
    return log_in_form(visit)


def log_in_form(visit: Visit) -> Response:
    """The page to log in, also for who tries again. It knows the page to go on to, `next`."""
    sent = visit.form or visit.query
    typed = {"email": visit.form.get("email", ""), "next": sent.get("next", "/"), "lost": sent.get("lost", "")}
    return show(visit, "log_in", typed=typed, providers=identity_providers(visit.instance))


def ask_code(visit: Visit, begun: str, next_url: str) -> Response:
    """The page that asks for the code of a second factor, to complete the log-in that has begun."""
    return show(visit, "code", begun=begun, next=next_url)


def code_page(visit: Visit) -> Response:
    """The same once more."""
    return ask_code(visit, visit.form.get("begun", ""), visit.form.get("next", ""))


@on_refusal(log_in_form)
def post_log_in(visit: Visit) -> Response:
    """Checks the password outside of transactions, then logs in and adds the carts of a guest in this browser."""
    typed = {name: visit.form.get(name, "") for name in ("email", "password", "next", "lost")}
    begun = ""
    checked = check_password(
        visit.instance.store,
        typed["email"],
        typed["password"],
        address=visit.actor.address,
        browser=visit.actor.browser,
    )
    merged: list[str] = []
    with visit.write() as tx:
        outcome = log_in(tx, checked, agent=agent_of(visit), replaces=visit.actor.session_hash)
        if isinstance(outcome, CodeWanted) and checked.person is not None:
            begun = await_code(tx, checked.person.id)
        elif isinstance(outcome, NewSession):
            merged = merge_guest_carts(tx, visit, outcome.person.id)
    if outcome is None:
        raise wrong_password()
    if isinstance(outcome, CodeWanted):
        return ask_code(visit, begun, typed["next"])
    return logged_in(visit, outcome, typed["next"], merged)


@on_refusal(code_page)
def post_code(visit: Visit) -> Response:
    """Completes a log-in with the code of a second factor."""
    typed = {name: visit.form.get(name, "") for name in ("begun", "code", "next")}
    with visit.write() as tx:
        replaces = visit.actor.session_hash
        session = finish_log_in(
            tx, typed["begun"], typed["code"], agent=agent_of(visit), replaces=replaces, browser=visit.actor.browser
        )
        merged = [] if session is None else merge_guest_carts(tx, visit, session.person.id)
    if session is None:
        raise wrong_code()
    return logged_in(visit, session, typed["next"], merged)


def logged_in(visit: Visit, session: NewSession, next_url: str, merged: Sequence[str]) -> Response:
    """Sets the cookies of a session that has just begun, and goes on to `next_url`, a page of this site. `merged`: the
    carts that have got goods of the browser's guest."""
    response = visit.redirect(next_url or "/")
    set_session(response, visit.instance.settings.base_url, session.secret)
    set_browser(response, visit.instance.settings.base_url, session.browser)
    note_merged(response, visit, merged)
    return response


def agent_of(visit: Visit) -> str:
    """What the browser calls itself."""
    return visit.request.headers.get("user-agent", "")


def post_log_out(visit: Visit) -> Response:
    provider = ""
    if visit.actor.session_hash is not None:
        with visit.write() as tx:
            provider = log_out(tx, visit.actor.session_hash)
    goes_on_there = provider in identity_providers(visit.instance)
    response = visit.redirect(f"/logged-out/{provider.replace(':', '/')}" if goes_on_there else "/")
    clear_session(response, visit.instance.settings.base_url)
    return response


# ------------------------------------------------------------------------------------------------ signing up


def sign_up_page(visit: Visit) -> Response:
    typed = {name: visit.form.get(name, "") for name in _SIGN_UP}
    return show(visit, "sign_up", typed={**typed, "next": (visit.form or visit.query).get("next", "/")})


@on_refusal(sign_up_page)
def post_sign_up(visit: Visit) -> Response:
    """Answers the same whether the address was known or not."""
    typed = {name: visit.form.get(name, "") for name in (*_SIGN_UP, "next")}
    new = new_person(
        email=typed["email"],
        name=typed["name"],
        password=typed["password"],
        language=visit.language,
        phone=typed["phone"],
        place=visit.instance.settings.name,
    )
    with visit.write() as tx:
        sign_up(tx, new)
    title = translate(visit.language, "Check your e-mail")
    message = translate(visit.language, "We have sent you a message. Log in, then follow the link in it.")
    return _show_message(visit, title, message, f"/login?next={quote(typed['next'])}")


def confirm_page(visit: Visit) -> Response:
    """Shows a form that confirms: machines follow links in e-mails too, so a link alone must not confirm.

    A script sends it at once, since only who is logged in sees it.
    """
    if visit.actor.person_id is None:
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}")
    return show(visit, "confirm", code=visit.path["code"])


@on_refusal(confirm_page)
def post_confirm(visit: Visit) -> Response:
    if visit.actor.person_id is None:
        return visit.redirect(f"/login?next={quote(visit.request.url.path)}")
    with visit.write() as tx:
        confirm_email(tx, visit.path["code"], person_id=visit.actor.person_id)
        is_invited = bool(invitations_to(tx, visit.actor.person_id))
    title = translate(visit.language, "Your address is confirmed")
    if is_invited:
        text = translate(visit.language, "Thank you. You are invited to a team: accept or decline on the next page.")
        return _show_message(visit, title, text, "/account")
    return _show_message(visit, title, translate(visit.language, "Thank you. You can order now."), "/")


def confirm_again(visit: Visit) -> Response:
    if visit.actor.person_id is not None:
        with visit.write() as tx:
            ask_confirmation(tx, visit.actor.email)
    title = translate(visit.language, "Check your e-mail")
    return _show_message(visit, title, translate(visit.language, "We have sent you a new link."), "/")


# ------------------------------------------------------------------------------------------------ forgotten


def forgot_page(visit: Visit) -> Response:
    return show(visit, "forgot")


def post_forgot(visit: Visit) -> Response:
    """Answers the same whether the address is known or not."""
    with visit.write() as tx:
        email, actor = visit.form.get("email", ""), visit.actor
        ask_reset(tx, email, address=actor.address, browser=actor.browser)
    title = translate(visit.language, "Check your e-mail")
    message = translate(visit.language, "If this address has an account, a link to set a new password is on its way.")
    return _show_message(visit, title, message, "/login")


def reset_page(visit: Visit) -> Response:
    """Shows the form with the address of the account, so that password managers store the new password under it."""
    with visit.read() as tx:
        email = email_of_reset(tx, visit.path["code"])
    return show(visit, "reset", email=email)


@on_refusal(reset_page)
def post_reset(visit: Visit) -> Response:
    password = visit.form.get("password", "")
    password_hash = hash_password(password, own=(visit.instance.settings.name,))
    with visit.write() as tx:
        reset_password(tx, visit.path["code"], password_hash)
    title = translate(visit.language, "Your new password is set")
    return _show_message(visit, title, translate(visit.language, "You can log in with it now."), "/login")


# ------------------------------------------------------------------------------------------------ language


def choose_language(visit: Visit) -> Response:
    """Remembers the language in this browser, and for who is logged in also where they log in next."""
    response, language = visit.redirect(visit.form.get("next", "/")), visit.form.get("language", "")
    if language in LANGUAGES:
        visit.set_cookie(response, "language", language, days=_YEAR)
        if visit.actor.person_id is not None and visit.actor.language != language:
            with visit.write() as tx:
                person = person_by_id(tx, visit.actor.person_id)
                change_person(tx, person.id, person.version, language=language)
    return response


def _show_message(visit: Visit, title: str, message: str, next_url: str, **more: Any) -> Response:
    return show(visit, "message", heading=title, text=message, next_url=next_url, **more)


# Pages about the second factor of one's own account: set it up, confirm it by a code, turn it off.


def second_factor_page(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    with visit.read() as tx:
        second_factor = second_factor_of(tx, person_of(visit))
    return show(visit, "second_factor", state=second_factor)


def secret_page(visit: Visit) -> Response:
    """Shows the secret once more after a wrong code."""
    with visit.read() as tx:
        enrolment = unconfirmed_enrolment(tx, person_of(visit), place=visit.instance.settings.name)
    return second_factor_page(visit) if enrolment is None else _show_secret(visit, enrolment)


def _show_secret(visit: Visit, enrolment: Enrolment) -> Response:
    picture = segno.make(enrolment.uri, error="m").svg_data_uri(scale=4, border=4, light="white")
    spaced = " ".join(enrolment.secret[start : start + 4] for start in range(0, len(enrolment.secret), 4))
    return shown_once(show(visit, "second_factor_secret", picture=picture, uri=enrolment.uri, secret=spaced))


@on_refusal(second_factor_page)
def post_begin(visit: Visit) -> Response:
    """Begins a second factor and shows its secret, to scan or to type."""
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    check_own_password(visit)
    with visit.write() as tx:
        enrolment = begin_second_factor(tx, person_of(visit), place=visit.instance.settings.name)
    return _show_secret(visit, enrolment)


@on_refusal(secret_page)
def post_confirm_second_factor(visit: Visit) -> Response:
    """Turns the second factor on and shows the recovery codes, which are shown only here."""
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    code = visit.form.get("code", "")
    with visit.write() as tx:
        codes = confirm_second_factor(tx, person_of(visit), code, keep=visit.actor.session_hash)
    if codes is None:
        raise wrong_code()
    return shown_once(show(visit, "recovery_codes", codes=codes))


@on_refusal(second_factor_page)
def post_turn_off(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    code = visit.form.get("code", "")
    check_own_password(visit)
    with visit.write() as tx:
        off = turn_off_second_factor(tx, person_of(visit), code, keep=visit.actor.session_hash)
    if not off:
        raise wrong_code()
    title = translate(visit.language, "The second factor is off")
    message = translate(visit.language, "From now on your password alone is asked for when you log in.")
    return show(visit, "message", heading=title, text=message, next_url="/account")


def _log_in_first(visit: Visit) -> Response:
    return visit.redirect("/login?next=/account/second-factor")
