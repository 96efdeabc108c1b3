"""Two instances that serve on loopback ports, and send each other requests over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from ..base.clock import ManualClock
from ..instance import Instance
from ..parts.serving.app import make_app
from .instances import Instances, Plan, RunJobs, client_of
from .shop import Shop, open_shop

_NAMES = ("Here", "There")


@dataclass(frozen=True)
class Pair:
    """A shop at each of two instances. `run_jobs` works at both; `url_of` is where others reach a shop's instance."""

    here: Shop
    there: Shop

    def run_jobs(self, *, failing: bool = False, **later: float) -> None:
        """Moves the one clock on, and does what is due then at both. Raises `JobFailed`."""
        self.here.run_jobs(failing=failing, **later)
        self.there.run_jobs(failing=failing)

    @staticmethod
    def url_of(shop: Shop) -> str:
        return shop.instance.settings.base_url


@contextmanager
def serve_pair(instances: Instances, folder: Path, plan: Plan, clock: ManualClock) -> Iterator[Pair]:
    """Both with the plan's plugins, switched on at their shops; each may ask the other with `http_client`."""
    with ExitStack() as stack:
        listeners = [stack.enter_context(_listening()) for _ in _NAMES]
        addresses = tuple(f"127.0.0.1:{listener.getsockname()[1]}" for listener in listeners)
        shops = []
        for name, listener, address in zip(_NAMES, listeners, addresses, strict=True):
            opened_instance = instances.open(
                folder / name.lower(), plan, clock=clock, base_url=f"http://{address}", name=name, reaching=addresses
            )
            instance = stack.enter_context(opened_instance)
            stack.enter_context(_serving(instance, listener))
            client = stack.enter_context(client_of(make_app(instance)))
            shops.append(open_shop(instance, client, RunJobs(instance, clock), plan))
        yield Pair(*shops)
        for shop in shops:
            shop.check()


@contextmanager
def _listening() -> Iterator[socket.socket]:
    """A listening socket on a free loopback port, so that no other program takes the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


@contextmanager
def _serving(instance: Instance, listener: socket.socket) -> Iterator[None]:
    settings = uvicorn.Config(make_app(instance), log_level="warning", access_log=False, lifespan="on")
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
