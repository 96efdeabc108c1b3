"""What `commensal check` tells the operator about the provider."""

from __future__ import annotations

from collections.abc import Sequence

from commensal import Instance, Problem, hookimpl, issuer_configuration

from .settings import InstanceSettings

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
