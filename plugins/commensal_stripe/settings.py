"""The settings of a shop (its keys and texts), and those of the operator for all shops."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from commensal import Secret, Unfit

_METHOD = re.compile(r"[a-z][a-z_]{1,39}")
_LONGEST = 200  # characters of a key


@dataclass(frozen=True)
class Settings:
    secret_key: Secret = field(default_factory=Secret)
    """The secret key of the Stripe account, or a restricted key that may write Checkout Sessions and Refunds and read
    PaymentIntents and the Balance."""
    webhook_secret: Secret = field(default_factory=Secret)
    """The signing secret of the webhook. While one of the two is empty, this way to pay is not offered."""
    label: str = ""
    """How customers see it; empty: "Card (Stripe)"."""
    methods: tuple[str, ...] = ()
    """Stripe's names of the ways to pay ("card", "sepa_debit"); empty: those that are switched on at Stripe."""

    def __post_init__(self) -> None:
        key, webhook = self.secret_key.reveal(), self.webhook_secret.reveal()
        if key and not key.startswith(("sk_", "rk_")):
            raise Unfit("secret_key: a secret key begins with sk_ and a restricted one with rk_; this is another")
        if webhook and not webhook.startswith("whsec_"):
            raise Unfit("webhook_secret: the signing secret of a webhook begins with whsec_")
        if max(len(key), len(webhook)) > _LONGEST:
            raise Unfit("secret_key, webhook_secret: at most {most} characters", most=_LONGEST)
        if len(self.label) > 60:
            raise Unfit("label: at most 60 characters")
        if len(self.methods) > 20 or not all(_METHOD.fullmatch(method) for method in self.methods):
            raise Unfit("methods: Stripe's names, like card or sepa_debit")

    @property
    def complete(self) -> bool:
        return bool(self.secret_key.reveal() and self.webhook_secret.reveal())


@dataclass(frozen=True)
class InstanceSettings:
    api_base: str = ""
    """Where Stripe's API is; empty: Stripe's own address. For tests and for a proxy."""
    timeout: float = 8.0
    """Seconds that one request may take; it is repeated once."""

    def __post_init__(self) -> None:
        if self.api_base and not self.api_base.startswith(("http://", "https://")):
            raise Unfit("api_base: {url!r} must begin with http:// or https://", url=self.api_base)
        if not 0.01 <= self.timeout <= 9:
            raise Unfit("timeout: between 0.01 and 9 seconds, because two tries must end before a hook does")
