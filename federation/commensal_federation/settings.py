"""Settings of the operator in ``[plugins.federation]``, and of an enterprise."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Literal

from msgspec import Meta

from commensal import LARGEST, MinorUnits, Secret, Unfit

_PLATFORM = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class OidcIssuer:
    """Who issues tokens to DFC platforms (OpenID Connect). Its keys are fetched, and fetched again when they change."""

    issuer: str
    """Its address, exactly as its tokens say it in `iss`."""
    audience: str = ""
    """Whom tokens for this instance name in `aud`; empty: the address of the instance."""
    jwks: str = ""
    """Where its keys are; empty: where its ``/.well-known/openid-configuration`` says."""


@dataclass(frozen=True)
class DfcPlatform:
    """A platform to which enterprises may grant scopes."""

    id: str
    """Its short name here: small letters, digits, dots, dashes."""
    issuer: str
    """One of `oidc_issuers`."""
    client: str = ""
    """Its `client_id` (or `azp`) in tokens; empty: the same as `id`."""
    account: str = ""
    """One account there, such as a hub's, that has grants of its own: the `sub` in its tokens, or its verified e-mail
    address; empty: all accounts that do not stand here."""
    name: str = ""
    """How people call it; empty: the same as `id`."""
    url: str = ""
    """Its address: only what it names by this host may it tell us anything about."""
    email: str = ""
    """Who gets the mails about its orders where it names nobody."""
    webhook: str = ""
    """Where it wants to be told that something has changed here; empty: it is not told."""
    webhook_client: str = ""
    """As which client of its issuer we get a token for that; empty: the secret itself is the token."""
    webhook_secret: Secret = field(default_factory=Secret)
    """The secret of that client, or the bearer token that is sent."""

    def __post_init__(self) -> None:
        if self.webhook and not self.webhook_secret.reveal():
            raise Unfit("webhook_secret: who is told of changes wants to know who says it")
        if not _PLATFORM.fullmatch(self.id):
            raise Unfit("id: small letters, digits, dots and dashes")


@dataclass(frozen=True)
class FederationSettings:
    """Trade with other instances, and with platforms that speak DFC."""

    oidc_issuers: tuple[OidcIssuer, ...] = ()
    """Whose tokens DFC platforms bring."""
    platforms: tuple[DfcPlatform, ...] = ()
    """Which platforms those are."""

    def __post_init__(self) -> None:
        issuers = [issuer.issuer for issuer in self.oidc_issuers]
        names = [platform.id for platform in self.platforms]
        clients = [(platform.issuer, platform.client or platform.id, platform.account) for platform in self.platforms]
        if len(set(issuers)) < len(issuers):
            raise Unfit("oidc_issuers: an issuer is named twice")
        if len(set(names)) < len(names) or len(set(clients)) < len(clients):
            raise Unfit("platforms: a platform is named twice")
        if unknown := {platform.issuer for platform in self.platforms} - set(issuers):
            raise Unfit("platforms: {issuer} is not among oidc_issuers", issuer=min(unknown))


@dataclass(frozen=True)
class EnterpriseFederation:
    """How an enterprise trades with enterprises of other instances."""

    confirm: Literal["by itself", "by hand"] = "by itself"
    """A producer: orders of hubs are confirmed when their sale has closed, or wait for you."""
    shortage: Literal["newest first", "pro rata", "by hand"] = "newest first"
    """A hub: whose orders get less when a producer brings less: those placed last, everybody in proportion, or you
    decide, for example on a substitute."""
    pass_on_names: bool = False
    """A hub: producers elsewhere may learn the names of customers who agree to that at the checkout, with what they
    have ordered of them, for example to label boxes. Only where the producer's instance takes names."""
    accept_sales: bool = False
    """A hub: sales that a producer proposes are opened by themselves, and follow its changes. Once customers have
    ordered, another distribution, or a withdrawal, waits for you."""
    allowance_percent: Annotated[int, Meta(ge=0, le=100)] = 10
    """What a partner elsewhere may change by its own word, percent of the sum that it is about: prices, weights, what
    comes short, what was received. More than that waits for you."""
    allowance_month: Annotated[int, Meta(ge=0, le=LARGEST), MinorUnits()] = 50_00
    """And all of that together, for each partner in a calendar month. 0: everything waits for you."""
