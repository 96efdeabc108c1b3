"""Fingerprints of secrets: enough to recognise a secret, useless for logging in."""

from __future__ import annotations

from hashlib import sha256


def fingerprint(secret: str) -> str:
    """The SHA-256 in hex. Only for secrets of 112 random bits or more (ASVS 6.5.2), which need no slow hash."""
    return sha256(secret.encode()).hexdigest()
