"""Several instances in one test, joined by wires that can be cut, on one clock moved by hand."""

from __future__ import annotations

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from commensal.base.clock import ManualClock
from commensal.base.ids import SeededIds
from commensal.instance import Instance
from commensal.storage.database import Transaction
from commensal.storage.jobs.failed import failed_jobs
from commensal_federation.delivery import post
from commensal_federation.delivery.lanes import lane_row
from commensal_federation.handlers import HANDLERS
from commensal_federation.identity import current_key
from commensal_federation.messages import Handler, MessageType, Received, Refuse, Wait
from commensal_federation.messages.envelope import CONTEXT
from commensal_federation.messages.members import text
from commensal_federation.runtime import Federation
from commensal_federation.serving.answer import serve
from commensal_federation.signing import SigningKey, canonical, sign, sign_request
from commensal_federation.signing.profile import write_moment
from commensal_federation.testing import Region
from commensal_federation.transport import Answer, Request

from .templates import DATABASE, Recipe, Template, copy_region, join, make_template, open_instance
from .trading import Hub, Producer, region_of_peers

NewRegion = Callable[..., Region]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Regions use SQLite, and also PostgreSQL where a module says ``BOTH = True``: messages between instances are the
    same on either, and the code of the rooms is tested on both.
    """
    if "new_region" in metafunc.fixturenames:
        kinds = ["sqlite", "postgresql"] if getattr(metafunc.module, "BOTH", False) else ["sqlite"]
        metafunc.parametrize("new_region", kinds, indirect=True)


@pytest.fixture(scope="session")
def templates() -> dict[Recipe, Template]:
    """The regions that this process has made so far."""
    return {}


@pytest.fixture
def new_region(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    clock: ManualClock,
    templates: dict[Recipe, Template],
    notes: Notes,
) -> Iterator[NewRegion]:
    """Makes a region: ``new_region("a", "b", friends=("ab",), plugins=("federation", …))``. Each instance has keys, and
    as peers only its friends. Plugins given as `modules` by id are loaded from there.
    """
    postgresql, opened = request.param == "postgresql", list[Instance]()
    new_database, copy_database, new_template_database = _databases_of(request)

    def make(
        *names: str,
        friends: tuple[str, ...] = (),
        plugins: tuple[str, ...] = ("federation",),
        modules: Mapping[str, ModuleType] | None = None,
    ) -> Region:
        if modules is not None:
            instances = {}
            for name in names:
                (tmp_path / name).mkdir()
                url = new_database(tmp_path / name)
                instances[name] = open_instance(tmp_path / name, url, plugins, clock, SeededIds(name), modules)
            region = join(instances)
            for pair in friends:
                region.befriend(pair[0], pair[1])
        else:
            recipe = Recipe(names, plugins, friends, clock.now(), postgresql)
            if recipe not in templates:
                folder = tmp_path_factory.mktemp("region")
                templates[recipe] = make_template(recipe, folder, new_template_database)
            instances, region = copy_region(templates[recipe], tmp_path, clock, plugins, copy_database)
        opened.extend(instances.values())
        return region

    yield make
    failed = []
    for instance in opened:
        with instance.store.read() as tx:
            failed += failed_jobs(tx)
        instance.close()
    assert not failed


NewDatabase = Callable[[Path], str]


def _databases_of(request: pytest.FixtureRequest) -> tuple[NewDatabase, Callable[[str], str], NewDatabase]:
    """Functions that make a database for an instance in a folder, that copy one of PostgreSQL, and that make one which
    lasts as long as the process. The first and the last return a URL; "": a file in the folder."""
    if request.param == "postgresql":
        new = request.getfixturevalue("new_postgresql")  # now, so that they outlive the checks of `new_region`
        return lambda folder: new(), new, lambda folder: request.getfixturevalue("new_postgresql_of_session")()
    template = request.getfixturevalue("sqlite_template")

    def new_file(folder: Path) -> str:
        shutil.copyfile(template, folder / DATABASE)
        return ""

    return new_file, str, new_file


@pytest.fixture
def region(request: pytest.FixtureRequest, new_region: NewRegion) -> Region:
    """The instances of the pairs that a module names as ``PEERS = ("ab", "ac")``, or else three: a and b are peers, c
    is a stranger to both."""
    peers = getattr(request.module, "PEERS", None)
    return new_region("a", "b", "c", friends=("ab",)) if peers is None else region_of_peers(new_region, *peers)


@pytest.fixture
def farm(region: Region) -> Producer:
    return Producer(region, "a")


@pytest.fixture
def near(region: Region, farm: Producer) -> Hub:
    hub = Hub(region, "b", "near")
    farm.grant(hub)
    return hub


@pytest.fixture
def far(region: Region, farm: Producer) -> Hub:
    hub = Hub(region, "c", "far")
    farm.grant(hub)
    return hub


@pytest.fixture
def hub(region: Region) -> Hub:
    """A hub without grants."""
    return Hub(region, "b")


@dataclass(frozen=True)
class Note:
    """The object of the messages of these tests."""

    text: str


class Notes:
    """Two types of messages, OrderNote and CatalogueNote, whose handler obeys their text: "wait:x" waits until "x" has
    come, "refuse" and "boom" fail, "answer" is answered by "thanks". `done` lists handled texts by instance, `failed`
    what failed.
    """

    def __init__(self) -> None:
        self.done: dict[str, list[str]] = defaultdict(list)
        self.failed: list[tuple[str, str]] = []
        self.recovered: list[str] = []

    def at(self, federation: Federation) -> list[str]:
        return self.done[federation.iri]

    def type(self, name: str, lane: Literal["order", "catalogue"], scope: str) -> MessageType:
        return MessageType(
            name=name,
            lane=lane,
            scope=scope,
            body=Note,
            write=lambda body, writing: {"text": body.text},
            read=lambda document, reading: Note(text(document, "text", 100_000)),
        )

    def handler(self) -> Handler:
        return Handler(
            self._handle,
            failed=lambda federation, tx, failed: self.failed.append((failed.body.text, failed.code)),
            recover=lambda federation, tx, sent: self.recovered.append(sent.body.text),
        )

    def _handle(self, federation: Federation, tx: Transaction, received: Received[Any]) -> None:
        note_text: str = received.body.text
        done = self.at(federation)
        if note_text.startswith("wait:") and note_text.removeprefix("wait:") not in done:
            raise Wait(note_text)
        if note_text == "refuse":
            raise Refuse("no", "Not this.")
        if note_text == "boom":
            raise ZeroDivisionError(note_text)
        if note_text == "answer":
            post(federation, tx, received.peer.id, received.type, Note("thanks"), in_reply_to=received.id)
        done.append(note_text)


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    """The types of these tests, registered at all instances."""
    notes = Notes()
    monkeypatch.setitem(HANDLERS, notes.type("OrderNote", "order", "order.place"), notes.handler())
    monkeypatch.setitem(HANDLERS, notes.type("CatalogueNote", "catalogue", "catalogue.read"), notes.handler())
    return notes


Say = Callable[..., str]


@pytest.fixture
def say(region: Region, notes: Notes) -> Say:
    """Posts a note: ``say("a", "b", "hello")`` from a to b. Returns the message's id."""

    def post_note(
        origin: str, to: str, note_text: str, *, type: str = "OrderNote", expires: datetime | None = None
    ) -> str:
        federation, peer = region[origin], region.peer(origin, to)
        with federation.instance.store.write() as tx:
            return post(federation, tx, peer.id, type, Note(note_text), expires=expires)

    return post_note


class Forger:
    """Holds a's keys and signs any message with them; b receives it."""

    def __init__(self, region: Region) -> None:
        self.region, self._count = region, 0

    def key(self, name: str = "a") -> SigningKey:
        federation = self.region[name]
        with federation.instance.store.read() as tx:
            return current_key(federation, tx)

    def envelope(self, note_text: str = "hello", *, lane: str = "order", **changes: Any) -> dict[str, Any]:
        """Returns the next correct message of a to b, unsigned, with `changes` applied; None removes a member."""
        a, b = self.region["a"], self.region["b"]
        peer = self.region.peer("b", "a")
        with b.instance.store.read() as tx:
            row = lane_row(tx, peer.id, lane, "in")
        self._count += 1
        right = {
            "@context": CONTEXT,
            "id": f"{a.base}/-/federation/messages/forged-{self._count}",
            "type": "OrderNote" if lane == "order" else "CatalogueNote",
            "actor": a.iri,
            "to": b.iri,
            "lane": lane,
            "epoch": peer.epoch_seen,
            "seq": 1 + (row["seq"] if row else 0),
            "prev": row["hash"] if row and row["hash"] else None,
            "published": write_moment(a.instance.clock.now()),
            "object": {"text": note_text},
        }
        return {name: value for name, value in {**right, **changes}.items() if value is not None}

    def signed(self, note_text: str = "hello", **changes: Any) -> bytes:
        return canonical(sign(self.envelope(note_text, **changes), self.key(), self.region["a"].instance.clock.now()))

    def send(self, *bodies: bytes, by: str = "a", path: str = "inbox", nonce: str = "", address: str = "") -> Answer:
        """Posts messages to b in a request signed by `by`."""
        return serve(self.region["b"], self.request(*bodies, by=by, path=path, nonce=nonce), address or by)

    def request(self, *bodies: bytes, by: str = "a", path: str = "inbox", nonce: str = "") -> Request:
        url = f"{self.region['b'].base}/-/federation/{path}"
        kind = "application/x-ndjson" if path == "inbox" else "application/ld+json"
        nonce = nonce or self.region[by].instance.ids.secret()
        unsigned = Request("POST", url, [("content-type", kind)], b"\n".join(bodies))
        return sign_request(unsigned, self.key(by), self.region[by].instance.clock.now(), nonce)

    def status(self, *bodies: bytes, by: str = "a") -> tuple[int, str]:
        """Returns the status and code of the last message, or of the whole request if that was refused."""
        answer = self.send(*bodies, by=by)
        body = json.loads(answer.body)
        outcome = body["messages"][-1] if "messages" in body else body
        return outcome["status"], outcome.get("code", "")


@pytest.fixture
def forger(region: Region, notes: Notes) -> Forger:
    return Forger(region)
