"""API tokens: secrets with which programs act for a person, with all or a part of the person's rights."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from ..base.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from ..base.texts import read_text
from ..people.actor import ENTERPRISE_SCOPES, OPERATOR, SELF, Actor
from ..people.codes import fingerprint
from ..people.people import Person, person_by_id
from ..people.tables import api_token
from ..storage.database import Transaction
from .access import scopes_at

PREFIX = "cml_"  # lets people, and scanners for leaked secrets, recognise a token
_MOST = 50  # live tokens of one person
_LONGEST = timedelta(days=3653)


@dataclass(frozen=True, kw_only=True)
class Token:
    """A token as its owner sees it. Without `enterprise_id` it is valid for all enterprises of the person."""

    id: str
    name: str
    enterprise_id: str | None
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class NewToken:
    """A token that was just made. The secret is shown this once."""

    secret: str = field(repr=False)
    token: Token


_COLUMNS = [api_token.c[attribute.name] for attribute in fields(Token)]


def make_token(
    tx: Transaction,
    person_id: str,
    *,
    name: str,
    scopes: Collection[str],
    enterprise_id: str | None = None,
    expires_at: datetime | None = None,
) -> NewToken:
    """Makes a token for a person whose address is confirmed; `expires_at` is in UTC, at most ten years from now.

    At each use the token has those of its scopes that the person has at that time. Raises `Invalid` with every mistake,
    `NotFound` for an enterprise of others, `Forbidden` while the person's address is not confirmed, `Conflict` if they
    have 50 tokens already.
    """
    owner = person_by_id(tx, person_id)
    if owner.confirmed_at is None:
        raise Forbidden("not_confirmed", "Please confirm your e-mail address first.")
    problems: list[Problem] = []
    checked_name = read_text(name, "/name", problems, least=1, most=100)
    problems += _scope_problems(scopes, _allowed_scopes(tx, owner, enterprise_id))
    if expires_at is not None and not tx.now < expires_at <= tx.now + _LONGEST:
        problems.append(Problem("expires_at", "This must lie within the next ten years.", "/expires_at"))
    if problems:
        raise Invalid(problems)
    _refuse_too_many(tx, person_id)
    secret = PREFIX + tx.ids.secret()
    token = Token(
        id=tx.new_id(),
        name=checked_name,
        enterprise_id=enterprise_id,
        scopes=frozenset(scopes),
        created_at=tx.now,
        expires_at=expires_at,
    )
    values = {attribute.name: getattr(token, attribute.name) for attribute in fields(Token)} | {
        "scopes": sorted(scopes)
    }
    tx.execute(insert(api_token).values(hash=fingerprint(secret), person_id=person_id, **values))
    return NewToken(secret=secret, token=token)


def revoke_token(tx: Transaction, person_id: str, token_id: str) -> None:
    """Ends a token of the person at once. Raises `NotFound`."""
    conditions = (api_token.c.id == token_id, api_token.c.person_id == person_id, api_token.c.revoked_at.is_(None))
    if tx.execute(update(api_token).where(*conditions).values(revoked_at=tx.now)).rowcount != 1:
        raise NotFound


def revoke_tokens(tx: Transaction, person_id: str) -> int:
    """Ends all tokens of a person at once. Returns how many."""
    statement = update(api_token).where(api_token.c.person_id == person_id, api_token.c.revoked_at.is_(None))
    return tx.execute(statement.values(revoked_at=tx.now)).rowcount


def list_tokens(tx: Transaction, person_id: str) -> Sequence[Token]:
    """A person's live tokens, newest first."""
    rows = tx.all(select(*_COLUMNS).where(*_is_live(tx, person_id)).order_by(api_token.c.id.desc()))
    return [Token(**{**row, "scopes": frozenset(row["scopes"])}) for row in rows]


def _is_live(tx: Transaction, person_id: str) -> tuple[ColumnElement[bool], ...]:
    token = api_token.c
    in_time = or_(token.expires_at.is_(None), token.expires_at > tx.now)
    return token.person_id == person_id, token.revoked_at.is_(None), in_time


def _allowed_scopes(tx: Transaction, owner: Person, enterprise_id: str | None) -> frozenset[str]:
    """The scopes that a token of this person may have, at the enterprise or without one."""
    if enterprise_id is not None:
        scopes = scopes_at(tx, Actor(person_id=owner.id), enterprise_id)
        if not scopes:
            raise NotFound("no_enterprise", "There is no such enterprise among yours.")
        return scopes
    return ENTERPRISE_SCOPES | tx.own_scopes.by_name.keys() | {SELF} | ({OPERATOR} if owner.is_operator else set())


def _scope_problems(scopes: Collection[str], possible: frozenset[str]) -> list[Problem]:
    if not scopes:
        return [Problem("required", "Name at least one scope.", "/scopes")]
    text = "{scope} is not a scope that this token can have."
    return [Problem("scope", text, "/scopes", {"scope": scope[:60]}) for scope in sorted(set(scopes) - possible)]


def _refuse_too_many(tx: Transaction, person_id: str) -> None:
    if tx.value(select(func.count()).select_from(api_token).where(*_is_live(tx, person_id))) >= _MOST:
        raise Conflict("too_many_tokens", "You have {most} tokens; revoke one first.", most=_MOST)
