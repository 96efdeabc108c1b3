"""Pages about the second factor of one's own account: set it up, confirm it by a code, turn it off."""

from __future__ import annotations

import segno
from starlette.responses import Response

from commensal import translate
from commensal.pages import Visit, shown_once
from commensal.people import (
    Enrolment,
    begin_second_factor,
    confirm_second_factor,
    second_factor_of,
    turn_off_second_factor,
    unconfirmed_enrolment,
    wrong_code,
)

from .myself import check_own_password, person_of
from .showing import on_refusal, show


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
def post_confirm(visit: Visit) -> Response:
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
