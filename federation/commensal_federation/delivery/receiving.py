"""The way in, without HTTP: from the bytes of an envelope to its effect."""

from __future__ import annotations

from ..runtime import Federation
from .values import Receipt


def receive(federation: Federation, envelope: bytes) -> Receipt:
    """Checks, stores and handles one message. Raises nothing that its sender could cause."""
    raise NotImplementedError
