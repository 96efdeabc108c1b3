"""What the operator may set in ``[plugins.federation]``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FederationSettings:
    """Trade with other instances."""
