"""A type of message: its lane, its scope, its translation to and from DFC; and what its handler is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from commensal import Transaction

from ..signing import CodedError, JsonObject

if TYPE_CHECKING:
    from ..peers.peers import Peer
    from ..runtime import Federation

Body = TypeVar("Body", covariant=True)
Lane = Literal["peering", "catalogue", "order"]
LARGEST = 1024 * 1024  # bytes of one message
LANES: tuple[Lane, ...] = ("peering", "order", "catalogue")  # in the order in which they are pushed

# What an instance may let a peer do; plugins bring more.
SCOPES = ("catalogue.read", "order.place", "stock.lease", "sale.propose", "transport", "enterprise.move", "order.names")


@dataclass(frozen=True)
class Writing:
    """For translations to DFC: `base` is where this instance's things live, `to` the base of the reader's."""

    base: str
    to: str


@dataclass(frozen=True)
class Reading:
    """For translations from DFC: `base` is where this instance's things live, `origin` the base of the writer's."""

    base: str
    origin: str


@dataclass(frozen=True, kw_only=True)
class Received(Generic[Body]):
    """A message that was proved to be its sender's. `document` is the whole envelope, `body` what its object says."""

    id: str
    type: str
    peer: Peer
    on_behalf_of: str | None
    in_reply_to: str | None
    lane: Lane
    epoch: int
    seq: int
    published: datetime
    expires: datetime | None
    body: Body
    document: JsonObject


@dataclass(frozen=True, kw_only=True)
class Sent(Generic[Body]):
    """A message of our own that a peer gave back after this instance was restored from an older backup."""

    id: str
    type: str
    peer: Peer
    on_behalf_of: str | None
    in_reply_to: str | None
    published: datetime
    body: Body


@dataclass(frozen=True, kw_only=True)
class Failed(Generic[Body]):
    """A message of our own that will have no effect: the peer refused it, or it could not be delivered.

    `body` is what `post` was given, as it was written and read back.
    """

    id: str
    type: str
    peer: Peer
    on_behalf_of: str | None
    in_reply_to: str | None
    body: Body
    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MessageType:
    """How a type of message travels, and its translation to and from DFC. What it does is its `Handler`.

    name:    of the type, as the envelope says it
    lane:    messages of one lane come in the order in which they were posted, or are noticed to be missing
    scope:   what the receiver must have given to the sender; None: any peer may
    body:    the frozen dataclass that handlers see and `post` takes
    write:   body -> complete DFC document with its own allow-listed @context
    read:    the other way; raises `Unreadable`
    foreign: its object may be somebody else's thing: an order, or an answer about what the other has
    states:  in which of its states a peer may send it
    opens:   it may be the first of a new epoch
    largest: bytes of its envelope; a larger one is refused
    fades:   it is not a dead letter once it has expired: its sender has asked again if it still needs it
    subject: what the message is about, where a later one of the same subject takes its place: of those that come
             together only the last one has an effect; an empty text is about nothing
    members: the meaning of each member of its object that is not DFC's, for the page of messages
    """

    name: str
    lane: Lane
    scope: str | None
    body: type
    write: Callable[[Any, Writing], dict[str, Any]]
    read: Callable[[JsonObject, Reading], Any]
    foreign: bool = False
    states: frozenset[str] = frozenset({"accepted"})
    opens: bool = False
    fades: bool = False
    subject: Callable[[Any], str] | None = None
    largest: int = LARGEST
    members: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Handler:
    """What messages of one type do. All three run inside a transaction, so they do no I/O.

    handle:  the effect of a message that has come, with its answers by `post`; raises `Wait` or `Refuse`
    failed:  the effect of a message of ours that the peer refused, or that could not be delivered
    recover: the effect that posting it once had here, after a restore from a backup that did not know it yet; raises
             `Wait` for what only the peer's own messages bring, and is called again when they have come
    """

    handle: Callable[[Federation, Transaction, Received[Any]], None]
    failed: Callable[[Federation, Transaction, Failed[Any]], None] | None = None
    recover: Callable[[Federation, Transaction, Sent[Any]], None] | None = None


@dataclass(frozen=True, kw_only=True)
class PeerDocument:
    """A document of a plugin that a peer fetches by a signed request, as it is at that moment.

    Nobody keeps it as evidence, as both sides keep messages: what must be forgotten belongs here.

    scope: what this instance must have given to the peer
    write: the document about the thing of this IRI, for this peer; inside a reading transaction. Raises `NotFound` for
           whoever may not read it
    """

    scope: str
    write: Callable[[Federation, Transaction, Peer, str], JsonObject]


class Wait(Exception):
    """It came before something it needs: parked, and tried again when more has come, for up to ten minutes.

    `lasting`: each minute for as long as that takes, because this instance itself ends it.
    """

    def __init__(self, *why: str, lasting: bool = False) -> None:
        super().__init__(*why)
        self.lasting = lasting


class Refuse(CodedError):
    """It cannot be done, now or later: a dead letter here, and a `Problem` to its sender."""


LEAP = 1_000_000  # by which a number may skip those that were lost: one a second for eleven days


def refuse_leap(what: str, number: int, last: int) -> None:
    """Raises `Refuse` for a number of a peer that is far ahead of the `last` one, 0 at first: taken, it would make
    all that follow look old."""
    if number > last + LEAP:
        raise Refuse("leap", f"{what} {number} is too far ahead of the last one, {last}: they are numbered one by one.")
