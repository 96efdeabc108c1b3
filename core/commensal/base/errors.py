"""The errors of Commensal, by who has to act.

    CommensalError
    ├── Refused            a rule forbids it; the text is for the person who asked
    │   ├── Invalid        the input is wrong: one `Problem` for each mistake
    │   ├── NotFound       it does not exist, or they may not know of it
    │   ├── Forbidden      they are logged in, but have no permission
    │   ├── Unauthorised   they are not logged in
    │   ├── Conflict       the data has changed since they read it
    │   │   ├── SoldOut    less stock is left than they ordered
    │   │   └── Stale      somebody else has edited the same row
    │   └── TooMany        they send too many requests
    └── Trouble            the text is for the operator of the instance
        ├── Busy           try again in a moment; nothing was done
        │   └── Unavailable    the database cannot be used at all: full disk, no connection
        ├── PluginError    a plugin broke its contract; names the plugin and the hook
        ├── SettingsError  instance.toml is wrong; names the key and suggests one
        ├── StoreError     the database is not as this version expects it
        └── Unfit          the dataclass of a plugin's settings refuses a value

Texts are English templates that are also the keys of the translations: ``Refused("closed", "The sale {name} is
closed.", name=...)``. They are translated at the edge, where the reader's language is known, together with values that
are errors, problems or `Several` themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class CommensalError(Exception):
    """The base class of all errors."""


@dataclass(frozen=True)
class Problem:
    """One mistake in an input: a stable code, and a text template with its values.

    `where` is a JSON Pointer (RFC 6901) into the input, or a place that a person can find ("row 3, price").
    """

    code: str
    text: str
    where: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        sentence = self.text.format(**self.values)
        return f"{self.where}: {sentence}" if self.where else sentence


@dataclass(frozen=True)
class Several:
    """Several problems, errors or texts of others, listed as one value of a text."""

    parts: Sequence[object]

    def __str__(self) -> str:
        return "; ".join(map(str, self.parts))


class Refused(CommensalError):
    """A rule forbids it. `code` is stable and for programs; the text is for people, with `values` for its braces."""

    status = 422  # of the HTTP response

    def __init__(self, code: str, text: str, /, **values: object) -> None:  # "/": a voucher too has a {code}
        super().__init__(code)
        self.code, self.text, self.values = code, text, values
        self.problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.text.format(**self.values), *map(str, self.problems)])


class Invalid(Refused):
    """The input is wrong; `problems` lists every mistake, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("invalid", "Some of what was sent is not right.")
        self.problems = tuple(problems)


class NotFound(Refused):
    """It does not exist, or they may not know of it; nobody can tell which."""

    status = 404

    def __init__(self, code: str = "not_found", text: str = "There is nothing here.", /, **values: object) -> None:
        super().__init__(code, text, **values)


class Unauthorised(Refused):
    """Nobody is logged in, or the token is unknown."""

    status = 401

    def __init__(self, code: str = "unauthorised", text: str = "Please log in first.", /, **values: object) -> None:
        super().__init__(code, text, **values)


class Forbidden(Refused):
    """They are logged in, but have no permission."""

    status = 403

    def __init__(self, code: str = "forbidden", text: str = "You may not do that.", /, **values: object) -> None:
        super().__init__(code, text, **values)


class Conflict(Refused):
    """The data has changed since they read it, or its state does not allow this now."""

    status = 409


class SoldOut(Conflict):
    """Less stock is left than they ordered. `problems` says for each product how much is left, `missing` how many
    grains are missing, by the lot's id."""

    def __init__(self, problems: Sequence[Problem], missing: Mapping[str, int] | None = None) -> None:
        super().__init__("sold_out", "There is not enough left.")
        self.problems = tuple(problems)
        self.missing = dict(missing or {})


class Stale(Conflict):
    """Somebody else has edited the row: its version is no longer the one in the request."""

    status = 412

    def __init__(self) -> None:
        super().__init__("stale", "Somebody has changed this meanwhile. Load it again, then repeat your change.")


class BeingRead(Refused):
    """Not yet: the file that was sent is read by a process, or waits for its turn behind `ahead` others, or some
    seconds because much was read for the same people."""

    status = 202

    def __init__(self, ahead: int, seconds: int = 0) -> None:
        text = "Your file is being read." if not ahead else "Your file waits to be read. Files before it: {ahead}."
        if seconds:
            text = "You have had much read just now, so that this file waits. It is read in about {seconds} seconds."
        super().__init__("being_read", text, ahead=ahead, seconds=seconds)


class TooMany(Refused):
    """They send too many requests. `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("too_many", "Too many requests. Please wait {seconds} seconds.", seconds=retry_after)
        self.retry_after = retry_after


class Trouble(CommensalError):
    """An error for the operator: a text template with its values, which commands translate."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


class Busy(Trouble):
    """Somebody else has held the database for too long. Nothing was done. `retry_after` is in seconds."""

    retry_after = 2


class Unavailable(Busy):
    """The database cannot be used now, through no fault of the code: a full disk, no connection."""

    retry_after = 60


class PluginError(Trouble):
    """A plugin raised an error, or gave an answer that its hook's contract forbids. `what` is for its developer."""

    def __init__(self, plugin: str, hook: str, what: str | CommensalError) -> None:
        super().__init__(text="The plugin {plugin!r} failed in {hook}: {what}", plugin=plugin, hook=hook, what=what)
        self.plugin, self.hook, self.what = plugin, hook, str(what)


class SettingsError(Trouble):
    """The settings are wrong. The text names the key, what is wrong, and what would be right."""


class StoreError(Trouble):
    """The database is not as this version expects it."""


class Unfit(Trouble, ValueError):
    """Raised in ``__post_init__`` of a dataclass of settings to refuse a value: a `ValueError` that is translated."""
