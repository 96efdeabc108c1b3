"""What this site itself asks the provider: tokens for a code, and who the user is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote_plus

import httpx
import msgspec

from commensal import LogInAttempt

from .settings import InstanceSettings
from .tokens import NotProven

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
