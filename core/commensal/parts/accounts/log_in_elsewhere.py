"""Logging in with an account elsewhere. A plugin proves whose it is (hooks `identity_providers`, `start_log_in`,
`prove_identity`); what follows from that is decided here.

The browser leaves with a random secret in a cookie, from which whatever must come back is derived. A departure is for
one provider, counts once, and for ten minutes, so an answer that was read, repeated, or begun in another browser opens
nothing.

An identity opens the account with which its owner has connected it, and no other. An address that is the same is not
enough: the account here may be a stranger's who typed it, and the provider's word is not the mailbox. Only an address
that nobody here has may found an account. Neither a password nor the second factor is replaced: who loses the account
elsewhere gets a new password by mail, and the code of the second factor is asked for whichever way somebody comes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import delete, insert

from ...base.errors import Forbidden, NotFound, PluginError, Problem, Refused, Unauthorised
from ...base.texts import read_text, refuse_links
from ...hooks import specifications
from ...hooks.values import IdentityProvider, LogInAttempt, ProvenIdentity
from ...people.codes import fingerprint
from ...people.email import read_email
from ...people.people import NewPerson, Person, person_by_id
from ...people.second_factor import refuse_unconfirmed
from ...people.sessions import ProviderSession, end_provider_sessions, lock_session
from ...people.tables import log_in_departure
from ...storage.database import Transaction
from .identities import link_identity, owner_of_identity, tell_linked
from .operators import add_confirmed_person

if TYPE_CHECKING:
    from ...instance import Instance

LASTS = timedelta(minutes=10)  # from leaving to coming back
_LONGEST = 8_000  # characters of an answer
_LONGEST_URL = 2_000
_LONGEST_SESSION = 300  # characters of the name of a provider's session


@dataclass(frozen=True, kw_only=True)
class Departure:
    """A browser that leaves: for which `url`, and the `secret` for its cookie."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Departed:
    """What is known of a browser that comes back. `person_id` is who wants to connect the account; None: to log in."""

    provider: str
    person_id: str | None
    next_url: str


def identity_providers(instance: Instance) -> Mapping[str, IdentityProvider]:
    """The providers of all plugins by "plugin:id", in the operator's order. Raises `PluginError` for an unusable id."""
    return instance.state.of(_ask_providers)


def _ask_providers(instance: Instance) -> Mapping[str, IdentityProvider]:
    providers: dict[str, IdentityProvider] = {}
    for answer in instance.hooks.each(specifications.identity_providers):
        for provider in answer.value or ():
            plain = provider.id.replace("-", "")
            if not (plain.isascii() and plain.isalnum() and plain.lower() == plain):
                text = f"{provider.id!r} is not an id of a provider; one has small letters, digits and dashes"
                raise PluginError(answer.plugin, specifications.identity_providers.name, text)
            providers[f"{answer.plugin}:{provider.id}"] = provider
    return providers


def leave_for_provider(
    instance: Instance, provider: str, *, back: str, language: str, next_url: str = "/", person_id: str | None = None
) -> Departure:
    """Asks the plugin where to send the browser, and notes the departure. Call it outside of transactions.

    `back` is the full URL to come back to; `person_id` the logged-in person who wants to connect an account, and has
    proved their password. Raises `NotFound` for an unknown provider, `PluginError`, and what the plugin refuses.
    """
    _provider(instance, provider)
    secret = instance.ids.secret()
    attempt = _attempt(secret, provider, back, language)
    plugin = provider.partition(":")[0]
    url = instance.hooks.ask(specifications.start_log_in, plugin, instance=instance, attempt=attempt)
    if not _is_of_the_web(url):
        instance.hooks.blame(specifications.start_log_in, plugin, f"{url!r:.200} is not an address of the web")
    with instance.store.write() as tx:
        row = {"provider": provider, "person_id": person_id, "next_url": next_url[:_LONGEST_URL]}
        tx.execute(insert(log_in_departure).values(**row, hash=fingerprint(secret), expires_at=tx.now + LASTS))
    return Departure(url=url, secret=secret)


def come_back(
    instance: Instance, provider: str, secret: str, answer: Mapping[str, str], *, back: str, language: str
) -> tuple[Departed, ProvenIdentity]:
    """Uses up the departure of this browser, and asks the plugin whom the answer proves.

    `secret` is that of the cookie, `answer` the parameters of the address. Call it outside of transactions. Raises
    `Refused` for an answer that this browser did not ask for, that came too late, or that proves nobody; `NotFound` for
    an unknown provider; `PluginError`.
    """
    _provider(instance, provider)
    attempt = _attempt(secret, provider, back, language)
    departed = instance.store.transact(lambda tx: _take(tx, provider, secret)) if secret else None
    is_ours = hmac.compare_digest(attempt.state.encode(), answer.get("state", "").encode())
    if departed is None or not is_ours or sum(map(len, answer.values())) > _LONGEST:
        raise _too_long()
    plugin = provider.partition(":")[0]
    proven = instance.hooks.ask(
        specifications.prove_identity, plugin, instance=instance, attempt=attempt, answer=answer
    )
    if not (0 < len(proven.issuer) <= _LONGEST_URL and 0 < len(proven.subject) <= 255):
        instance.hooks.blame(specifications.prove_identity, plugin, "an identity has an issuer and a subject")
    return departed, proven


def log_out_url(instance: Instance, provider: str, *, back: str, language: str) -> str:
    """Where somebody who began a session with this provider logs out there, too; "" if that is nowhere. Call it outside
    of transactions. `back` is the full URL to come back to. Raises `NotFound` for an unknown provider."""
    _provider(instance, provider)
    plugin, _, provider_id = provider.partition(":")
    hook = specifications.log_out_elsewhere
    answers = instance.hooks.each(hook, {plugin}, instance=instance, provider=provider_id, back=back, language=language)
    for answer in answers:
        if answer.value is None:
            continue
        if _is_of_the_web(answer.value):
            return answer.value
        instance.hooks.blame(hook, plugin, f"{answer.value!r:.200} is not an address of the web")
    return ""


def end_sessions_elsewhere(
    tx: Transaction, provider: str, *, issuer: str, subject: str = "", session: str = "", begun_until: datetime
) -> int:
    """Ends the sessions here that began at a provider until then, because it says that they have ended there. Returns
    how many.

    `subject` is whose they are at the issuer, `session` the provider's own session; with both, only what fits both. Who
    is not connected here has none. A session that began with a password, or later, goes on.
    """
    if not subject and not session:
        return 0
    person_id = owner_of_identity(tx, ProvenIdentity(issuer=issuer, subject=subject)) if subject else None
    if subject and person_id is None:
        return 0
    return end_provider_sessions(
        tx, provider, person_id=person_id, provider_session=session[:_LONGEST_SESSION], begun_until=begun_until
    )


def provider_session(departed: Departed, proven: ProvenIdentity) -> ProviderSession:
    """What a session that begins with this identity keeps of the provider."""
    return ProviderSession(provider=departed.provider, provider_session=proven.session[:_LONGEST_SESSION])


def person_by_identity(
    tx: Transaction, instance: Instance, provider: str, proven: ProvenIdentity, *, language: str
) -> Person | Refused:
    """The person whom this identity logs in. An address that nobody here has may found an account, whose owner it is.

    Returns the error to show if there is none: commit then too, since the trail tells of it.
    """
    owner_id = owner_of_identity(tx, proven)
    if owner_id is not None:
        owner = person_by_id(tx, owner_id)
        if owner.disabled_at is None:
            return owner
        tx.trace("log-in failed", "person", owner_id, provider=provider)
        return Forbidden("locked", "This account is locked. Please ask those who run this site.")
    place = _provider(instance, provider)
    founder = _new_person(proven, language) if place.founds_accounts and proven.verified_email else None
    founded = add_confirmed_person(tx, founder) if founder is not None else None
    if founded is not None:
        link_identity(tx, founded, provider, proven)
        return founded
    tx.trace("log-in failed", "person", provider=provider)
    return _not_connected(place, is_known=founder is not None)


def connect_identity(
    tx: Transaction, instance: Instance, departed: Departed, proven: ProvenIdentity, *, session_hash: str | None
) -> None:
    """Connects the identity with the account of the person who left for it, and tells them by mail.

    `session_hash` is the session with which they come back. Raises `Unauthorised` if it has ended while the provider
    was asked, since a new password shuts out whoever had the account; `Refused` if there is none, or it is another
    person's; `Conflict` if the identity is somebody else's; `Forbidden` while the person's address is not confirmed: a
    stranger may have signed up with it.
    """
    comes_back = lock_session(tx, session_hash) if session_hash is not None else None
    if session_hash is not None and comes_back is None:
        raise Unauthorised
    if comes_back is None or comes_back != departed.person_id:
        raise _too_long()
    owner = person_by_id(tx, comes_back)
    refuse_unconfirmed(owner)
    link_identity(tx, owner, departed.provider, proven)
    tell_linked(tx, owner, _provider(instance, departed.provider).label)


def _too_long() -> Refused:
    return Refused("log_in_again", "This took too long. Please log in again from the start.")


def _is_of_the_web(url: str) -> bool:
    return urlsplit(url).scheme in ("https", "http") and url.isprintable() and len(url) <= _LONGEST_URL


def _provider(instance: Instance, provider: str) -> IdentityProvider:
    providers = identity_providers(instance)
    if provider not in providers:
        raise NotFound
    return providers[provider]


def _attempt(secret: str, provider: str, back: str, language: str) -> LogInAttempt:
    def derived(purpose: str) -> str:
        mac = hmac.digest(secret.encode(), f"{purpose}\n{provider}".encode(), "sha256")
        return base64.urlsafe_b64encode(mac).decode().rstrip("=")

    texts = {purpose: derived(purpose) for purpose in ("state", "nonce", "verifier")}
    return LogInAttempt(provider=provider.partition(":")[2], back=back, language=language, **texts)


def _take(tx: Transaction, provider: str, secret: str) -> Departed | None:
    """Deletes the departure, so that of two answers at once only one counts."""
    row = log_in_departure.c
    statement = delete(log_in_departure).where(row.hash == fingerprint(secret), row.provider == provider)
    left = tx.first(statement.returning(row.person_id, row.next_url, row.expires_at))
    if left is None or left["expires_at"] <= tx.now:
        return None
    return Departed(provider=provider, person_id=left["person_id"], next_url=left["next_url"])


def _new_person(proven: ProvenIdentity, language: str) -> NewPerson | None:
    """The data of an account for a verified address; None if it is malformed. A name that is unfit is replaced."""
    email = read_email(proven.verified_email)
    if isinstance(email, Problem):
        return None
    problems: list[Problem] = []
    name = read_text(proven.name, "/name", problems, least=1, most=200)
    refuse_links(name, "/name", problems)
    return NewPerson(
        email=email, name=email.partition("@")[0] if problems else name, phone="", language=language, password_hash=None
    )


def _not_connected(place: IdentityProvider, *, is_known: bool) -> Refused:
    """Only the owner of an address learns that it has an account here: the provider has verified that it is theirs."""
    if is_known:
        text = (
            "There is an account here with your address already. Log in with its password, or get a new one by mail; "
            "then connect your account at {place} on the page of your account."
        )
        return Refused("identity_of_known_address", text, place=place.label)
    text = (
        "Your account at {place} is not connected with one here. Log in with your password, or sign up; then connect "
        "it on the page of your account."
    )
    return Refused("identity_not_connected", text, place=place.label)
