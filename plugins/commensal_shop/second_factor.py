"""Pages about the second factor of one's own account: set up, confirmed by a code, turned off."""

from __future__ import annotations

from typing import Any

import segno
from starlette.responses import Response

from commensal import (
    Enrolment,
    Refused,
    Visit,
    begin_second_factor,
    confirm_second_factor,
    second_factor_of,
    shown_once,
    translate,
    turn_off_second_factor,
    unconfirmed_enrolment,
    wrong_code,
)

from .myself import me, prove
from .showing import NONE, Mistakes, mistakes, show, status_of


def second_factor_page(visit: Visit) -> Response:
    return _page(visit)


def begin_now(visit: Visit) -> Response:
    """Shows the secret, to scan or to type."""
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    try:
        prove(visit)
        with visit.write() as tx:
            begun = begin_second_factor(tx, me(visit), place=visit.instance.settings.name)
    except Refused as error:
        return _page(visit, mistakes(visit, error, {"password"}.__contains__), status_of(error))
    return _secret(visit, begun)


def confirm_now(visit: Visit) -> Response:
    """Shows the recovery codes, this once."""
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    code = visit.form.get("code", "")
    try:
        with visit.write() as tx:
            codes = confirm_second_factor(tx, me(visit), code, keep=visit.actor.session_hash)
        if codes is None:
            raise wrong_code()
    except Refused as error:
        return _again(visit, error)
    return shown_once(show(visit, "recovery_codes", codes=codes))


def turn_off_now(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    code = visit.form.get("code", "")
    try:
        prove(visit)
        with visit.write() as tx:
            off = turn_off_second_factor(tx, me(visit), code, keep=visit.actor.session_hash)
        if not off:
            raise wrong_code()
    except Refused as error:
        return _page(visit, mistakes(visit, error, {"password", "code"}.__contains__), status_of(error))
    title = translate(visit.language, "The second factor is off")
    said = translate(visit.language, "From now on your password alone is asked for when you log in.")
    return show(visit, "told", heading=title, said=said, onward="/account")


def _page(visit: Visit, wrong: Mistakes = NONE, status: int = 200) -> Response:
    if visit.actor.session_hash is None:
        return _log_in_first(visit)
    with visit.read() as tx:
        known = second_factor_of(tx, me(visit))
    return show(visit, "second_factor", status=status, known=known, mistakes=wrong)


def _again(visit: Visit, error: Refused) -> Response:
    """The secret once more, to somebody whose code was wrong."""
    with visit.read() as tx:
        begun = unconfirmed_enrolment(tx, me(visit), place=visit.instance.settings.name)
    if begun is None:
        return _page(visit, mistakes(visit, error), status_of(error))
    return _secret(visit, begun, mistakes=mistakes(visit, error, {"code"}.__contains__), status=status_of(error))


def _secret(visit: Visit, begun: Enrolment, **more: Any) -> Response:
    picture = segno.make(begun.uri, error="m").svg_data_uri(scale=4, border=4, light="white")
    spaced = " ".join(begun.secret[at : at + 4] for at in range(0, len(begun.secret), 4))
    shown: dict[str, Any] = {"picture": picture, "uri": begun.uri, "secret": spaced, "mistakes": NONE, **more}
    return shown_once(show(visit, "second_factor_secret", **shown))


def _log_in_first(visit: Visit) -> Response:
    return visit.redirect("/login?next=/account/second-factor")
