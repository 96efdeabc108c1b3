"""Accounts at platforms that owners name themselves: one account gets grants of its own at one enterprise.

An issuer that the operator trusts vouches for the account. Its id here follows from what it is, so several enterprises
may name the same account, each with grants of its own, and naming it gives nothing to whoever has no token of it. Who
calls is known by all ids that fit its token: the platform of the operator's settings, and the accounts within it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select

from commensal import Conflict, Invalid, NotFound, Problem, Transaction, insert_or

from ..settings import FederationSettings
from .tables import federation_platform, federation_platform_account

_PREFIX = "account:"  # no id of the operator's platforms has a colon
_MOST, _LONGEST = 100, 300  # accounts of an enterprise; characters
_row = federation_platform_account.c


@dataclass(frozen=True, kw_only=True)
class NamedAccount:
    """`client` is the platform's client id at the issuer; `account` a subject, an e-mail address, or the address of a
    WebID, "" for all accounts of the client. `name` is for people."""

    id: str
    issuer: str
    client: str
    account: str
    name: str
    url: str = ""

    @property
    def email(self) -> str:
        return self.account if _is_email(self.account) else ""


def account_id(issuer: str, client: str, account: str) -> str:
    """The id of an account. E-mail addresses are compared without regard to case."""
    account = account.lower() if _is_email(account) else account
    return _PREFIX + hashlib.sha256("\n".join((issuer, client, account)).encode()).hexdigest()[:32]


def _is_email(account: str) -> bool:
    return "@" in account and "://" not in account


def identities(client: str) -> tuple[str, ...]:
    """The ids in the name of a caller: the operator's platform first, if any, then accounts that owners have named."""
    return tuple(client.split())


def known_accounts(tx: Transaction, ids: Collection[str]) -> list[str]:
    """Those ids that some enterprise has named, in the same order."""
    rows = tx.all(select(_row.id).where(_row.id.in_(sorted(ids))).distinct())
    known = {row["id"] for row in rows}
    return [id for id in ids if id in known]


def named_accounts(tx: Transaction, enterprise_id: str) -> list[NamedAccount]:
    """The accounts that this enterprise has named, by name."""
    query = select(federation_platform_account).where(_row.enterprise_id == enterprise_id)
    rows = tx.all(query.order_by(_row.name, _row.id))
    names = ("id", "issuer", "client", "account", "name")
    return [NamedAccount(**{name: row[name] for name in names}) for row in rows]


def name_account(
    settings: FederationSettings,
    tx: Transaction,
    enterprise_id: str,
    *,
    issuer: str,
    client: str,
    account: str = "",
    name: str = "",
    by: str | None = None,
) -> str:
    """Names an account, which may do nothing yet, and returns its id. `by` is the id of the deciding person.

    Raises `Invalid` with every mistake, and `Conflict` for what stands in the operator's settings or is too much.
    """
    client, account, name = client.strip(), account.strip(), name.strip()
    _refuse_mistakes(settings, issuer, client, account, name)
    listed = {(platform.issuer, platform.client or platform.id, platform.account) for platform in settings.platforms}
    if (issuer, client, account) in listed:
        raise Conflict("listed", "This one is on this page already: choose there what it may do.")
    of_enterprise = select(func.count()).where(_row.enterprise_id == enterprise_id)
    if (tx.value(of_enterprise) or 0) >= _MOST:
        raise Conflict("too_many", "You have named {most} accounts. Remove one first.", most=_MOST)
    row = {
        "enterprise_id": enterprise_id,
        "id": account_id(issuer, client, account),
        "issuer": issuer,
        "client": client,
        "account": account,
        "name": name or account or client,
        "named_at": tx.now,
        "named_by": by,
    }
    insert = insert_or(tx, federation_platform_account).values(row)
    tx.execute(insert.on_conflict_do_update(index_elements=["enterprise_id", "id"], set_={"name": row["name"]}))
    return str(row["id"])


def forget_account(tx: Transaction, enterprise_id: str, id: str) -> None:
    """Takes back what the enterprise lets the account do, and its name here. Raises `NotFound`."""
    grant = federation_platform.c
    tx.execute(delete(federation_platform).where(grant.enterprise_id == enterprise_id, grant.platform_id == id))
    is_row: Sequence[ColumnElement[bool]] = (_row.enterprise_id == enterprise_id, _row.id == id)
    if tx.first(delete(federation_platform_account).where(*is_row).returning(_row.id)) is None:
        raise NotFound("no_platform", "This platform is not known here.")


def _refuse_mistakes(settings: FederationSettings, issuer: str, client: str, account: str, name: str) -> None:
    problems: list[Problem] = []
    if issuer not in {trusted.issuer for trusted in settings.oidc_issuers}:
        text = "Choose where the platform signs in: those who run this site decide whom it trusts."
        problems.append(Problem("issuer", text, "/issuer"))
    if not client:
        problems.append(Problem("empty", "Please fill this in.", "/client"))
    for field, value in (("client", client), ("account", account), ("name", name)):
        if len(value) > _LONGEST or not value.isprintable():
            text = "This has at most {most} characters, on one line."
            problems.append(Problem("text", text, f"/{field}", {"most": _LONGEST}))
    if problems:
        raise Invalid(problems)
