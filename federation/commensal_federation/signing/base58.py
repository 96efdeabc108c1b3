"""Base58 with the Bitcoin alphabet, as multibase writes it after a ``z`` (draft-multiformats-multibase)."""

from __future__ import annotations

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
