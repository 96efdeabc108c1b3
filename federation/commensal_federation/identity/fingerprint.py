"""The fingerprint that two operators read to each other before they trust each other: digits, for any language."""

from __future__ import annotations

from hashlib import sha256

GROUPS, DIGITS = 8, 5  # 132 bits: enough against a second key with the same digits


def fingerprint_of(iri: str, root: str) -> str:
    """The fingerprint of an instance and its root key (a Multikey, ``z6Mk…``): eight groups of five digits."""
    number = int.from_bytes(sha256(f"commensal-fingerprint-1\n{iri}\n{root}".encode()).digest())
    digits = f"{number % 10 ** (GROUPS * DIGITS):0{GROUPS * DIGITS}d}"
    return " ".join(digits[start : start + DIGITS] for start in range(0, len(digits), DIGITS))
