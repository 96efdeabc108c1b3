"""What the operator may set in ``[plugins.federation]``, and an enterprise for its own trade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class FederationSettings:
    """Trade with other instances."""


@dataclass(frozen=True)
class EnterpriseFederation:
    """How an enterprise trades with enterprises of other instances."""

    confirm: Literal["by itself", "by hand"] = "by itself"
    """A producer: orders of hubs are confirmed when their sale has closed, or wait for you."""
    shortage: Literal["newest first", "pro rata", "by hand"] = "newest first"
    """A hub: whose orders get less when a producer brings less: those placed last, everybody in proportion, or you
    decide, for example on a substitute."""
    accept_sales: bool = False
    """A hub: sales that a producer proposes are opened by themselves."""
