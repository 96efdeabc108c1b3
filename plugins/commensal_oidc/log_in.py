"""The authorization code flow: sends the browser away with a challenge, and exchanges the code that it brings back."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs

import httpx
import structlog

from commensal import (
    Call,
    Endpoint,
    IdentityProvider,
    Instance,
    Invalid,
    LogInAttempt,
    Problem,
    ProvenIdentity,
    Refused,
    Routes,
    end_sessions_elsewhere,
    hookimpl,
    http_client,
    issuer_configuration,
)

from .provider import (
    EndedSession,
    InstanceSettings,
    NoAnswer,
    NotProven,
    ask_for_tokens,
    ask_for_user,
    ended_session,
    verified_claims,
)

ID = "main"
_SECONDS, _SIZE = 4.0, 128 * 1024  # of each answer
_log = structlog.get_logger("commensal.oidc")


@hookimpl
def identity_providers(instance_settings: InstanceSettings) -> Sequence[IdentityProvider]:
    if not instance_settings.issuer:
        return []
    founds = instance_settings.new_accounts
    return [IdentityProvider(id=ID, label=instance_settings.place, founds_accounts=founds)]


@hookimpl
def start_log_in(instance: Instance, attempt: LogInAttempt, instance_settings: InstanceSettings) -> str:
    configuration = _configuration(instance, instance_settings)
    challenge = base64.urlsafe_b64encode(sha256(attempt.verifier.encode()).digest()).decode().rstrip("=")
    request = {
        "response_type": "code",
        "client_id": instance_settings.client_id,
        "redirect_uri": attempt.back,
        "scope": "openid email profile",
        "state": attempt.state,
        "nonce": attempt.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
        "ui_locales": attempt.language,
    }
    try:
        return str(httpx.URL(str(configuration.get("authorization_endpoint", ""))).copy_merge_params(request))
    except httpx.InvalidURL:
        raise _unavailable(instance_settings, "its authorization_endpoint is not an address") from None


@hookimpl
def prove_identity(
    instance: Instance, attempt: LogInAttempt, answer: Mapping[str, str], instance_settings: InstanceSettings
) -> ProvenIdentity:
    configuration = _configuration(instance, instance_settings)
    try:
        _refuse_other_issuer(configuration, answer, instance_settings.issuer)
        if "error" in answer or not answer.get("code"):
            raise NotProven(f"it answered {answer.get('error', 'without a code')!r:.100}")
        with http_client(instance, seconds=_SECONDS, size=_SIZE) as client:
            tokens = ask_for_tokens(client, configuration, instance_settings, attempt, answer["code"])
            claims = verified_claims(instance, instance_settings, str(tokens.get("id_token", "")), attempt.nonce)
            if "email" not in claims:
                claims = {**ask_for_user(client, configuration, tokens, str(claims["sub"])), **claims}
    except NoAnswer as error:
        raise _unavailable(instance_settings, str(error)) from error
    except NotProven as error:
        _log.warning("a log-in was not proven", issuer=instance_settings.issuer, why=str(error))
        text = "{place} has not told us who you are. Please try again, or log in with your password."
        raise Refused("not_proven", text, place=instance_settings.place) from error
    return _identity(claims, instance_settings)


@hookimpl
def log_out_elsewhere(
    instance: Instance, provider: str, back: str, language: str, instance_settings: InstanceSettings
) -> str | None:
    """The address for OpenID Connect RP-Initiated Logout 1.0. No token goes with it, so that none is kept: the provider
    asks whether that is wanted."""
    address = str(issuer_configuration(instance, instance_settings.issuer).get("end_session_endpoint") or "")
    if not address.startswith(f"{instance_settings.issuer.partition(':')[0]}://"):
        return None
    request = {"client_id": instance_settings.client_id, "post_logout_redirect_uri": back, "ui_locales": language}
    try:
        return str(httpx.URL(address).copy_merge_params(request))
    except httpx.InvalidURL:
        return None


def _configuration(instance: Instance, settings: InstanceSettings) -> Mapping[str, object]:
    configuration = issuer_configuration(instance, settings.issuer)
    if not configuration:
        raise _unavailable(settings, "its configuration cannot be read")
    return configuration


def _refuse_other_issuer(configuration: Mapping[str, object], answer: Mapping[str, str], issuer: str) -> None:
    """Raises `NotProven` for the answer of another issuer (RFC 9207): a code must not be carried from one to the
    other."""
    is_named = "iss" in answer or configuration.get("authorization_response_iss_parameter_supported") is True
    if is_named and answer.get("iss") != issuer:
        raise NotProven("the answer is of another issuer")


def _identity(claims: Mapping[str, object], settings: InstanceSettings) -> ProvenIdentity:
    email = str(claims.get("email") or "")
    domains = settings.email_domains
    is_ours = not domains or email.rpartition("@")[2].lower() in domains
    is_verified = claims.get("email_verified") is True and is_ours
    name = str(claims.get("name") or "")
    return ProvenIdentity(
        issuer=settings.issuer,
        subject=str(claims["sub"]),
        verified_email=email if is_verified else "",
        name=name,
        label=(email or name or str(claims.get("preferred_username") or ""))[:200],
        session=str(claims.get("sid") or ""),
    )


def _unavailable(settings: InstanceSettings, why: str) -> Refused:
    _log.warning("a provider of log-ins does not answer", issuer=settings.issuer, why=why)
    text = "{place} does not answer at the moment. Please log in with your password, or try again in a minute."
    return Refused("provider_unavailable", text, place=settings.place)


# Back-channel logout: the provider says that somebody has logged out there, and their sessions here end.
#
# No token is remembered. One that is repeated ends nothing more, since a token ends only what began before it was
# made; and it is believed for ten minutes.

_CLOCKS = timedelta(minutes=1)  # that the provider's and ours may differ
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
