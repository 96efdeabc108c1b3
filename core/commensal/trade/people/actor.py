"""Who asks: nobody, a person with a session, a token that acts for them with fewer rights, or a program of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Actor:
    """`token_scopes` and `token_enterprise` narrow what a token may do; None means that the person's rights decide.

    `client` is a program of others by the name under which a plugin recognised it; it holds no scope of the core. Who
    `lacks_second_factor` on an instance that wants one of who has rights cannot use theirs before it is set up.
    """

    person_id: str | None = None
    email: str = ""
    language: str = ""
    is_operator: bool = False
    confirmed: bool = False
    session_hash: str | None = None
    seen_at: datetime | None = field(default=None, compare=False)  # of the session, as it was last written down
    token_id: str | None = None
    token_scopes: frozenset[str] | None = None
    token_enterprise: str | None = None
    client: str = ""
    lacks_second_factor: bool = False
    address: str = field(default="", compare=False)  # the client's, for rate limits
    browser: str = field(default="", compare=False, repr=False)  # the secret of its cookie, see `browsers.py`

    @property
    def key(self) -> str:
        """Names the actor in idempotency and rate tables."""
        if self.token_id:
            return f"token:{self.token_id}"
        if self.client:
            return f"client:{self.client}"
        return f"person:{self.person_id}" if self.person_id else f"address:{self.address}"


NOBODY = Actor()
