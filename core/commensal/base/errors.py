"""What can go wrong, and whose fault it is.

    CommensalError
    ├── Refused            the rules say no; its text is for the person who asked
    │   ├── Invalid        what was sent is not right: one `Problem` for each mistake
    │   ├── NotFound       it does not exist, or is not theirs to know of
    │   ├── Forbidden      they are known, and may not
    │   ├── Unauthorised   they are not known
    │   ├── Conflict       the world has changed since they looked
    │   │   ├── SoldOut    less is left than was wanted
    │   │   └── Stale      somebody else edited it meanwhile
    │   └── TooMany        they ask too often
    └── Trouble            its text is for who runs the instance
        ├── Busy           try again in a moment; nothing was done
        │   └── Unavailable    the database cannot be used at all: its disk is full, its server is away
        ├── PluginError    a plugin broke its contract; names the plugin and the hook
        ├── SettingsError  instance.toml is not right; names the key and suggests one
        ├── StoreError     the database is not what this version expects
        └── Unfit          a dataclass of settings refuses a value of its own

Texts are English templates that are also the keys of the translations: ``Refused("closed", "The sale {name} is
closed.", name=...)``. They are translated at the edge, where the reader's language is known. A value that is an error
or a problem itself, or `Several`, is said in the same language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


class CommensalError(Exception):
    """Any error of ours."""


@dataclass(frozen=True)
class Problem:
    """One mistake, as data: where it is, a stable code, and a text template with its values.

    `where` is a JSON Pointer (RFC 6901) into what was sent, or a place a person can find ("row 3, price").
    """

    code: str
    text: str
    where: str = ""
    values: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        said = self.text.format(**self.values)
        return f"{self.where}: {said}" if self.where else said


@dataclass(frozen=True)
class Several:
    """What is said one after the other inside one text: problems, errors, and words of others."""

    said: Sequence[object]

    def __str__(self) -> str:
        return "; ".join(map(str, self.said))


class Refused(CommensalError):
    """The rules say no. `code` is stable and for programs; the text is for people."""

    status = 422  # the HTTP status that says the same

    def __init__(self, code: str, text: str, **values: Any) -> None:
        super().__init__(code)
        self.code, self.text, self.values = code, text, values
        self.problems: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        return "; ".join([self.text.format(**self.values), *map(str, self.problems)])


class Invalid(Refused):
    """What was sent is not right; `problems` lists every mistake, not only the first."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("invalid", "Some of what was sent is not right.")
        self.problems = tuple(problems)


class NotFound(Refused):
    """It does not exist, or is not theirs to know of: both look the same."""

    status = 404

    def __init__(self, code: str = "not_found", text: str = "There is nothing here.", **values: Any) -> None:
        super().__init__(code, text, **values)


class Unauthorised(Refused):
    """Nobody is logged in, or the token is not known."""

    status = 401

    def __init__(self, code: str = "unauthorised", text: str = "Please log in first.", **values: Any) -> None:
        super().__init__(code, text, **values)


class Forbidden(Refused):
    """They are known, and may not."""

    status = 403

    def __init__(self, code: str = "forbidden", text: str = "You may not do that.", **values: Any) -> None:
        super().__init__(code, text, **values)


class Conflict(Refused):
    """The world has changed since they looked, or it does not allow this now."""

    status = 409


class SoldOut(Conflict):
    """Less is left than was wanted. `problems` says for each product how much is left, `missing` in grains, by lot, how
    much more it would take."""

    def __init__(self, problems: Sequence[Problem], missing: Mapping[str, int] | None = None) -> None:
        super().__init__("sold_out", "There is not enough left.")
        self.problems = tuple(problems)
        self.missing = dict(missing or {})


class Stale(Conflict):
    """Somebody else edited it meanwhile: the version that was named is not the current one."""

    status = 412

    def __init__(self) -> None:
        super().__init__("stale", "Somebody has changed this meanwhile. Load it again, then repeat your change.")


class TooMany(Refused):
    """They ask too often. `retry_after` is in seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__("too_many", "Too many requests. Please wait {seconds} seconds.", seconds=retry_after)
        self.retry_after = retry_after


class Trouble(CommensalError):
    """An error for who runs the instance: a text with its values, which a command translates."""

    def __init__(self, text: str, **values: object) -> None:
        super().__init__(text)
        self.text, self.values = text, values

    def __str__(self) -> str:
        return self.text.format(**self.values) if self.values else self.text


class Busy(Trouble):
    """The database is held by somebody else for longer than anyone should wait. Nothing was done."""


class Unavailable(Busy):
    """The database cannot be used now, which is no fault of the code: its disk is full, or its server is away."""


class PluginError(Trouble):
    """A plugin raised, or answered what its hook's contract does not allow. `what` is for its developer."""

    def __init__(self, plugin: str, hook: str, what: str | CommensalError) -> None:
        super().__init__(text="The plugin {plugin!r} failed in {hook}: {what}", plugin=plugin, hook=hook, what=what)
        self.plugin, self.hook, self.what = plugin, hook, str(what)


class SettingsError(Trouble):
    """The settings are not right. The text names the key, what is wrong, and what would be right."""


class StoreError(Trouble):
    """The database is not what this version expects."""


class Unfit(Trouble, ValueError):
    """A dataclass of settings refuses a value, in its ``__post_init__``: a `ValueError` whose text is translated."""
