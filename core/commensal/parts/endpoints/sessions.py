"""Log-in and log-out over the API, and the sessions and tokens of a person, which can be ended one by one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec

from ...api.authenticate import prove_own_password
from ...api.endpoint import Body, Call, Routes
from ...enterprises.access import demand_session
from ...enterprises.tokens import NewToken, Token, list_tokens, make_token, revoke_token
from ...instance import Instance
from ...people import logging_in as logging_in
from ...people import sessions
from ...people.actor import Actor
from ...people.logging_in import CheckedPassword, CodeWanted, check_password, code_wanted, wrong_password
from ...people.sessions import NewSession, Session, list_sessions, revoke_session, revoke_sessions

routes = Routes("sessions")

Scope = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class LogIn(Body, frozen=True, kw_only=True):
    """`code` is one of the second factor, where there is one; `agent` says what logs in, for the list of sessions."""

    email: Annotated[str, msgspec.Meta(min_length=1, max_length=254)]
    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    code: Annotated[str, msgspec.Meta(max_length=60)] = ""
    agent: Annotated[str, msgspec.Meta(max_length=200)] = ""


class TokenWish(Body, frozen=True, kw_only=True):
    """With `enterprise_id` the token reaches only that enterprise; `expires_at` is at most ten years from now. The
    password once more: a token lasts longer than a session."""

    password: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], msgspec.Meta(min_length=1, max_length=50)]
    enterprise_id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@dataclass(frozen=True)
class FailedLogIn:
    """Password or code was not right. A value, not an error: the failure is counted, and an error would undo that."""


def _check_log_in(instance: Instance, actor: Actor, body: LogIn) -> CheckedPassword:
    return check_password(instance.store, body.email, body.password, address=actor.address, browser=actor.browser)


def _refuse_failure(call: Call, outcome: object) -> object:
    if isinstance(outcome, FailedLogIn):
        raise wrong_password()
    if isinstance(outcome, CodeWanted):
        raise code_wanted()
    return outcome


@routes.post(
    "/sessions", scope="public", status=201, limit="logins", keeps=False, proves=_check_log_in, after=_refuse_failure
)
def log_in(call: Call, body: LogIn) -> NewSession:
    """Logs in. The session's secret is set as a cookie and told this once; a second cookie says that this browser has
    been in before. Who has a second factor and gives no code
    is told so (`code_wanted`), once the password is right."""
    session = logging_in.log_in(
        call.tx, call.prepared, code=body.code, agent=body.agent, replaces=call.actor.session_hash
    )
    outcome: Any = session or FailedLogIn()
    return outcome  # type: ignore[no-any-return]


@routes.delete("/me/session", scope="self")
def log_out(call: Call) -> None:
    """Ends the session that asks, and takes its cookie back."""
    demand_session(call.actor)
    sessions.log_out(call.tx, str(call.actor.session_hash))


@routes.get("/me/sessions", scope="self")
def my_sessions(call: Call) -> list[Session]:
    """My sessions in all browsers, the one that was used last first."""
    return list(list_sessions(call.tx, call.person_id))


@routes.delete("/me/sessions/{session}", scope="self")
def end_session(call: Call, session: str) -> None:
    """Ends one of my sessions. A token is not enough for this."""
    demand_session(call.actor)
    revoke_session(call.tx, call.person_id, session)


@routes.delete("/me/sessions", scope="self")
def end_other_sessions(call: Call) -> None:
    """Ends all my sessions but the one that asks. A token is not enough for this."""
    demand_session(call.actor)
    revoke_sessions(call.tx, call.person_id, keep=call.actor.session_hash)


@routes.get("/me/tokens", scope="self")
def my_tokens(call: Call) -> list[Token]:
    """My API tokens, the newest first."""
    return list(list_tokens(call.tx, call.person_id))


@routes.post("/me/tokens", scope="self", status=201, limit="logins", keeps=False, proves=prove_own_password)
def new_token(call: Call, body: TokenWish) -> NewToken:
    """Makes an API token. Its secret is told this once. A token is not enough for this."""
    return make_token(
        call.tx,
        call.person_id,
        name=body.name,
        scopes=body.scopes,
        enterprise_id=body.enterprise_id,
        expires_at=body.expires_at,
    )


@routes.delete("/me/tokens/{token}", scope="self")
def end_token(call: Call, token: str) -> None:
    """Ends one of my tokens. A token can end itself, and no other."""
    if call.actor.token_id != token:
        demand_session(call.actor)
    revoke_token(call.tx, call.person_id, token)
