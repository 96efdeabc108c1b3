"""Ed25519 keys (RFC 8032), written as W3C Multikeys: ``z6Mk…`` is public, ``z3u2…`` is not for anybody's eyes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .base58 import from_multibase, to_multibase

_PUBLIC, _PRIVATE = b"\xed\x01", b"\x80\x26"  # multicodec ed25519-pub, ed25519-priv

# Points of small order, in every spelling: a signature under such a "key" fits many messages, so it would prove
# nothing about any of them. The highest bit is the sign of x and is not looked at.
_SMALL = {
    bytes.fromhex(one)
    for one in (
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
    """Not an Ed25519 key that can be trusted to sign one message at a time."""


@dataclass(frozen=True)
class PublicKey:
    """A key of somebody, with what its owner says of its time.

    id:         the IRI by which messages name it, ``https://hub.example/.well-known/commensal#k1``
    multikey:   W3C Multikey, ``z6Mk…``
    expires:    it signs nothing after this moment
    revoked_at: it signs nothing any more, whatever moment a message claims (CID 1.0, Revocation Semantics)
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
        """Itself, if the multikey can be read. Raises `BadKey`."""
        assert self._key
        return self

    def fits(self, signature: bytes, content: bytes) -> bool:
        """Whether the signature is of this key over this content; of time it knows nothing."""
        try:
            self._key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    def over(self, now: datetime) -> str:
        """Why nothing new is believed that it signed: "revoked" or "expired"; empty while it is live."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires is not None and now > self.expires else ""

    def then(self) -> PublicKey:
        """The same as it was before its end: to check once more what was accepted while it was live."""
        return replace(self, expires=None, revoked_at=None)


@dataclass(frozen=True)
class SigningKey:
    """A key of ours. It shows itself by its id only."""

    id: str
    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, id: str) -> SigningKey:
        return cls(id, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, id: str, secret: str) -> SigningKey:
        """From what `secret` gave. Raises `BadKey`, which does not quote it."""
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
        """The private key itself as a Multikey, to be kept on paper: the one place that gives it away."""
        return to_multibase(_PRIVATE + self.private.private_bytes_raw())

    def sign(self, content: bytes) -> bytes:
        return self.private.sign(content)


def _refuse_small_order(point: bytes) -> None:
    if point[:31] + bytes([point[31] & 0x7F]) in _SMALL:
        raise BadKey("a point of small order")
