"""What is kept of a secret: enough to know it again, nothing to use it with."""

from __future__ import annotations

from hashlib import sha256


def fingerprint(secret: str) -> str:
    """The SHA-256, in hex. Only for secrets of 256 random bits: for these a slow hash would add nothing."""
    return sha256(secret.encode()).hexdigest()
