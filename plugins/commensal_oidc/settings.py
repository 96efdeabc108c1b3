"""The operator's settings: which provider, and as which client of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from commensal import Instance, Problem, Secret, Unfit, hookimpl, issuer_configuration

_LONGEST = 500  # characters


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
        if max(map(len, (self.issuer, self.client_id, self.client_secret.reveal()))) > _LONGEST:
            raise Unfit("issuer, client_id, client_secret: at most {most} characters", most=_LONGEST)
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
