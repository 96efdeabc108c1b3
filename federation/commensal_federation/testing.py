"""Several instances in one process, for tests and simulations: real code and real databases, wires of our own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from commensal import Instance

from .identity import instance_document
from .peering import accept, invite
from .peers import SCOPES, Peer, peer_by_iri
from .runtime import Federation, use_transport
from .serving.answer import serve
from .signing import canonical
from .transport import Answer, Request, Unreachable

_ROUNDS = 500  # of work, after which something goes round in circles


@dataclass
class Wires:
    """Brings requests from one instance to another, as long as no wire is cut. What passes is kept."""

    places: dict[str, Federation] = field(default_factory=dict)
    cut: set[tuple[str, str]] = field(default_factory=set)  # (from, to), by their base addresses
    passed: list[tuple[str, Request, Answer]] = field(default_factory=list)
    before: Callable[[str, Request], Answer | None] = lambda origin, request: None  # may answer in the other's place
    meanwhile: Callable[[], object] = lambda: None  # what others do while somebody waits


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
    """Instances by their names, and the wires between them."""

    wires: Wires
    members: dict[str, Federation]
    run_due: Callable[[Instance], bool]

    def __getitem__(self, name: str) -> Federation:
        return self.members[name]

    def befriend(self, one: str, other: str, scopes: Collection[str] = SCOPES) -> tuple[Peer, Peer]:
        """Both operators agree. Returns the other as `one` sees it, and the one as `other` sees it."""
        invite(self[one], self[other].base, scopes)
        self.work(one)
        accept(self[other], self.peer(other, one).id, scopes)
        self.work()
        return self.peer(one, other), self.peer(other, one)

    def peer(self, at: str, of: str) -> Peer:
        """The peer `of` as it stands at `at`."""
        with self[at].instance.store.read() as tx:
            found = peer_by_iri(tx, self[of].iri)
        assert found is not None, f"{of} is no peer of {at}"
        return found

    def work(self, *names: str) -> int:
        """Does all jobs that are due, of these instances or of all, until none is. Returns how many were done."""
        done = 0
        for _ in range(_ROUNDS):
            now = sum(self._due(name) for name in names or tuple(self.members))
            done += now
            if not now:
                return done
        raise AssertionError("work goes round in circles")

    def cut(self, one: str, other: str, *, one_way: bool = False) -> None:
        """Nothing comes through from `one` to `other`, nor back."""
        ways = [(self[one].base, self[other].base), (self[other].base, self[one].base)]
        self.wires.cut.update(ways[:1] if one_way else ways)

    def mend(self) -> None:
        self.wires.cut.clear()

    def _due(self, name: str) -> int:
        instance, done = self[name].instance, 0
        while self.run_due(instance):
            done += 1
            assert done < _ROUNDS * 20, "work goes round in circles"
        return done


def region_of(instances: Iterable[tuple[str, Instance]], run_due: Callable[[Instance], bool]) -> Region:
    """Joins instances, whose base addresses differ, by wires. `run_due` does one job that is due, if there is one."""
    wires = Wires()
    members = {}
    for name, instance in instances:
        base = instance.settings.base_url.rstrip("/")
        members[name] = wires.places[base] = use_transport(instance, Wire(wires, base))
    region = Region(wires, members, run_due)
    wires.meanwhile = region.work
    return region


def answer_of(federation: Federation, request: Request, address: str) -> Answer:
    """What an instance answers to a request that has come from this address."""
    if request.url == federation.iri:
        with federation.instance.store.read() as tx:
            document = canonical(instance_document(federation, tx))
        return Answer(200, [("content-type", "application/ld+json")], document)
    return serve(federation, request, address)
