"""The settings of an instance: what `instance.toml` may say, with type, meaning and default.

Every `Secret` may also stand in a file of its own, or with the service manager; see `credentials.py`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..base.credentials import EXTERNAL, holds_secrets, with_secrets
from ..base.errors import SettingsError, Unfit
from ..base.reading import read_settings
from ..base.secret import Secret
from ..interfaces.outbound.allowed import read_allowed

_MAILBOX = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")  # an address alone: names of senders are those of shops
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
OF_THIS_MACHINE = {"of_this_machine": True}  # metadata of what a backup leaves out: elsewhere it would be wrong


@dataclass(frozen=True)
class DatabaseSettings:
    url: str = field(default="", metadata=EXTERNAL)
    """A SQLAlchemy URL. Empty: the file commensal.db in the instance's folder (SQLite)."""


@dataclass(frozen=True)
class ServerSettings:
    host: str = "127.0.0.1"
    """The address to listen on. Leave it at loopback and put a reverse proxy in front."""
    port: int = 8000
    """The port to listen on; 0 takes a free one."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Whose X-Forwarded-For and X-Forwarded-Proto are believed."""


@dataclass(frozen=True)
class MailSettings:
    sender: str = ""
    """The From address of every e-mail. Empty: commensal@ the host of base_url."""
    host: str = ""
    """The SMTP server. Empty: e-mails are written into the folder mail/ of the instance."""
    port: int = 587
    username: str = ""
    password: Secret = field(default_factory=Secret)
    security: Literal["starttls", "tls", "none"] = "starttls"

    def __post_init__(self) -> None:
        if self.sender and not _MAILBOX.fullmatch(self.sender):
            text = 'mail.sender: {sender!r} is no e-mail address; write it like "hello@coop.example"'
            raise Unfit(text, sender=self.sender)


@dataclass(frozen=True)
class LimitSettings:
    """Requests a minute for one address (IPv4, or the /64 of an IPv6 one)."""

    reads: int = 600
    writes: int = 120
    logins: int = 20
    """Wrong passwords, codes and links. What is right does not count: many people log in behind one Wi-Fi."""
    signups: int = 60
    """Sign-ups, and mails with a link for a new password or to confirm an address."""
    mails: int = 6
    """Mails an hour to one mailbox that somebody may have caused by typing its address: so many about orders of guests
    and so many about accounts; three times as many a day. What is more about orders comes late, in one mail."""
    webhooks: int = 600
    """Messages of payment providers."""


@dataclass(frozen=True)
class SecuritySettings:
    """How people prove who they are."""

    second_factor: Literal["optional", "required"] = "optional"
    """"required": whoever has rights (operators, people of an enterprise) can use them only with a second factor."""
    new_enterprises: Literal["operators", "everybody"] = "operators"
    """Who may make enterprises over the API: operators, or everybody whose e-mail address is confirmed."""
    hsts_subdomains: bool = False
    """Whether browsers shall reach all names below that of base_url by https only, too (RFC 6797, 6.1.2)."""


@dataclass(frozen=True)
class OutboundSettings:
    """What may be asked of other servers, where people name their addresses: webhooks, other instances."""

    allow: tuple[str, ...] = ()
    """Inner addresses that may be reached all the same, by plain http too, for test networks: "127.0.0.1:8080",
    "10.0.0.0/8"."""
    ports: tuple[int, ...] = (443,)
    """The ports that may be used on the public Internet."""


@dataclass(frozen=True)
class LogSettings:
    """The logs of `commensal serve` and `commensal work`, which go to stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is written. "info" has a line for every request."""
    format: Literal["auto", "json", "text"] = "auto"
    """"auto": text for people where stderr is a terminal, else one JSON object a line."""


@dataclass(frozen=True)
class WatchingSettings:
    """What a monitor may see: /-/metrics, and the reasons of /-/health."""

    secret: Secret = field(default_factory=Secret)
    """What it shows as its bearer token, at least 20 characters. Empty: only operators' tokens and sessions count."""

    def __post_init__(self) -> None:
        if 0 < len(self.secret) < 20:
            raise Unfit("watching.secret: it must have at least 20 characters, like `openssl rand -hex 20` makes")


@dataclass(frozen=True)
class RetentionSettings:
    """How long is kept what is about people. Each period has its reason in law; 0 keeps for ever."""

    audit_days: int = 1095
    """Entries of the audit trail: who changed what."""
    customers_days: int = 1095
    """Customers and people who have ordered nothing and logged in no more are forgotten after this (CNIL: three years
    from the end of the relation or the last contact)."""
    notes_days: int = 30
    """Notes on orders, after the distribution: they may tell of allergies and diets (GDPR, art. 9)."""
    addresses_days: int = 7
    """Answers that are kept for who repeats a request, where only the IP address of a guest says whose they are."""
    identities_years: int = 10
    """Names on orders of people who were forgotten, from the end of the year: accounts must be kept (Code de commerce,
    art. L123-22)."""

    def __post_init__(self) -> None:
        for name in ("audit_days", "customers_days", "notes_days", "addresses_days", "identities_years"):
            if getattr(self, name) < 0:
                raise Unfit("retention.{name}: it must not be negative", name=name)


@dataclass(frozen=True)
class BackupSettings:
    """Backups that the instance makes by itself, every night, while it serves."""

    folder: str = field(default="", metadata=OF_THIS_MACHINE)
    """The absolute path of a folder for this instance's backups alone, best on another disk. Empty: none are made."""
    at: str = "03:30"
    """The time of day, in `timezone`."""
    keep: int = 14
    """How many of the newest stay."""

    def __post_init__(self) -> None:
        if self.folder and not Path(self.folder).is_absolute():
            text = 'backups.folder: {folder!r} must be an absolute path, like "/mnt/backups/val"'
            raise Unfit(text, folder=self.folder)
        if not _CLOCK.fullmatch(self.at):
            raise Unfit('backups.at: {at!r} is no time of day; write it like "03:30"', at=self.at)
        if self.keep < 1:
            raise Unfit("backups.keep: {keep} is too few; at least 1 is kept", keep=self.keep)

    @property
    def time_of_day(self) -> time:
        return time.fromisoformat(self.at)


@dataclass(frozen=True)
class Settings:
    name: str
    """What people call this instance."""
    base_url: str = "http://127.0.0.1:8000"
    """The address under which people reach it; links in e-mails begin with it."""
    language: Literal["fr", "en"] = "fr"
    """For those who did not choose."""
    timezone: str = "Europe/Paris"
    """An IANA time zone, for enterprises that name none."""
    currency: str = "EUR"
    """ISO 4217, for enterprises that name none."""
    front: str = "shop"
    """The plugin whose pages stand at the root of the site."""
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    watching: WatchingSettings = field(default_factory=WatchingSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    backups: BackupSettings = field(default_factory=BackupSettings)
    plugins: dict[str, Any] = field(default_factory=dict, repr=False)  # as it is written, secrets too
    """`enabled`: ids in the order in which they are asked."""

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError) as error:
            text = "timezone: {timezone!r} is not an IANA time zone, like Europe/Paris"
            raise Unfit(text, timezone=self.timezone) from error
        if not 0 <= self.server.port <= 65535:
            text = "server.port: {port} is no port; ports lie between 0 and 65535"
            raise Unfit(text, port=self.server.port)
        try:
            read_allowed(self.outbound.allow)
        except ValueError as error:
            raise Unfit("outbound.allow: {error}", error=error) from error
        if not self.base_url.startswith(("http://", "https://")):
            raise Unfit("base_url: {url!r} must begin with http:// or https://", url=self.base_url)

    @property
    def sender(self) -> str:
        """The From address of every e-mail."""
        return self.mail.sender or default_sender(self.base_url)

    @property
    def enabled_plugins(self) -> tuple[str, ...]:
        return tuple(self.plugins.get("enabled", ()))


def default_sender(base_url: str) -> str:
    """An address at the host of `base_url`; at localhost where that is no name, but an address of the network."""
    try:
        host = urlsplit(base_url).hostname or ""
        ip_address(host)
    except ValueError:  # a name
        return f"commensal@{host or 'localhost'}"
    return "commensal@localhost"


def load_settings(folder: Path) -> Settings:
    """Reads ``instance.toml`` in `folder`. Raises `SettingsError` in words an operator can act on."""
    file = folder / "instance.toml"
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        text = "There is no {file}. `commensal init --instance {folder}` makes one."
        raise SettingsError(text, file=file, folder=folder) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("{file}: {error}", file=file, error=error) from error
    if holds_secrets(Settings, values) or _password_in(values):
        refuse_if_others_read(file)
    return read_settings(Settings, with_secrets(Settings, values))


def _password_in(values: dict[str, Any]) -> bool:
    database = values.get("database")
    url = database.get("url") if isinstance(database, dict) else None
    return isinstance(url, str) and urlsplit(url).password is not None


def refuse_if_others_read(file: Path) -> None:
    """Raises `SettingsError` for a file with secrets that is open to others on this machine."""
    if file.stat().st_mode & 0o077:
        raise SettingsError("{file} holds secrets and can be read by others; run `chmod 600 {file}`.", file=file)
