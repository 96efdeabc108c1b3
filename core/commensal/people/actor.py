"""The sender of a request: nobody, a person with a session, a token with a part of their rights, or another program."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Actor:
    """`token_scopes` and `token_enterprise` narrow the rights of a token; None means that the person's rights apply.

    `client` is the name of another program as a plugin authenticated it; it holds no scope of the core.
    `lacks_second_factor` is true on an instance that requires one from members; it blocks all rights at enterprises.
    `seen_at` (UTC) is when the session was last seen, as far as that is written down, `address` the network address of
    the client, for rate limits, and `browser` the secret of the visitor's cookie, as in `sessions.py`.
    """

    person_id: str | None = None
    email: str = ""
    language: str = ""
    is_operator: bool = False
    confirmed: bool = False
    session_hash: str | None = None
    seen_at: datetime | None = field(default=None, compare=False)
    token_id: str | None = None
    token_scopes: frozenset[str] | None = None
    token_enterprise: str | None = None
    client: str = ""
    lacks_second_factor: bool = False
    address: str = field(default="", compare=False)
    browser: str = field(default="", compare=False, repr=False)

    @property
    def key(self) -> str:
        """Identifies the actor in the tables for idempotency and rate limits."""
        if self.token_id:
            return f"token:{self.token_id}"
        if self.client:
            return f"client:{self.client}"
        return f"person:{self.person_id}" if self.person_id else f"address:{self.address}"


NOBODY = Actor()
