"""Ed25519 keys (RFC 8032), written as W3C Multikeys: ``z6Mk…`` is a public key, ``z3u2…`` a private one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

# Base58 with the Bitcoin alphabet, as multibase writes it after a ``z`` (draft-multiformats-multibase).

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGIT = {letter: digit for digit, letter in enumerate(_ALPHABET)}
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_LONGEST = 128  # letters; a signature has 88, and decoding is quadratic in the length


def to_multibase(content: bytes) -> str:
    """The content in base58, after a ``z``."""
    number = int.from_bytes(content)
    letters: list[str] = []
    while number:
        number, pair = divmod(number, 58 * 58)
        letters.append(_PAIRS[pair])
    zeros = len(content) - len(content.lstrip(b"\0"))
    return "z" + "1" * zeros + "".join(reversed(letters)).lstrip("1")


def from_multibase(text: str) -> bytes:
    """Decodes the output of `to_multibase`. Raises ValueError for anything else; each content has one spelling."""
    if not text.startswith("z") or len(text) > _LONGEST:
        raise ValueError("not a short text in base58btc")
    letters = text[1:].lstrip("1")
    zeros = len(text) - 1 - len(letters)
    number = 0
    for letter in letters:
        if letter not in _DIGIT:
            raise ValueError(f"{letter!r} is not a letter of base58btc")
        number = number * 58 + _DIGIT[letter]
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)


_PUBLIC, _PRIVATE = b"\xed\x01", b"\x80\x26"  # multicodec ed25519-pub, ed25519-priv

# Points of small order, in every spelling: a signature under such a "key" is valid for many messages, so it proves
# nothing about any of them. The highest bit is the sign of x and is ignored.
_SMALL_ORDER = {
    bytes.fromhex(point)
    for point in (
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
}


class BadKey(Exception):
    """This is not an Ed25519 key, or one of small order, which proves nothing."""


@dataclass(frozen=True)
class PublicKey:
    """A public key, with the end that its owner declares.

    id:         its IRI in messages, ``https://hub.example/.well-known/commensal#k1``
    multikey:   W3C Multikey, ``z6Mk…``
    expires:    UTC; its signatures are invalid afterwards
    revoked_at: UTC; all its signatures are invalid, whatever time a message claims (CID 1.0, Revocation Semantics)
    """

    id: str
    multikey: str
    expires: datetime | None = None
    revoked_at: datetime | None = None

    @cached_property
    def _key(self) -> Ed25519PublicKey:
        try:
            content = from_multibase(self.multikey)
        except ValueError as error:
            raise BadKey(str(error)) from error
        if len(content) != 34 or content[:2] != _PUBLIC:
            raise BadKey("not an Ed25519 key")
        _refuse_small_order(content[2:])
        return Ed25519PublicKey.from_public_bytes(content[2:])

    def check(self) -> PublicKey:
        """Returns itself if the multikey can be read. Raises `BadKey`."""
        assert self._key
        return self

    def verifies(self, signature: bytes, content: bytes) -> bool:
        """Whether this key made the signature over this content; the end of the key is not considered."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def end_reason(self, now: datetime) -> str:
        """Why its signatures are no longer accepted: "revoked" or "expired"; empty while it is live."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires is not None and now > self.expires else ""

    def without_end(self) -> PublicKey:
        """The same key without its end, to verify again what was accepted while it was live."""
        return replace(self, expires=None, revoked_at=None)


@dataclass(frozen=True)
class SigningKey:
    """A private key of ours. Its `repr` has only the id."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, id: str) -> SigningKey:
        return cls(id, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, id: str, secret: str) -> SigningKey:
        """Reads the output of `secret`. Raises `BadKey`, which does not quote it."""
        try:
            content = from_multibase(secret.strip())
        except ValueError:
            raise BadKey("not a private Ed25519 key") from None
        if len(content) != 34 or content[:2] != _PRIVATE:
            raise BadKey("not a private Ed25519 key")
        return cls(id, Ed25519PrivateKey.from_private_bytes(content[2:]))

    @cached_property
    def public(self) -> PublicKey:
        return PublicKey(self.id, to_multibase(_PUBLIC + self.private.public_key().public_bytes_raw()))

    def secret(self) -> str:
        """The private key as a Multikey, to be kept on paper; the only function that reveals it."""
        return to_multibase(_PRIVATE + self.private.private_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content)


def _refuse_small_order(point: bytes) -> None:
    if point[:31] + bytes([point[31] & 0x7F]) in _SMALL_ORDER:
        raise BadKey("a point of small order")
