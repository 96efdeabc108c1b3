"""OpenID Connect: people log in with the accounts that their co-operative has already.

Any provider will do: Keycloak, Authentik, Zitadel, Nextcloud. The operator registers this site there, as
a client with the authorization code flow and the address ``<address of this site>/login/with/oidc/main/back``, and
writes issuer, client and secret into ``[plugins.oidc]`` of instance.toml. ``commensal check`` tries them. Without an
issuer nobody sees anything of it.

Nothing is taken from the browser on trust: the code is exchanged by this site itself, with PKCE (RFC 7636), and the
token must be signed by a key of the issuer, for this client, and for this one attempt (OpenID Connect Core 1.0).
"""

from __future__ import annotations

from commensal import hookimpl

from .log_in import endpoints, identity_providers, log_out_elsewhere, prove_identity, start_log_in
from .provider import InstanceSettings, warnings

__all__ = [
    "endpoints",
    "identity_providers",
    "instance_settings",
    "log_out_elsewhere",
    "prove_identity",
    "start_log_in",
    "warnings",
]


@hookimpl
def instance_settings() -> type:
    return InstanceSettings
