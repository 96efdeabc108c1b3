"""The operator's settings: which provider, and as which client of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from commensal import Secret, Unfit

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
