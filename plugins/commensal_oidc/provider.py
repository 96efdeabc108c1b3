"""The provider by which people log in: the operator's settings, what is asked of it, and the tokens that it signs.

An ID token is checked as OpenID Connect Core 1.0, section 3.1.3.7, says, and a logout token as Back-Channel Logout 1.0,
section 2.6.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, urlsplit

import httpx
import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwt import ClaimsOption

from commensal import Instance, LogInAttempt, Problem, Secret, Unfit, hookimpl, issuer_configuration, issuer_key

# The operator's settings: which provider, and as which client of it.

_LONGEST_SETTING = 500  # characters


@dataclass(frozen=True)
class InstanceSettings:
    issuer: str = ""
    """The provider's address, exactly as its ``/.well-known/openid-configuration`` says it. Empty: nobody logs in with
    it."""
    client_id: str = ""
    """The name of this site at the provider."""
    client_secret: Secret = field(default_factory=Secret)
    """The secret that the provider has given to this site; empty for a public client. Better in a file:
    `client_secret_file`."""
    label: str = ""
    """What the button calls the provider, such as "Coop de la Loire"; empty: the host of the issuer."""
    new_accounts: bool = True
    """Whether people get a new account here when they log in for the first time, with an address that the provider has
    verified and that nobody here has. Otherwise they sign up first, and connect their account."""
    email_domains: tuple[str, ...] = ()
    """If given, only addresses of these domains get new accounts: those whose mailboxes the co-operative runs."""

    def __post_init__(self) -> None:
        if bool(self.issuer) != bool(self.client_id):
            raise Unfit("issuer, client_id: one needs the other")
        if self.issuer and not _is_base(self.issuer):
            raise Unfit("issuer: {issuer!r} must be an address like https://id.example.org", issuer=self.issuer)
        if max(map(len, (self.issuer, self.client_id, self.client_secret.reveal()))) > _LONGEST_SETTING:
            raise Unfit("issuer, client_id, client_secret: at most {most} characters", most=_LONGEST_SETTING)
        if len(self.label) > 60 or not self.label.isprintable():
            raise Unfit("label: at most 60 characters, on one line")
        if any(domain != domain.lower() or "@" in domain or "." not in domain for domain in self.email_domains):
            raise Unfit("email_domains: what follows the @ in small letters, such as example.org")

    @property
    def place(self) -> str:
        """The provider's name."""
        return self.label or urlsplit(self.issuer).netloc


def _is_base(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("https", "http") and bool(parts.netloc) and not parts.query and not parts.fragment


# What `commensal check` tells the operator about the provider.

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@hookimpl
def warnings(instance: Instance, instance_settings: InstanceSettings) -> Sequence[Problem]:
    """Asks the provider for its configuration, and says what is missing there."""
    if not instance_settings.issuer:
        return []
    issuer = instance_settings.issuer
    configuration = issuer_configuration(instance, issuer)
    if not configuration:
        text = (
            "Nobody can log in with {issuer}: {issuer}/.well-known/openid-configuration does not answer, names another "
            "issuer, or its keys cannot be read. Compare the setting `issuer` with what stands there."
        )
        return [Problem("oidc_issuer", text, values={"issuer": issuer.rstrip("/")})]
    scheme = issuer.partition(":")[0]
    lacking = [name for name in _ENDPOINTS if not str(configuration.get(name, "")).startswith(f"{scheme}://")]
    if lacking:
        text = "Nobody can log in with {issuer}: its configuration has no {names} that begins with {scheme}."
        return [
            Problem("oidc_endpoints", text, values={"issuer": issuer, "names": ", ".join(lacking), "scheme": scheme})
        ]
    methods = configuration.get("code_challenge_methods_supported", ["S256"])
    if isinstance(methods, list) and "S256" not in methods:
        text = "{issuer} does not say that it knows PKCE with S256 (RFC 7636); logging in with it may fail."
        return [Problem("oidc_pkce", text, values={"issuer": issuer})]
    return []


_LONGEST_TOKEN = 16_000  # characters
_LEEWAY = 60  # seconds that clocks may differ
_OLDEST = 600  # seconds since the token was made
_ALGORITHMS = ["RS256", "ES256"]
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass(frozen=True, kw_only=True)
class EndedSession:
    """A session at the provider that has ended: whose, or which, or both; "": not said. `at` is in UTC."""

    subject: str
    session: str
    at: datetime


class NotProven(Exception):
    """The answer does not prove who somebody is. The text is for the operator's log."""


def verified_claims(instance: Instance, settings: InstanceSettings, token: str, nonce: str) -> Mapping[str, object]:
    """The claims of a token that the issuer has signed for this client and for this attempt. Raises `NotProven`."""
    claims = _signed_claims(instance, settings, token, _claim_rules(instance, settings, "nonce", "sub"))
    audience = claims["aud"]
    is_only_for_us = audience in (settings.client_id, [settings.client_id])
    if claims.get("azp", settings.client_id if is_only_for_us else "") != settings.client_id:
        raise NotProven("its token was made for another client")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise NotProven("its token was made for another attempt")
    return claims


def ended_session(instance: Instance, settings: InstanceSettings, token: str) -> EndedSession:
    """What a logout token says that has ended, if the issuer has signed it for this client lately, and it is one
    (OpenID Connect Back-Channel Logout 1.0, section 2.6): an ID token is none. Raises `NotProven`."""
    claims = _signed_claims(instance, settings, token, _claim_rules(instance, settings, "jti", "events"))
    events = claims["events"]
    if "nonce" in claims or not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict):
        raise NotProven("its token is not a logout token")
    subject, session = (claims.get(name, "") for name in ("sub", "sid"))
    if not (isinstance(subject, str) and isinstance(session, str) and (subject or session)):
        raise NotProven("its logout token names neither a user nor a session")
    return EndedSession(subject=subject, session=session, at=datetime.fromtimestamp(claims["iat"], UTC))


def _signed_claims(
    instance: Instance, settings: InstanceSettings, token: str, rules: jwt.JWTClaimsRegistry
) -> Mapping[str, Any]:
    if len(token) > _LONGEST_TOKEN:
        raise NotProven("its token is too long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header.get("alg") not in _ALGORITHMS:
            raise NotProven(f"its token is signed by {header.get('alg')!r:.20}, not by {' or '.join(_ALGORITHMS)}")
        key = issuer_key(instance, settings.issuer, str(header.get("kid", "")))
        if key is None:
            raise NotProven("no key of the issuer has signed its token")
        claims = jwt.decode(token, key, algorithms=_ALGORITHMS).claims
        rules.validate(claims)
    except (JoseError, ValueError, TypeError) as error:
        raise NotProven(f"{type(error).__name__}: {error}") from error
    return claims


def _claim_rules(instance: Instance, settings: InstanceSettings, *essential: str) -> jwt.JWTClaimsRegistry:
    now = int(instance.clock.now().timestamp())
    return _Rules(
        now=now,
        leeway=_LEEWAY,
        iss={"essential": True, "value": settings.issuer},
        aud={"essential": True, "value": settings.client_id},
        exp={"essential": True},
        iat={"essential": True},
        **{name: ClaimsOption(essential=True) for name in essential},
    )


class _Rules(jwt.JWTClaimsRegistry):
    def validate_iat(self, value: object) -> None:
        super().validate_iat(value)
        if not isinstance(value, int | float) or value < self.now - _OLDEST - _LEEWAY:
            raise ValueError("iat: this is an old token")


# What this site itself asks the provider: tokens for a code, and who the user is.

_BASIC, _POST = "client_secret_basic", "client_secret_post"


class NoAnswer(Exception):
    """The provider does not answer, or not as OpenID Connect says."""


def ask_for_tokens(
    client: httpx.Client,
    configuration: Mapping[str, object],
    settings: InstanceSettings,
    attempt: LogInAttempt,
    code: str,
) -> Mapping[str, object]:
    """Exchanges the code for tokens (RFC 6749, section 4.1.3). Raises `NotProven` if it is refused, `NoAnswer`."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": attempt.back,
        "code_verifier": attempt.verifier,
        "client_id": settings.client_id,
    }
    url, secret = str(configuration.get("token_endpoint", "")), settings.client_secret.reveal()
    if secret and _uses_basic(configuration):
        auth = httpx.BasicAuth(quote_plus(settings.client_id), quote_plus(secret))  # RFC 6749, section 2.3.1
        return _answer(lambda: client.post(url, data=form, auth=auth))
    if secret:
        form["client_secret"] = secret
    return _answer(lambda: client.post(url, data=form))


def ask_for_user(
    client: httpx.Client, configuration: Mapping[str, object], tokens: Mapping[str, object], subject: str
) -> Mapping[str, object]:
    """What the provider says of the user beside the token (OpenID Connect Core 1.0, section 5.3); empty if it says
    nothing. Raises `NotProven` if it speaks of somebody else, `NoAnswer`."""
    url, token = str(configuration.get("userinfo_endpoint") or ""), str(tokens.get("access_token") or "")
    if not url or not token:
        return {}
    user = _answer(lambda: client.get(url, headers={"Authorization": f"Bearer {token}"}))
    if user.get("sub") != subject:
        raise NotProven("its userinfo_endpoint speaks of somebody else")
    return user


def _uses_basic(configuration: Mapping[str, object]) -> bool:
    methods = configuration.get("token_endpoint_auth_methods_supported")
    return not isinstance(methods, list) or _BASIC in methods or _POST not in methods


def _answer(ask: Callable[[], httpx.Response]) -> Mapping[str, object]:
    try:
        answer = ask()
        if answer.status_code in (400, 401, 403):
            raise NotProven(f"it refused with {answer.status_code}: {answer.text:.200}")
        answer.raise_for_status()
        return msgspec.json.decode(answer.content, type=dict[str, object])
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
