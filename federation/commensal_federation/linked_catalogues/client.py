"""The client for platforms that speak DFC: it reads catalogues and sends orders.

Requests use the guarded outbound client, go to the link's own origin only, and follow no redirect, because they carry a
token. When an OIDC token is refused, a new one is fetched once.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from commensal import Instance

from ..delivery.outbox.breaker import retry_after
from ..dfc.detection import accept_header, dialect_of_answer
from ..dfc.findings import UnreadableDocument
from ..dfc.read import LARGEST, DfcDocument, parse, read
from ..runtime import Federation
from ..signing import JsonObject
from ..transport import Answer, Request, Unreachable
from .values import Access, NotAnswered, origin_of

# Access tokens of OIDC issuers for this instance as a client, cached in memory until shortly before they expire.
#
# OAuth 2.0 client credentials (RFC 6749, section 4.4), by ``client_secret_basic``; the token endpoint comes from the
# issuer's ``/.well-known/openid-configuration``.

_SECONDS, _SIZE = 10.0, 256 * 1024
_MARGIN = timedelta(seconds=30)  # tokens are replaced so long before they expire
_DEFAULT_LIFETIME = 300  # seconds, if the issuer names no lifetime
_LONGEST_LIFETIME = 86_400


@dataclass
class _TokenCache:
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: dict[tuple[str, str, str], tuple[str, datetime]] = field(default_factory=dict)


def access_token(federation: Federation, access: Access, *, anew: bool = False) -> str:
    """Returns a valid token; with `anew` a new one, because the last was refused. Raises `NotAnswered`."""
    cache, key = _cache_of(federation), (access.issuer, access.client_id, access.secret.reveal())
    now = federation.instance.clock.now()
    with cache.lock:
        token, until = cache.tokens.get(key, ("", now))
        if anew or until <= now:
            token, until = _fetch(federation, access, now)
            cache.tokens[key] = token, until
        return token


def _fetch(federation: Federation, access: Access, now: datetime) -> tuple[str, datetime]:
    endpoint = _token_endpoint(federation, access.issuer)
    pair = f"{quote(access.client_id, safe='')}:{quote(access.secret.reveal(), safe='')}"  # RFC 6749, section 2.3.1
    headers = [
        ("accept", "application/json"),
        ("authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"),
        ("content-type", "application/x-www-form-urlencoded"),
    ]
    body = urlencode({"grant_type": "client_credentials"}).encode()
    response = _json(federation, access.issuer, Request("POST", endpoint, headers, body))
    token = response.get("access_token")
    if not isinstance(token, str) or not token or str(response.get("token_type", "")).lower() != "bearer":
        raise _no_token(access.issuer, "it answers without a bearer token")
    expires_in = response.get("expires_in")
    seconds = (
        min(expires_in, _LONGEST_LIFETIME) if isinstance(expires_in, int) and expires_in > 0 else _DEFAULT_LIFETIME
    )
    return token, now + timedelta(seconds=seconds) - _MARGIN


def _token_endpoint(federation: Federation, issuer: str) -> str:
    url = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    configuration = _json(federation, issuer, Request("GET", url, [("accept", "application/json")]))
    if configuration.get("issuer") != issuer:  # OpenID Connect Discovery 1.0, section 4.3
        raise _no_token(issuer, "its configuration is of another issuer")
    return str(configuration.get("token_endpoint", ""))


def _json(federation: Federation, issuer: str, request: Request) -> dict[str, object]:
    try:
        answer = federation.transport.send(request, seconds=_SECONDS, size=_SIZE)
    except Unreachable as error:
        raise _no_token(issuer, str(error), again=True) from error
    if answer.status != 200:
        raise _no_token(issuer, f"it answers {answer.status}", again=answer.status >= 500)
    try:
        return msgspec.json.decode(answer.body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _no_token(issuer, "its answer is not JSON") from error


def _no_token(issuer: str, reason: str, *, again: bool = False) -> NotAnswered:
    return NotAnswered("no_token", "{url} gives no token: {reason}", url=issuer, reason=reason, again=again)


def _cache_of(federation: Federation) -> _TokenCache:
    return federation.instance.state.of(_new_cache)


def _new_cache(instance: Instance) -> _TokenCache:
    return _TokenCache()


SECONDS = 30.0  # for one answer: deployed platforms take up to six
_CONTENT = {"1.16": "application/ld+json", "2.0": 'application/ld+json; profile="dfc-v2"'}
_LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True)
class DfcAnswer:
    """The answer of a platform. `unchanged`: nothing is newer than the given tag, and there is no body.

    links: the header `Link`, unparsed
    """

    url: str
    status: int
    body: bytes = b""
    etag: str = ""
    location: str = ""
    links: str = ""
    content_type: str = ""

    @property
    def unchanged(self) -> bool:
        return self.status == 304


class DfcClient:
    """``DfcClient(federation, access).get(url)``; not for use in a transaction. All methods raise `NotAnswered`."""

    def __init__(self, federation: Federation, access: Access, *, seconds: float = SECONDS) -> None:
        self._federation, self.access, self._seconds = federation, access, seconds

    def get(self, url: str, *, etag: str = "") -> DfcAnswer:
        """Gets the document at `url`; `etag` is the tag of the stored version."""
        return self._exchange("GET", url, [("if-none-match", etag)] if etag else [], b"")

    def send(self, method: str, url: str, document: JsonObject, *, key: str = "") -> DfcAnswer:
        """Posts or puts a document. `key` is sent as `Idempotency-Key`, the same for each attempt."""
        headers = [("content-type", _CONTENT[self.access.version])]
        if key:
            headers.append(("idempotency-key", key))
        return self._exchange(method, url, headers, msgspec.json.encode(document))

    def document(self, answer: DfcAnswer) -> DfcDocument:
        """Returns the values in an answer; things of other hosts are among its findings as wrong. An answer without a
        body has nothing."""
        try:
            return read(self.parsed(answer), host=self.access.host)
        except UnreadableDocument as error:
            text = "The answer of {url} is not read: {reason}"
            raise NotAnswered("no_dfc", text, url=answer.url, reason=error.text, answered=answer.status) from error

    def parsed(self, answer: DfcAnswer) -> Any:
        """Returns an answer, in whichever dialect, as plain JSON-LD objects."""
        if not answer.body.strip():
            return []
        dialect = dialect_of_answer(self._federation.instance, answer.content_type)
        try:
            if dialect is None or dialect.read is None:
                return parse(answer.body)
            return dialect.read(answer.body)
        except (UnreadableDocument, ValueError) as error:
            text = "The answer of {url} is not read: {reason}"
            reason = str(error)[:_LONGEST_REASON]
            raise NotAnswered("no_dfc", text, url=answer.url, reason=reason, answered=answer.status) from error

    def _exchange(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> DfcAnswer:
        if origin_of(url) != self.access.origin:
            text = "{url} is of another platform than {origin}, which may not send us there."
            raise NotAnswered("other_origin", text, url=url[:200], origin=self.access.origin)
        answer = self._request(method, url, headers, body, anew=False)
        if answer.status == 401 and self.access.auth == "oidc":
            answer = self._request(method, url, headers, body, anew=True)
        if answer.status != 304 and not 200 <= answer.status < 300:
            raise self._refusal(url, answer)
        return DfcAnswer(
            url=url,
            status=answer.status,
            body=answer.body,
            etag=answer.header("etag")[:200],
            location=answer.header("location")[:2000],
            links=answer.header("link")[:4000],
            content_type=answer.header("content-type")[:200],
        )

    def _request(self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes, *, anew: bool) -> Answer:
        request_headers = [
            ("accept", accept_header(self._federation.instance, self.access.version)),
            *self._credentials(anew),
            *headers,
        ]
        try:
            return self._federation.transport.send(
                Request(method, url, request_headers, body), seconds=self._seconds, size=LARGEST
            )
        except Unreachable as error:
            text = "{url} cannot be reached: {reason}"
            reason = str(error)[:_LONGEST_REASON]
            raise NotAnswered("unreachable", text, url=url, reason=reason, again=True) from error

    def _credentials(self, anew: bool) -> list[tuple[str, str]]:
        if self.access.auth == "none":
            return []
        if self.access.auth == "api_key":
            return [("x-api-token", self.access.secret.reveal())]
        if self.access.auth == "token":
            return [("authorization", f"Bearer {self.access.secret.reveal()}")]
        return [("authorization", f"Bearer {access_token(self._federation, self.access, anew=anew)}")]

    def _refusal(self, url: str, answer: Answer) -> NotAnswered:
        status = answer.status
        if status in (401, 403):
            text = "{url} does not let us in ({status}): the token is wrong, or what it stands for was not granted."
            return NotAnswered("not_let_in", text, url=url, status=status, answered=status)
        if status in (404, 410):
            text = "There is nothing at {url} ({status})."
            return NotAnswered("nothing_there", text, url=url, status=status, answered=status)
        if 300 <= status < 400:
            text = "{url} sends us elsewhere ({status}), which is not followed: name the address that is meant."
            return NotAnswered("redirect", text, url=url, status=status, answered=status)
        earliest = retry_after(answer.header("retry-after"), self._federation.instance.clock.now())
        again = status in (408, 425, 429) or status >= 500
        problem, detail = _problem(answer)
        text = "{url} answered {status}: {said}" if detail else "{url} answered {status}."
        return NotAnswered(
            "status",
            text,
            url=url,
            status=status,
            said=detail,
            answered=status,
            problem=problem,
            again=again,
            earliest=earliest,
        )


class _Problem(msgspec.Struct):
    """Problem details (RFC 9457), with the code that instances of this software add."""

    title: str = ""
    code: str = ""


_read_problem = msgspec.json.Decoder(_Problem).decode


def _problem(answer: Answer) -> tuple[str, str]:
    """Returns the code and the title of a refusal in problem details (RFC 9457); empty for other answers."""
    if not answer.header("content-type").startswith("application/problem+json"):
        return "", ""
    try:
        details = _read_problem(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    printable = "".join(character for character in details.title if character.isprintable())
    return details.code[:100], printable[:_LONGEST_REASON]
