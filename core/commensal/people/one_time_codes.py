"""Time-based one-time codes (RFC 6238 over RFC 4226), as authenticator applications make them: six digits from
HMAC-SHA-1, a new code every thirty seconds."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote

STEP = 30  # seconds
DIGITS = 6
BYTES = 20  # of a secret: as many as SHA-1 yields (RFC 4226, 4)
_EITHER_SIDE = 1  # steps by which a clock may be wrong (RFC 6238, 5.2)


def base_32(random: str, size: int) -> str:
    """The first `size` bytes of a secret of `Ids.secret`, in base 32, which people can type."""
    return base64.b32encode(base64.urlsafe_b64decode(random + "=")[:size]).decode()


def step_of(moment: datetime) -> int:
    """The number of the step in which `moment` lies."""
    return int(moment.timestamp()) // STEP


def code_of(secret: str, step: int) -> str:
    """The code of this step (RFC 4226, 5.3)."""
    mac = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), sha1)
    offset = mac[-1] & 0x0F
    return str((int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFF_FFFF) % 10**DIGITS).zfill(DIGITS)


def steps_that_match(secret: str, code: str, now: datetime) -> Iterator[int]:
    """The steps around `now` whose code is `code`, earliest first."""
    for step in range(step_of(now) - _EITHER_SIDE, step_of(now) + _EITHER_SIDE + 1):
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode()):
            yield step


def uri_of(secret: str, *, place: str, account: str) -> str:
    """The URI that applications read from a QR code: ``otpauth://totp/…``. `place` is the instance's name."""
    issuer = quote(place.replace(":", " "), safe="")
    label = f"{issuer}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={STEP}"
