"""A plugin adds its own message type, which instances exchange over real HTTP."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import pytest

import commensal_federation
from commensal import Instance, Invalid, PluginError, Transaction, hookimpl
from commensal.audit.trail import AuditFilter, audit_entries
from commensal.base.clock import ManualClock
from commensal.hooks.failures import failures_by_plugin
from commensal.hooks.loading import load_plugins
from commensal.instance.instance import DATABASE
from commensal.parts.serving.work import work_of
from commensal.storage.database import Store
from commensal.storage.jobs.run import run_due
from commensal.testing.instances import NOON, Instances, Plan
from commensal_federation import messages
from commensal_federation.delivery.outbox.dead_letters import Box, Letter, newest, replay
from commensal_federation.handlers import HANDLERS, TYPES
from commensal_federation.identity import begin_identity
from commensal_federation.messaging import (
    Failed,
    Federation,
    Handler,
    MessageType,
    Reading,
    Received,
    Refuse,
    Unreadable,
    Writing,
    federation_of,
    number,
    peer_by_iri,
    post,
    text,
)
from commensal_federation.peering import accept, invite
from commensal_federation.peering.deciding import change_scopes

from ..ports import free_ports
from .serving import serving

SCOPE = "crates.return"


@dataclass(frozen=True)
class CrateReturn:
    """`crates`: how many empty crates come back."""

    driver: str
    crates: int


class Crates:
    """The plugin at one instance, with what its handler received; `broken` makes it fail as a plugin may, `hang` and
    `hang_reading` may keep it waiting."""

    def __init__(self) -> None:
        self.came: list[int] = []
        self.refused: list[str] = []
        self.broken = self.unreadable = False
        self.hang_reading: Callable[[], object] = lambda: None
        self.hang: Callable[[], object] = lambda: None
        self.type = MessageType(
            name="crates.CrateReturn",
            lane="order",
            scope=SCOPE,
            body=CrateReturn,
            write=_write,
            read=self._read,
            largest=8_000,
        )

    @property
    def module(self) -> ModuleType:
        module = ModuleType("crates")
        handler = Handler(self._handle, failed=self._failed)
        module.message_types = hookimpl(lambda: {self.type: handler})  # type: ignore[attr-defined]
        return module

    def _read(self, document: Mapping[str, Any], reading: Reading) -> CrateReturn:
        self.hang_reading()
        if self.unreadable:
            raise KeyError("driver")
        return CrateReturn(text(document, "driver", 10_000), number(document, "crates"))

    def _handle(self, federation: Federation, tx: Transaction, received: Received[Any]) -> None:
        self.hang()
        if self.broken:
            raise ZeroDivisionError("crates by pallets")
        if received.body.crates > 100:
            raise Refuse("too_many", "A van carries a hundred crates.")
        self.came.append(received.body.crates)

    def _failed(self, federation: Federation, tx: Transaction, failed: Failed[Any]) -> None:
        self.refused.append(f"{failed.body.crates}: {failed.code}")


def _write(body: CrateReturn, writing: Writing) -> dict[str, Any]:
    return {"type": "crates.CrateReturn", "driver": body.driver, "crates": body.crates}


class Example:
    """The plugin shown in the documentation."""

    def __init__(self, file: Path) -> None:
        spec = spec_from_file_location("crates", file)
        assert spec is not None
        assert spec.loader is not None
        self.module = module_from_spec(spec)
        sys.modules["crates"] = self.module  # dataclasses look for their module there
        spec.loader.exec_module(self.module)
        del sys.modules["crates"]


Plugin = Crates | Example | None


class Pair:
    """Two instances on loopback, a and b, that serve over HTTP; tests run their jobs in one thread."""

    def __init__(self, folder: Path, instances: Instances, plugins: Mapping[str, Plugin]) -> None:
        self._folder, self._ports = folder, dict(zip("ab", free_ports(2), strict=True))
        self._instances, self.clock = instances, ManualClock(NOON)
        self._servers: dict[str, ExitStack] = {}
        self.members: dict[str, Federation] = {}
        for name, crates in plugins.items():
            self.members[name] = federation_of(self._new_instance(name, crates))
            begin_identity(self.members[name])
            self.serve(name)
        invite(self["a"], self["b"].base, ["order.place"])
        self.work()
        accept(self["b"], self.peer_id("b"), ["order.place"])
        self.work()

    def __getitem__(self, name: str) -> Federation:
        return self.members[name]

    def serve(self, name: str) -> None:
        self._servers[name] = ExitStack()
        self._servers[name].enter_context(serving(self[name].instance, self._ports[name], jobs=False))

    def stop(self, name: str) -> None:
        """Ends the instance as a process ends: only its folder remains."""
        self._servers[name].close()
        self[name].instance.close()

    def start(self, name: str, crates: Plugin) -> None:
        """Starts the instance as a process starts, with or without the plugin."""
        self.members[name] = federation_of(self._instance(name, crates, self[name].instance))
        self.serve(name)

    def restart(self, name: str, crates: Plugin) -> None:
        self.stop(name)
        self.start(name, crates)

    def work(self, names: str = "ab") -> None:
        """Runs the due jobs until none is left."""
        for _ in range(50):
            ran = [run_due(self[name].instance, work_of(self[name].instance)) for name in names]
            if not any(ran):
                return
        raise AssertionError("work goes round in circles")

    def peer_id(self, at: str) -> str:
        """Returns the id of the other instance as a peer of `at`."""
        other = self["b" if at == "a" else "a"]
        with self[at].instance.store.read() as tx:
            peer = peer_by_iri(tx, other.iri)
        assert peer is not None
        return peer.id

    def grant(self, *scopes: str) -> None:
        """Sets what a may do at b."""
        with self["b"].instance.store.write() as tx:
            peer = peer_by_iri(tx, self["a"].iri)
            assert peer is not None
            change_scopes(self["b"], tx, peer.id, peer.version, scopes)
        self.work()

    def send(self, crates: int, driver: str = "Val") -> str:
        """Posts a message from a to b."""
        with self["a"].instance.store.write() as tx:
            return post(self["a"], tx, self.peer_id_in(tx), "crates.CrateReturn", CrateReturn(driver, crates))

    def peer_id_in(self, tx: Transaction) -> str:
        peer = peer_by_iri(tx, self["b"].iri)
        assert peer is not None
        return peer.id

    def letter(self, at: str, box: Box, id: str) -> Letter:
        with self[at].instance.store.read() as tx:
            return next(letter for letter in newest(tx, box) if letter.id == id)

    def close(self) -> None:
        for name in self.members:
            self.stop(name)

    def _plan(self, crates: Plugin) -> Plan:
        if crates is None:
            return Plan(plugins=("federation",))
        modules = {"crates": crates.module, "federation": commensal_federation}
        return Plan(plugins=("federation", "crates"), modules=modules)

    def _new_instance(self, name: str, crates: Plugin) -> Instance:
        return self._instances.open(
            self._folder / name,
            self._plan(crates),
            clock=self.clock,
            name=name,
            base_url=f"http://127.0.0.1:{self._ports[name]}",
            reaching=tuple(f"127.0.0.1:{port}" for port in self._ports.values()),
        )

    def _instance(self, name: str, crates: Plugin, before: Instance) -> Instance:
        plan = self._plan(crates)
        settings = replace(before.settings, plugins={"enabled": list(plan.plugins)})
        store = Store(f"sqlite:///{before.folder / DATABASE}", clock=self.clock, ids=before.ids)
        hooks = load_plugins(settings, clock=self.clock, modules=plan.modules)
        return Instance(before.folder, settings, store, hooks, self.clock, before.ids)


NewPair = Callable[[Plugin, Plugin], Pair]


@pytest.fixture(scope="module")
def instances(tmp_path_factory: pytest.TempPathFactory) -> Instances:
    """One for all tests here, so that the database is migrated once."""
    return Instances(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def new_pair(tmp_path: Path, instances: Instances) -> Iterator[NewPair]:
    """``new_pair(crates_of_a, crates_of_b)``; None: that instance does not have the plugin."""
    with ExitStack() as stack:

        def make(a: Plugin, b: Plugin) -> Pair:
            pair = Pair(tmp_path, instances, {"a": a, "b": b})
            stack.callback(pair.close)
            return pair

        yield make


def test_a_message_of_a_plugin_reaches_its_handler_at_the_other_instance(new_pair: NewPair) -> None:
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, plugin_of_b)
    pair.grant("order.place", SCOPE)
    id = pair.send(12)
    pair.work()
    assert plugin_of_b.came == [12]
    assert pair.letter("a", "out", id).state == "delivered"
    assert pair.letter("b", "in", id).state == "done"


def test_a_message_waits_through_a_restart_of_both(new_pair: NewPair) -> None:
    pair = new_pair(Crates(), Crates())
    pair.grant("order.place", SCOPE)
    pair.stop("b")
    id = pair.send(12)
    pair.work("a")
    assert pair.letter("a", "out", id).state == "waiting"
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair.restart("a", plugin_of_a)
    pair.start("b", plugin_of_b)
    pair.clock.advance(minutes=5)
    pair.work()
    assert plugin_of_b.came == [12]
    assert pair.letter("a", "out", id).state == "delivered"


def test_a_peer_without_the_plugin_answers_by_a_problem_and_nothing_is_lost(new_pair: NewPair) -> None:
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, None)
    id = pair.send(12)
    pair.work()
    letter = pair.letter("a", "out", id)
    assert (letter.state, letter.error) == ("dead", "type: crates.CrateReturn is not spoken here")
    assert plugin_of_a.refused == ["12: type"]
    pair.restart("b", plugin_of_b)
    pair.grant("order.place", SCOPE)
    with pair["a"].instance.store.write() as tx:
        replay(pair["a"], tx, "out", id)
    pair.work()
    assert plugin_of_b.came == [12]


def test_the_scope_of_a_plugin_is_granted_by_the_operator(new_pair: NewPair) -> None:
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, plugin_of_b)
    assert SCOPE in pair["b"].scopes
    id = pair.send(12)
    pair.work()
    assert pair.letter("a", "out", id).error == f"scope: {SCOPE} is not given to this peer"
    assert plugin_of_b.came == []
    pair.grant("order.place", SCOPE)
    with pair["a"].instance.store.read() as tx:
        peer = peer_by_iri(tx, pair["b"].iri)
    assert peer is not None
    assert SCOPE in peer.scopes_received
    pair.send(13)
    pair.work()
    assert plugin_of_b.came == [13]


def test_a_scope_of_a_plugin_that_is_not_here_cannot_be_granted(new_pair: NewPair) -> None:
    pair = new_pair(Crates(), None)
    with pytest.raises(Invalid):
        pair.grant(SCOPE)


def test_a_refusal_of_the_handler_is_told_to_the_sender(new_pair: NewPair) -> None:
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, plugin_of_b)
    pair.grant(SCOPE)
    pair.send(101)
    pair.work()
    assert plugin_of_a.refused == ["101: too_many"]
    assert failures_at(pair["b"]) == {}, "a refusal is no fault"


@pytest.mark.parametrize("fault", ["broken", "unreadable"])
def test_a_message_that_a_plugin_fails_on_is_parked_and_named(new_pair: NewPair, fault: str) -> None:
    """The other messages of its batch are handled, and it is handled itself once the plugin is mended."""
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, plugin_of_b)
    pair.grant(SCOPE)
    setattr(plugin_of_b, fault, True)
    id = pair.send(12)
    pair.work()
    letter = pair.letter("b", "in", id)
    assert letter.state == "parked"
    assert letter.error.startswith(f"plugin crates: {'ZeroDivisionError' if fault == 'broken' else 'KeyError'}")
    assert failures_at(pair["b"]) == {"crates": "message crates.CrateReturn"}
    assert pair.letter("a", "out", id).state == "delivered"
    setattr(plugin_of_b, fault, False)
    pair.send(13)
    pair.work()
    assert sorted(plugin_of_b.came) == [12, 13]
    assert pair.letter("b", "in", id).state == "done"


def test_a_message_beyond_its_limit_is_not_posted_and_not_taken(new_pair: NewPair) -> None:
    plugin_of_a, plugin_of_b = Crates(), Crates()
    pair = new_pair(plugin_of_a, plugin_of_b)
    pair.grant(SCOPE)
    with pytest.raises(Unreadable, match="at most 8000 bytes"):
        pair.send(1, driver="v" * 8_000)
    plugin_of_a.type = replace(plugin_of_a.type, largest=100_000)
    pair.restart("a", plugin_of_a)
    pair.send(1, driver="v" * 8_000)
    pair.work()
    assert plugin_of_a.refused == ["1: too_large"]
    assert plugin_of_b.came == []


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "a name of another plugin": ({"name": "stripe.CrateReturn"}, "must be a name like crates.CrateReturn"),
    "a name of the federation": ({"name": "OrderUpdate"}, "must be a name like crates.CrateReturn"),
    "a scope of another plugin": ({"scope": "stripe.return"}, "crates.<word>"),
    "the lane of peering": ({"lane": "peering"}, "must be order or catalogue"),
    "strangers may send it": ({"states": frozenset({"requested"})}, "accepted peers only"),
    "it opens an epoch": ({"opens": True}, "opens no epoch"),
    "no limit": ({"largest": 10**9}, "must be 1 to 1048576 bytes"),
    "a body that is not a dataclass": ({"body": dict}, "must be a frozen dataclass"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_a_type_that_breaks_the_rules_stops_the_start_and_names_the_plugin(
    tmp_path: Path, instances: Instances, name: str
) -> None:
    changes, message = UNFIT[name]
    crates = Crates()
    crates.type = replace(crates.type, **changes)
    plan = Plan(plugins=("federation", "crates"), modules={"crates": crates.module, "federation": commensal_federation})
    with instances.open(tmp_path / "a", plan) as instance, pytest.raises(PluginError, match=message) as error:
        federation_of(instance)
    assert error.value.plugin == "crates"


def test_the_example_of_the_page_is_a_plugin_that_works(new_pair: NewPair, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "federation" / "PLUGIN_MESSAGES.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"^```python file=crates\.py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "crates.py"
    file.write_text(source, encoding="utf-8")
    crates = Example(file)
    pair = new_pair(crates, crates)
    pair.grant(SCOPE)
    with pair["a"].instance.store.write() as tx:
        peer_id = pair.peer_id_in(tx)
        sent = [crates.module.send_crates(pair["a"], tx, peer_id, "Val", number) for number in (12, 101)]
    pair.work()
    assert [pair.letter("b", "in", id).state for id in sent] == ["done", "dead"]
    with pair["b"].instance.store.read() as tx:
        (entry,) = audit_entries(tx, AuditFilter(object_kind="crates"))
    assert (entry.object_id, entry.command) == ("12", "message crates.CrateReturn")


def test_every_type_of_the_federation_has_its_handler() -> None:
    modules = [import_module(f"{messages.__name__}.{module.name}") for module in iter_modules(messages.__path__)]
    named = [value for module in modules for value in vars(module).values() if isinstance(value, MessageType)]
    assert {message_type.name for message_type in named} == {message_type.name for message_type in HANDLERS}
    assert all(message_type in HANDLERS for message_type in named)
    assert len(TYPES) == len(HANDLERS), "two types have one name"


def failures_at(federation: Federation) -> dict[str, str]:
    """The hook in which each plugin failed, as the operator reads it."""
    federation.instance.hooks.flush_failures()
    with federation.instance.store.read() as tx:
        return {plugin: failures.hook for plugin, failures in failures_by_plugin(tx).items()}
