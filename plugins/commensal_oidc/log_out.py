"""Back-channel logout: the provider says that somebody has logged out there, and their sessions here end.

No token is remembered. One that is repeated ends nothing more, since a token ends only what began before it was made;
and it is believed for ten minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import parse_qs

import structlog

from commensal import Call, Endpoint, Instance, Invalid, Problem, Routes, end_sessions_elsewhere, hookimpl

from .log_in import ID
from .settings import InstanceSettings
from .tokens import EndedSession, NotProven, ended_session

_CLOCKS = timedelta(minutes=1)  # that the provider's and ours may differ
_log = structlog.get_logger("commensal.oidc")
routes = Routes("oidc")


@hookimpl
def endpoints(instance_settings: InstanceSettings) -> Sequence[Endpoint]:
    return routes.endpoints if instance_settings.issuer else []


def _check(instance: Instance, actor: object, body: bytes) -> EndedSession:
    """Checks the token outside of transactions, since the issuer's keys may have to be fetched."""
    settings = instance.hooks.instance_settings("oidc")
    assert isinstance(settings, InstanceSettings)
    try:
        fields = parse_qs(body.decode("ascii"), max_num_fields=5)
        if len(fields.get("logout_token", ())) != 1:
            raise NotProven("there is no logout_token, or more than one")
        return ended_session(instance, settings, fields["logout_token"][0])
    except (NotProven, ValueError) as error:
        _log.warning("a log-out was not proven", issuer=settings.issuer, why=str(error))
        raise Invalid([Problem("logout_token", "This proves no log-out.", "/logout_token")]) from error


@routes.post(
    "/logout", scope="public", status=204, takes="application/x-www-form-urlencoded", proves=_check, keeps=False
)
def log_out_of_provider(call: Call, body: bytes) -> None:
    """Ends the sessions that began with an account at the provider, because it says so (OpenID Connect Back-Channel
    Logout 1.0). `body` is a form with its signed `logout_token`."""
    ended, settings = call.prepared, call.instance.hooks.instance_settings("oidc")
    assert isinstance(settings, InstanceSettings)
    end_sessions_elsewhere(
        call.tx,
        f"oidc:{ID}",
        issuer=settings.issuer,
        subject=ended.subject,
        session=ended.session,
        begun_until=ended.at + _CLOCKS,
    )
