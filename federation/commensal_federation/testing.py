"""Several instances in one process, for tests, simulations and the demo: real code and databases, an own transport."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlsplit

from commensal import Instance, NotFound
from commensal.parts.pictures import read_picture

from .identity import begin_identity, instance_document
from .peering import accept, invite
from .peers import SCOPES, Peer, peer_by_iri
from .runtime import Federation, federation_of, use_transport
from .serving.answer import serve
from .signing import canonical
from .transport import Answer, Request, Unreachable

_ROUNDS = 500  # of work; more mean an endless loop of messages


@dataclass
class Wires:
    """Carries requests between instances unless a wire is cut, and records what passes."""

    places: dict[str, Federation] = field(default_factory=dict)
    cut: set[tuple[str, str]] = field(default_factory=set)  # (from, to), by their base addresses
    passed: list[tuple[str, Request, Answer]] = field(default_factory=list)
    before: Callable[[str, Request], Answer | None] = lambda origin, request: None  # may answer instead of the receiver
    meanwhile: Callable[[], object] = lambda: None  # runs the others while one waits


@dataclass(frozen=True)
class Wire:
    """The transport of one instance."""

    wires: Wires
    base: str

    def send(self, request: Request, *, seconds: float, size: int) -> Answer:
        parts = urlsplit(request.url)
        base = f"{parts.scheme}://{parts.netloc}"
        if base not in self.wires.places or (self.base, base) in self.wires.cut:
            raise Unreachable(f"there is no way from {self.base} to {base}")
        answer = self.wires.before(self.base, request) or answer_of(self.wires.places[base], request, self.base)
        if len(answer.body) > size:
            raise Unreachable(f"the answer is larger than {size} bytes")
        self.wires.passed.append((self.base, request, answer))
        if (base, self.base) in self.wires.cut:
            raise Unreachable(f"the answer of {base} got lost")
        return answer

    def wait(self, seconds: float) -> None:
        self.wires.meanwhile()


@dataclass
class Region:
    """Instances by name, and the wires between them."""

    wires: Wires
    members: dict[str, Federation]
    run_due: Callable[[Instance], bool]

    def __getitem__(self, name: str) -> Federation:
        return self.members[name]

    def befriend(self, name: str, other: str, scopes: Collection[str] = SCOPES) -> tuple[Peer, Peer]:
        """Makes two instances peers. Returns `other` as a peer of `name`, and `name` as a peer of `other`."""
        invite(self[name], self[other].base, scopes)
        self.work(name)
        accept(self[other], self.peer(other, name).id, scopes)
        self.work()
        return self.peer(name, other), self.peer(other, name)

    def peer(self, at: str, of: str) -> Peer:
        """The peer row of instance `of` in the database of `at`."""
        with self[at].instance.store.read() as tx:
            peer = peer_by_iri(tx, self[of].iri)
        assert peer is not None, f"{of} is not a peer of {at}"
        return peer

    def work(self, *names: str) -> int:
        """Does due jobs of these instances, or of all, until none is due. Returns how many were done."""
        done = 0
        for _ in range(_ROUNDS):
            count = sum(self._due(name) for name in names or tuple(self.members))
            done += count
            if not count:
                return done
        raise AssertionError("work goes round in circles")

    def cut(self, name: str, other: str, *, one_way: bool = False) -> None:
        """Cuts the wire from `name` to `other`, and back unless `one_way`."""
        ways = [(self[name].base, self[other].base), (self[other].base, self[name].base)]
        self.wires.cut.update(ways[:1] if one_way else ways)

    def mend(self) -> None:
        self.wires.cut.clear()

    def _due(self, name: str) -> int:
        instance, done = self[name].instance, 0
        while self.run_due(instance):
            done += 1
            assert done < _ROUNDS * 20, "work goes round in circles"
        return done


class _Place(Protocol):
    @property
    def instance(self) -> Instance: ...


class TwoInstances(Protocol):
    """What the fixture `two_instances` of `commensal.testing` gives."""

    @property
    def here(self) -> _Place: ...

    @property
    def there(self) -> _Place: ...

    def run_jobs(self) -> None: ...


def make_peers(pair: TwoInstances, *scopes: str) -> None:
    """Makes the instances of the fixture `two_instances` peers. Each may do these scopes at the other."""
    here, there = (federation_of(shop.instance) for shop in (pair.here, pair.there))
    for federation in (here, there):
        begin_identity(federation)
    invite(here, there.base, scopes, requested=scopes)
    pair.run_jobs()
    with there.instance.store.read() as tx:
        peer = peer_by_iri(tx, here.iri)
    assert peer is not None, "the request has not arrived"
    accept(there, peer.id, scopes)
    pair.run_jobs()


def region_of(instances: Iterable[tuple[str, Instance]], run_due: Callable[[Instance], bool]) -> Region:
    """Connects instances with different addresses by wires. `run_due` does one due job and returns whether it did."""
    wires = Wires()
    members = {}
    for name, instance in instances:
        base = instance.settings.base_url.rstrip("/")
        members[name] = wires.places[base] = use_transport(instance, Wire(wires, base))
    region = Region(wires, members, run_due)
    wires.meanwhile = region.work
    return region


def answer_of(federation: Federation, request: Request, address: str) -> Answer:
    """The answer of an instance to a request from this address."""
    if request.url == federation.iri:
        with federation.instance.store.read() as tx:
            document = canonical(instance_document(federation, tx))
        return Answer(200, [("content-type", "application/ld+json")], document)
    image_id = request.url.removeprefix(f"{federation.base}/api/images/")
    if image_id != request.url:
        return _image_answer(federation.instance, image_id)
    return serve(federation, request, address)


def _image_answer(instance: Instance, image_id: str) -> Answer:
    try:
        with instance.store.read() as tx:
            return Answer(200, [("content-type", "image/webp")], read_picture(tx, instance.images, image_id))
    except NotFound:
        return Answer(404, [], b"")
