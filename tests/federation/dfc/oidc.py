"""An OpenID Connect server for tests: real keys, real HTTP on this machine, tokens made by Authlib."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import httpx
from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey

from commensal.base.clock import Clock

SECRET = "of-a-platform"
_LIVES = 300  # seconds that a token is valid


@dataclass
class Client(ClientMixin):  # type: ignore[misc]
    id: str

    def get_client_id(self) -> str:
        return self.id

    def get_allowed_scope(self, scope: str) -> str:
        return scope or ""

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


class Oidc(AuthorizationServer):  # type: ignore[misc]
    """``with Oidc(clock, audience) as oidc: oidc.token("ofn")``. `asked` counts how often its keys were fetched."""

    def __init__(self, clock: Clock, audience: str) -> None:
        super().__init__()
        self.clock, self.audience, self.asked, self.down = clock, audience, 0, False
        self.keys: list[Any] = []
        self.rotate()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.register_grant(ClientCredentialsGrant)

    def rotate(self, kind: str = "RSA") -> None:
        """Signs new tokens with a new key, and no longer publishes the old one."""
        options: KeyParameters = {"kid": f"key-{len(self.keys) + 1}", "use": "sig"}
        new_key = RSAKey.generate_key(2048, options) if kind == "RSA" else ECKey.generate_key("P-256", options)
        self.keys.append(new_key)

    def token(self, client: str, **claims: Any) -> str:
        """Returns the token that a platform gets from the token endpoint over HTTP. `claims` replace claims in it."""
        self.claims = claims
        answer = httpx.post(
            f"{self.issuer}/token", auth=(client, SECRET), data={"grant_type": "client_credentials"}, trust_env=False
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def document(self, path: str) -> dict[str, Any] | None:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys", "token_endpoint": f"{self.issuer}/token"}
        if path != "/keys" or self.down:
            return None
        self.asked += 1
        return {"keys": [self.keys[-1].as_dict(private=False)]}

    # ------------------------------------------------------------------------------------------ what Authlib asks for

    def query_client(self, client_id: str) -> Client:
        return Client(client_id)

    def save_token(self, token: object, request: object) -> None:
        """Tokens are not stored: no request asks for one again."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Signals have no receivers."""

    def create_oauth2_request(self, request: tuple[Mapping[str, str], bytes]) -> OAuth2Request:
        headers, body = request
        oauth2_request = OAuth2Request("POST", "https://oidc.example/token", headers=dict(headers))
        oauth2_request.payload = BasicOAuth2Payload(dict(parse_qsl(body.decode())))
        return oauth2_request

    def handle_response(self, status: int, body: Any, headers: object) -> tuple[int, Any]:
        return status, body

    def give_token(self, headers: Mapping[str, str], body: bytes) -> tuple[int, Any]:
        self.register_token_generator("default", _Generator(self))
        response: tuple[int, Any] = self.create_token_response((headers, body))
        return response

    def __enter__(self) -> Oidc:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Generator(JWTBearerTokenGenerator):  # type: ignore[misc]
    def __init__(self, oidc: Oidc) -> None:
        self._oidc = oidc
        super().__init__(oidc.issuer, alg="RS256" if isinstance(oidc.keys[-1], RSAKey) else "ES256")

    def get_jwks(self) -> Any:
        return KeySet([self._oidc.keys[-1]])

    def get_audiences(self, client: Client, user: object, scope: str) -> list[str]:
        return [self._oidc.audience, "account"]

    def get_extra_claims(self, client: Client, grant_type: str, user: object, scope: str) -> dict[str, Any]:
        now = int(self._oidc.clock.now().timestamp())
        return {"iat": now, "exp": now + _LIVES, **self._oidc.claims}


def _handler(oidc: Oidc) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = oidc.document(self.path)
            self._answer(200 if document else 503, document or {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(*oidc.give_token({name.title(): value for name, value in self.headers.items()}, body))

        def _answer(self, status: int, document: Any) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler
