"""The settings of an instance, as `instance.toml` contains them, with type, meaning and default.

Every `Secret` can also be in a file of its own, or with the service manager. Variables of the environment stand above
the file. See `../base/reading.py` for both.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from datetime import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from ..base.errors import SettingsError, Unfit
from ..base.ids import Secret
from ..base.languages.catalogs import LANGUAGES
from ..base.networks import read_allowed
from ..base.reading import EXTERNAL, holds_secrets, read_settings, with_environment, with_secrets

_MAILBOX = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\"]+")  # an address without a name: e-mails show the shop's name
_PAGE = re.compile(r"https://[^\s]+")
_ELSEWHERE = re.compile(r"(rclone|restic):[^\s-]\S*")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
OF_THIS_MACHINE = {"of_this_machine": True}  # metadata of settings that backups omit: wrong on another machine


@dataclass(frozen=True)
class DatabaseSettings:
    url: str = field(default="", metadata=EXTERNAL)
    """A SQLAlchemy URL. Empty: the file commensal.db in the instance's folder (SQLite)."""
    pool_url: str = field(default="", metadata={**EXTERNAL, "of_this_machine": True})
    """The same database through PgBouncer in transaction mode: where requests and jobs go. Locks, upgrades and backups
    need sessions, and use `url`."""
    reports_url: str = field(default="", metadata={**EXTERNAL, "of_this_machine": True})
    """A replica of the database, a standby of PostgreSQL, which reports read. Empty: they read the database itself."""


@dataclass(frozen=True)
class ServerSettings:
    host: str = "127.0.0.1"
    """The address to listen on. Leave it at loopback and put a reverse proxy in front."""
    port: int = 8000
    """The port to listen on; 0 takes a free one."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """The proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted."""


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
            text = 'mail.sender: {sender!r} is not an e-mail address; write it like "hello@coop.example"'
            raise Unfit(text, sender=self.sender)


@dataclass(frozen=True)
class LimitSettings:
    """Requests per minute from one address (IPv4, or the /64 of an IPv6 address)."""

    reads: int = 600
    writes: int = 120
    logins: int = 20
    """Wrong passwords, codes and links. Successful ones do not count, because many people may share one address."""
    signups: int = 60
    """Sign-ups, and e-mails with a link for a new password or to confirm an address."""
    mails: int = 6
    """E-mails per hour to one mailbox that somebody may cause by typing its address: this number about orders of guests
    and orders that hubs take for others, and the same about accounts; three times as many per day. Further ones about
    orders come later, in one e-mail."""
    webhooks: int = 600
    """Messages of payment providers."""


@dataclass(frozen=True)
class SecuritySettings:
    """Authentication, and the rights of people without a role."""

    second_factor: Literal["optional", "required"] = "optional"
    """"required": operators and members of enterprises can use their rights only with a second factor."""
    new_enterprises: Literal["operators", "hubs", "everybody"] = "hubs"
    """Who may make enterprises: "operators"; "hubs": operators make hubs, and those who agree with producers for a hub
    make the producers whose goods it sells; "everybody" whose e-mail address is confirmed."""
    hsts_subdomains: bool = False
    """Whether browsers must use https also for all subdomains of base_url's host (RFC 6797, 6.1.2)."""
    contact: str = ""
    """Where to report a weakness, for /.well-known/security.txt (RFC 9116): an e-mail address, or a URI with https."""

    def __post_init__(self) -> None:
        if self.contact and not (_MAILBOX.fullmatch(self.contact) or _PAGE.fullmatch(self.contact)):
            text = "security.contact: {contact!r} is neither an e-mail address nor an address that begins with https://"
            raise Unfit(text, contact=self.contact)


@dataclass(frozen=True)
class OutboundSettings:
    """Requests to servers whose addresses people type: webhooks, other instances."""

    allow: tuple[str, ...] = ()
    """Private addresses that are allowed, with plain http too, for test networks: "127.0.0.1:8080", "10.0.0.0/8"."""
    ports: tuple[int, ...] = (443,)
    """The allowed ports on the public Internet."""


@dataclass(frozen=True)
class LogSettings:
    """The logs of `commensal serve` and `commensal work`, on stderr."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is written. "info" has a line for every request."""
    format: Literal["auto", "json", "text"] = "auto"
    """"auto": text for people if stderr is a terminal, otherwise one JSON object per line."""


@dataclass(frozen=True)
class WatchingSettings:
    """Monitoring: access to /-/metrics, and to the reasons of /-/health."""

    secret: Secret = field(default_factory=Secret)
    """The monitor's bearer token, at least 20 characters. Empty: only operators have access."""

    def __post_init__(self) -> None:
        if 0 < len(self.secret) < 20:
            raise Unfit("watching.secret: it must have at least 20 characters, like `openssl rand -hex 20` makes")


@dataclass(frozen=True)
class RetentionSettings:
    """How long personal data is kept. Each period has a legal reason; 0 keeps it for ever."""

    audit_days: int = 1095
    """Entries of the audit trail."""
    customers_days: int = 1095
    """Customers and people are forgotten this long after their last order and log-in (CNIL: three years from the end of
    the relation or the last contact)."""
    notes_days: int = 30
    """Notes on orders, after the distribution, because they may contain allergies and diets (GDPR, art. 9)."""
    addresses_days: int = 7
    """Responses stored for repeated requests of guests, who are identified by their IP address only."""
    identities_years: int = 10
    """Names on orders of forgotten people, from the end of the year, because accounts must be kept (Code de commerce,
    art. L123-22)."""

    def __post_init__(self) -> None:
        for name in ("audit_days", "customers_days", "notes_days", "addresses_days", "identities_years"):
            if getattr(self, name) < 0:
                raise Unfit("retention.{name}: it must not be negative", name=name)


@dataclass(frozen=True)
class ImageSettings:
    folder: str = field(default="", metadata=OF_THIS_MACHINE)
    """The absolute path of the folder of pictures; several machines with one database share it. Empty: ``images/`` in
    the instance's folder."""

    def __post_init__(self) -> None:
        if self.folder and not Path(self.folder).is_absolute():
            text = 'images.folder: {folder!r} must be an absolute path, like "/mnt/images/val"'
            raise Unfit(text, folder=self.folder)


@dataclass(frozen=True)
class BackupSettings:
    """The backup that the instance makes every night while it serves."""

    folder: str = field(default="", metadata=OF_THIS_MACHINE)
    """The absolute path of a folder for this instance's backups alone, best on another disk. Empty: none are made."""
    elsewhere: str = field(default="", metadata=OF_THIS_MACHINE)
    """Where backups are copied too: "rclone:REMOTE:PATH" or "restic:REPOSITORY". Empty: nowhere."""
    at: str = "03:30"
    """The time of day, in `timezone`."""
    keep: int = 14
    """The number of backups to keep."""

    def __post_init__(self) -> None:
        if self.folder and not Path(self.folder).is_absolute():
            text = 'backups.folder: {folder!r} must be an absolute path, like "/mnt/backups/val"'
            raise Unfit(text, folder=self.folder)
        if self.elsewhere and not _ELSEWHERE.fullmatch(self.elsewhere):
            text = 'backups.elsewhere: {place!r} must be like "rclone:REMOTE:PATH" or "restic:REPOSITORY"'
            raise Unfit(text, place=self.elsewhere)
        if not _CLOCK.fullmatch(self.at):
            raise Unfit('backups.at: {at!r} is not a time of day; write it like "03:30"', at=self.at)
        if self.keep < 1:
            raise Unfit("backups.keep: {keep} is too few; at least 1 is kept", keep=self.keep)

    @property
    def time_of_day(self) -> time:
        return time.fromisoformat(self.at)


@dataclass(frozen=True)
class InstanceSettings:
    name: str
    """The name of this instance, for people."""
    base_url: str = "http://127.0.0.1:8000"
    """The address under which people reach it; links in e-mails begin with it."""
    language: str = "fr"
    """For people who have not chosen one: fr, en, or another one that there is a catalogue for."""
    timezone: str = "Europe/Paris"
    """An IANA time zone, for enterprises that name none."""
    currency: str = "EUR"
    """ISO 4217, for enterprises that name none."""
    front: str = "shop"
    """The plugin whose pages are at the root of the site."""
    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    server: ServerSettings = field(default_factory=ServerSettings)
    mail: MailSettings = field(default_factory=MailSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    security: SecuritySettings = field(default_factory=SecuritySettings)
    outbound: OutboundSettings = field(default_factory=OutboundSettings)
    logs: LogSettings = field(default_factory=LogSettings)
    watching: WatchingSettings = field(default_factory=WatchingSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    images: ImageSettings = field(default_factory=ImageSettings)
    backups: BackupSettings = field(default_factory=BackupSettings)
    plugins: dict[str, Any] = field(default_factory=dict, repr=False)  # as in the file, with secrets
    """`enabled`: ids, in the order in which plugins are called."""

    def images_of(self, folder: Path) -> Path:
        """The folder of pictures of the instance in `folder`."""
        return Path(self.images.folder) if self.images.folder else folder / "images"

    def __post_init__(self) -> None:
        try:
            ZoneInfo(self.timezone)
        except (KeyError, ValueError) as error:
            text = "timezone: {timezone!r} is not an IANA time zone, like Europe/Paris"
            raise Unfit(text, timezone=self.timezone) from error
        if self.language not in LANGUAGES:
            text = "language: there is no catalogue for {language!r}; there are {languages}"
            raise Unfit(text, language=self.language, languages=", ".join(LANGUAGES))
        if not 0 <= self.server.port <= 65535:
            text = "server.port: {port} is not a port; a port must be between 0 and 65535"
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
    """An e-mail address at the host of `base_url`; at localhost if that host is an IP address."""
    try:
        host = urlsplit(base_url).hostname or ""
        ip_address(host)
    except ValueError:  # a name
        return f"commensal@{host or 'localhost'}"
    return "commensal@localhost"


def load_settings(folder: Path, name: str = "instance.toml") -> InstanceSettings:
    """Reads the file `name` in `folder`. Raises `SettingsError` with what the operator must change."""
    file = folder / name
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        text = "There is no {file}. `commensal init --instance {folder}` makes one."
        raise SettingsError(text, file=file, folder=folder) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        text = "{file}: line {line} is not in UTF-8; save the file as UTF-8."
        raise SettingsError(text, file=file, line=line) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError("{file}: {error}", file=file, error=error) from error
    if holds_secrets(InstanceSettings, values) or _password_in(values):
        refuse_if_others_read(file)
    values = with_environment(InstanceSettings, values, os.environ)
    return read_settings(InstanceSettings, with_secrets(InstanceSettings, values))


_ADDRESSES = ("url", "pool_url", "reports_url")  # of [database]


def _password_in(values: dict[str, object]) -> bool:
    database = values.get("database")
    urls = [database.get(name) for name in _ADDRESSES] if isinstance(database, dict) else []
    return any(isinstance(url, str) and urlsplit(url).password is not None for url in urls)


def refuse_if_others_read(file: Path) -> None:
    """Raises `SettingsError` for a file with secrets if other users of this machine can read it."""
    if file.stat().st_mode & 0o077:
        raise SettingsError("{file} holds secrets and can be read by others; run `chmod 600 {file}`.", file=file)
