"""What is kept of a secret: enough to know it again, nothing to use it with."""

from __future__ import annotations

from hashlib import sha256


def fingerprint(secret: str) -> str:
    """The SHA-256, in hex. Only for secrets of 112 random bits or more (ASVS 6.5.2): for these a slow hash would add
    nothing."""
    return sha256(secret.encode()).hexdigest()
