"""Logging in with an account elsewhere, and connecting one with one's own account: the way there, and back.

A form leads to a page that leads on: browsers do not let a form of this site end at another one (`form-action` of the
Content-Security-Policy), and no link alone begins anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from commensal import NotFound, ProvenIdentity, Refused, Unauthorised
from commensal.pages import Visit, any_field, shown_once
from commensal.parts.accounts import (
    Departed,
    come_back,
    connect_identity,
    identity_providers,
    leave_for_provider,
    log_out_url,
    person_by_identity,
    provider_session,
    unlink_identity,
)
from commensal.people import CodeWanted, await_code, log_in_proven, prove_second_factor, second_factor_of, wrong_code

from .accounts import agent_of, ask_code, log_in_form, logged_in
from .guest import merge_guest_carts
from .myself import account_page, check_own_password, person_of
from .showing import mistakes_at, on_refusal, show, with_mistakes

_COOKIE = "departure"
_mistakes = mistakes_at({"password": "elsewhere_password", "code": "code"})  # in errors, and in the form


@on_refusal(log_in_form, any_field)
def post_leave(visit: Visit) -> Response:
    """Sends the browser to a provider, to log in."""
    return _leave(visit, _provider(visit), next_url=visit.form.get("next", "/"))


@on_refusal(account_page, mistakes_of=_mistakes, at="elsewhere")
def post_connect(visit: Visit) -> Response:
    """Sends the browser to a provider, to connect an account there. Asks for the password and the second factor: who
    finds a browser open must not be able to stay."""
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    check_own_password(visit, "elsewhere_password")
    _check_code(visit)
    return _leave(visit, visit.form.get("provider", ""), person_id=person_of(visit))


def back_page(visit: Visit) -> Response:
    """Takes what the provider has sent the browser back with. It counts once, so the cookie goes."""
    try:
        provider, secret, answer = _provider(visit), visit.cookie(_COOKIE), _answer(visit)
        back = _back(visit, provider)
        departed, proven = come_back(visit.instance, provider, secret, answer, back=back, language=visit.language)
        response = _connect(visit, departed, proven) if departed.person_id else _log_in(visit, departed, proven)
    except (NotFound, Unauthorised):
        raise
    except Refused as error:
        is_logged_in = visit.actor.session_hash is not None
        if is_logged_in:
            response = account_page(with_mistakes(visit, error, mistakes_of=_mistakes), at="elsewhere")
        else:
            response = log_in_form(with_mistakes(visit, error, any_field))
    visit.set_cookie(response, _COOKIE, "", days=0)
    return response


def left_page(visit: Visit) -> Response:
    """What follows a log-out of a session that began elsewhere: it goes on there, until its owner ends it there."""
    provider = _provider(visit)
    url = log_out_url(visit.instance, provider, back=visit.address("/"), language=visit.language)
    return show(visit, "left", url=url, place=identity_providers(visit.instance)[provider].label)


def post_disconnect(visit: Visit) -> Response:
    if visit.actor.session_hash is None:
        return visit.redirect("/login?next=/account")
    with visit.write() as tx:
        unlink_identity(tx, person_of(visit), visit.path["identity"], keep=visit.actor.session_hash)
    return visit.redirect("/account?done=elsewhere")


def _leave(visit: Visit, provider: str, *, next_url: str = "/", person_id: str | None = None) -> Response:
    departure = leave_for_provider(
        visit.instance,
        provider,
        back=_back(visit, provider),
        language=visit.language,
        next_url=next_url,
        person_id=person_id,
    )
    label = identity_providers(visit.instance)[provider].label
    response = shown_once(show(visit, "leaving", url=departure.url, place=label))
    visit.set_cookie(response, _COOKIE, departure.secret, days=1)
    return response


def _log_in(visit: Visit, departed: Departed, proven: ProvenIdentity) -> Response:
    begun, merged = "", list[str]()
    with visit.write() as tx:
        owner = person_by_identity(tx, visit.instance, departed.provider, proven, language=visit.language)
        if not isinstance(owner, Refused):
            elsewhere, actor = provider_session(departed, proven), visit.actor
            outcome = log_in_proven(
                tx, owner, elsewhere, agent=agent_of(visit), replaces=actor.session_hash, browser=actor.browser
            )
            if isinstance(outcome, CodeWanted):
                begun = await_code(tx, owner.id, elsewhere)
            else:
                merged = merge_guest_carts(tx, visit, owner.id)
    if isinstance(owner, Refused):
        raise owner
    if isinstance(outcome, CodeWanted):
        return ask_code(visit, begun, departed.next_url)
    return logged_in(visit, outcome, departed.next_url, merged)


def _connect(visit: Visit, departed: Departed, proven: ProvenIdentity) -> Response:
    with visit.write() as tx:
        connect_identity(tx, visit.instance, departed, proven, session_hash=visit.actor.session_hash)
    return visit.redirect("/account?done=elsewhere")


def _check_code(visit: Visit) -> None:
    """Raises `Invalid` for a wrong code of the second factor, if there is one; `TooMany`."""
    with visit.write() as tx:
        person_id = person_of(visit)
        has_one = second_factor_of(tx, person_id).since is not None
        is_right = not has_one or prove_second_factor(tx, person_id, visit.form.get("code", ""))
    if not is_right:
        raise wrong_code()


def _answer(visit: Visit) -> Mapping[str, str]:
    """The parameters of the answer. Raises `Refused` if one is named twice (RFC 6749, section 3.1)."""
    if len(visit.request.query_params.multi_items()) != len(visit.request.query_params):
        raise Refused("log_in_again", "This took too long. Please log in again from the start.")
    return visit.query


def _provider(visit: Visit) -> str:
    return f"{visit.path['plugin']}:{visit.path['provider']}"


def _back(visit: Visit, provider: str) -> str:
    """The full URL of `back_page`, which the provider must know."""
    return visit.address(f"/login/with/{provider.replace(':', '/')}/back")
