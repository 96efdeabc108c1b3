"""The second factor over the API: set up, confirm, turn off. All of it requires a session; a token is not enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from ...api.authenticate import prove_own_password
from ...api.endpoint import Body, Call, Routes
from ...enterprises.access import demand_session
from ...people import second_factor
from ...people.second_factor import Enrolment, SecondFactor, wrong_code

routes = Routes("second-factor")

Password = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=60)]


class Beginning(Body, frozen=True, kw_only=True):
    """The password, once more."""

    password: Password


class TypedCode(Body, frozen=True, kw_only=True):
    """`code` is what the application shows now."""

    code: Code


class TurningOff(Body, frozen=True, kw_only=True):
    """`code` is what the application shows now, or a recovery code."""

    password: Password
    code: Code


@dataclass(frozen=True)
class RecoveryCodes:
    """Each lets its owner in once, instead of a code of the application. They are told this once."""

    recovery_codes: Sequence[str]


@dataclass(frozen=True)
class FailedCode:
    """The code was not right. A value, not an error: the failure is counted, and an error would undo that."""


def _refuse_failure(call: Call, outcome: object) -> object:
    if isinstance(outcome, FailedCode):
        raise wrong_code()
    return outcome


@routes.get("/me/second-factor", scope="self")
def my_second_factor(call: Call) -> SecondFactor:
    """Whether I have one, and how many recovery codes are left."""
    return second_factor.second_factor_of(call.tx, call.person_id)


@routes.post("/me/second-factor", scope="self", status=201, limit="logins", keeps=False, proves=prove_own_password)
def begin_second_factor(call: Call, body: Beginning) -> Enrolment:
    """Gives a secret for an application that makes codes. It counts once a code of it is confirmed."""
    place = call.instance.settings.name
    return second_factor.begin_second_factor(call.tx, call.person_id, place=place)


@routes.put("/me/second-factor", scope="self", limit="logins", keeps=False, after=_refuse_failure)
def confirm_second_factor(call: Call, body: TypedCode) -> RecoveryCodes:
    """From now on codes are asked for when I log in. All my other sessions end."""
    demand_session(call.actor)
    codes = second_factor.confirm_second_factor(call.tx, call.person_id, body.code, keep=call.actor.session_hash)
    outcome: Any = RecoveryCodes(codes) if codes is not None else FailedCode()
    return outcome  # type: ignore[no-any-return]


@routes.post(
    "/me/second-factor/off",
    scope="self",
    status=204,
    limit="logins",
    keeps=False,
    proves=prove_own_password,
    after=_refuse_failure,
)
def turn_off_second_factor(call: Call, body: TurningOff) -> None:
    """Turns it off. All my other sessions end."""
    keep = call.actor.session_hash
    outcome: Any = None
    if not second_factor.turn_off_second_factor(call.tx, call.person_id, body.code, keep=keep):
        outcome = FailedCode()
    return outcome  # type: ignore[no-any-return]
