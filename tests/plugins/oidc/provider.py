"""An OpenID Connect provider on this machine: real HTTP, real keys, the authorization code flow with PKCE by Authlib.

It can lie: tokens are made here, and every claim, header and key can be another one.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from commensal.base.clock import Clock

CLIENT, SECRET = "les paniers", "s3cret & more"
BACK = "http://testserver/login/with/oidc/main/back"
ADA = {"sub": "ada-at-coop", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_LIVES = 300  # seconds that a token is valid


@dataclass
class Client(ClientMixin):  # type: ignore[misc]
    id: str
    back: str

    def get_client_id(self) -> str:
        return self.id

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_client_secret(self, client_secret: str) -> bool:
        return unquote_plus(client_secret) == SECRET  # RFC 6749, section 2.3.1; Authlib takes it as it comes

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.back

    def get_default_redirect_uri(self) -> str:
        return self.back


@dataclass
class Code:
    """A code that was handed out. `user` is who was logged in."""

    values: Mapping[str, str]
    user: Mapping[str, Any]

    @property
    def code_challenge(self) -> str | None:
        return self.values.get("code_challenge")

    @property
    def code_challenge_method(self) -> str | None:
        return self.values.get("code_challenge_method")

    def get_redirect_uri(self) -> str | None:
        return self.values.get("redirect_uri")

    def get_scope(self) -> str | None:
        return self.values.get("scope")


class _Request(OAuth2Request):  # type: ignore[misc]
    def __init__(self, method: str, values: Mapping[str, str], headers: Mapping[str, str]) -> None:
        super().__init__(method, "https://provider.example/", headers=dict(headers))
        self.payload = BasicOAuth2Payload(dict(values))

    @property
    def form(self) -> Mapping[str, str]:
        values: Mapping[str, str] = self.payload.data
        return values

    args = form


@dataclass
class Lies:
    """What the next tokens say instead of the truth."""

    claims: dict[str, Any] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    algorithm: str = "RS256"
    key: Any = None
    issuer: str = ""  # in the parameter `iss` of the answer (RFC 9207)
    user: dict[str, Any] = field(default_factory=dict)  # at the userinfo endpoint


class Provider(AuthorizationServer):  # type: ignore[misc]
    """``with Provider(clock) as provider:``. `user` is who is logged in there; None: who refuses.

    `asked` are the requests that it got, as method and path; `meanwhile` happens before it answers with tokens.
    """

    def __init__(self, clock: Clock, back: str = BACK) -> None:
        super().__init__()
        self.back = back
        self.clock, self.lies, self.user = clock, Lies(), dict[str, Any](ADA)
        self.denies, self.down, self.says_all_in_token = False, False, True
        self.configured: dict[str, Any] = {}  # replaces parts of the configuration
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Mapping[str, Any]] = {}
        self.asked: list[tuple[str, str]] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.key: RSAKey | ECKey = _usual_key()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.register_grant(_grant(self), [CodeChallenge(required=True)])
        self.register_token_generator("default", BearerTokenGenerator(_new_token))

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/user",
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.configured,
        }

    def go_on(self, url: str) -> str:
        """Returns where the provider sends a browser that comes with this URL."""
        assert url.startswith(f"{self.issuer}/authorize?"), url
        request = _Request("GET", dict(parse_qsl(urlsplit(url).query)), {})
        assert request.payload.data["code_challenge_method"] == "S256"
        user = None if self.denies else self.user
        grant = self.get_consent_grant(request, user)
        _, _, headers = self.create_authorization_response(request, grant_user=user, grant=grant)
        location = dict(headers)["Location"]
        return f"{location}&{urlencode({'iss': self.lies.issuer or self.issuer})}"

    def id_token(self, code: Code, client: str) -> str:
        now = int(self.clock.now().timestamp())
        user = code.user if self.says_all_in_token else {"sub": code.user["sub"]}
        nonce = {"nonce": code.values["nonce"]} if "nonce" in code.values else {}
        truth = {"iss": self.issuer, "aud": client, "iat": now, "exp": now + _LIVES, **nonce, **user}
        claims = {name: value for name, value in (truth | self.lies.claims).items() if name not in self.lies.without}
        header = {"alg": self.lies.algorithm, "kid": "key-1"}
        if self.lies.algorithm == "none":
            return ".".join((_part(header), _part(claims), ""))
        if self.lies.algorithm == "HS256":  # with the public key, as if it were a shared secret (CVE-2015-9235)
            signed = f"{_part(header)}.{_part(claims)}"
            return f"{signed}.{_text(hmac.digest(self.key.as_pem(private=False), signed.encode(), 'sha256'))}"
        return jwt.encode(header, claims, self.lies.key or self.key, algorithms=[self.lies.algorithm])

    def logout_token(self, **claims: Any) -> str:
        """A logout token for Ada, with other claims, or without those that are None."""
        now = int(self.clock.now().timestamp())
        truth = {
            "iss": self.issuer,
            "aud": CLIENT,
            "iat": now,
            "exp": now + _LIVES,
            "jti": secrets.token_urlsafe(),
            "sub": ADA["sub"],
            "events": {LOGOUT: {}},
        }
        payload = {name: value for name, value in (truth | claims).items() if value is not None}
        header = {"alg": "RS256", "kid": "key-1", "typ": "logout+jwt"}
        return jwt.encode(header, payload, self.lies.key or self.key, algorithms=["RS256"])

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        self.asked.append((method, path))
        if self.down:
            return 503, {}
        if path == "/.well-known/openid-configuration":
            return 200, self.configuration
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if (method, path) == ("POST", "/token"):
            self.meanwhile()
            status, tokens, _ = self.create_token_response(("POST", dict(parse_qsl(body.decode())), headers))
            return status, tokens
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        if path == "/user" and token in self.tokens:
            return 200, {**self.tokens[token], **self.lies.user}
        return 404, {}

    # ------------------------------------------------------------------------------------------ what Authlib asks for

    def query_client(self, client_id: str) -> Client | None:
        return Client(client_id, self.back) if unquote_plus(client_id) == CLIENT else None

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        self.tokens[token["access_token"]] = request.user

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Signals have no receivers."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        return request if isinstance(request, _Request) else _Request(*request)

    def handle_response(self, status: int, body: Any, headers: Any) -> tuple[int, Any, Any]:
        return status, body, headers


def _grant(provider: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]
        TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")

        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            provider.codes[code] = Code(request.payload.data, request.user)

        def query_authorization_code(self, code: str, client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            provider.codes = {code: kept for code, kept in provider.codes.items() if kept is not authorization_code}

        def authenticate_user(self, authorization_code: Code) -> Mapping[str, Any]:
            return authorization_code.user

        def create_token_response(self) -> tuple[int, Any, Any]:
            code = self.request.authorization_code
            status, tokens, headers = super().create_token_response()
            return status, {**tokens, "id_token": provider.id_token(code, CLIENT)}, headers

    return Grant


@cache
def _usual_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "key-1", "use": "sig"})


def _new_token(**_: object) -> str:
    return secrets.token_urlsafe()


def _part(document: Mapping[str, Any]) -> str:
    return _text(json.dumps(document).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize?"):
                self._send_back()
            else:
                self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _send_back(self) -> None:
            try:
                location = provider.go_on(f"{provider.issuer}{self.path}")
            except OAuth2Error as error:
                self.send_error(400, str(error))
                return
            self.send_response(302)
            self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _answer(self, body: bytes) -> None:
            headers = {name.title(): value for name, value in self.headers.items()}
            status, document = provider.answer(self.command, self.path, headers, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler
