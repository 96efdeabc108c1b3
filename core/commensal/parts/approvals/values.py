"""Acts that may need a second person, as their kinds and pages see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...instance import Instance
    from ...storage.database import Transaction

ActState = Literal["waiting", "approved", "refused", "withdrawn"]


@dataclass(frozen=True, kw_only=True)
class ProposedAct:
    """What somebody asks for, and what became of it. Moments are UTC.

    subject: what it is about, such as a supplier's id: of one kind and subject one act waits at a time
    content: what exactly is to be done, as JSON; `digest` names it, so nobody agrees to anything else
    state:   "waiting" for another person; "approved", and so done; "refused"; "withdrawn": taken back, or asked anew
    reason:  why it was refused
    """

    id: str
    enterprise_id: str
    kind: str
    subject: str
    content: Mapping[str, Any]
    digest: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    state: ActState
    decided_by: str | None
    decided_at: datetime | None
    reason: str

    def is_open(self, now: datetime) -> bool:
        """Whether somebody can still agree to it."""
        return self.state == "waiting" and now < self.expires_at


@dataclass(frozen=True, kw_only=True)
class ActWords:
    """An act in the reader's language: `title` says what is done, `lines` are what exactly, each a label and a text."""

    title: str
    lines: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, kw_only=True)
class ActKind:
    """A kind of act that may need a second person, declared by whoever has the act.

    name:     unique; a plugin's begins with its id and a dot
    scope:    what whoever asks must hold, also at the moment when the other agrees
    describe: the act in a language, for both people
    perform:  does it, in the transaction of the second person's yes. It raises `Stale` if what it changes is not any
              more as the content says that it was
    """

    name: str
    scope: str
    describe: Callable[[Transaction, ProposedAct, str], ActWords]
    perform: Callable[[Instance, Transaction, ProposedAct], None]
