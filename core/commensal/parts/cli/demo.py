"""``commensal demo``: serves the demo region and its neighbours, or checks the whole demo story."""

from __future__ import annotations

import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from ...enterprises.enterprises import enterprises_by_id
from ...hooks import specifications
from ...hooks.values import DemoNetwork, DemoStory
from ...instance import Instance, open_instance
from ..demo.fill import PASSWORD, Filled, fill
from ..demo.neighbours import Running, port_of, reserve_ports, running, settle_neighbour
from ..demo.region import draw_region
from ..demo.story import tell_story
from ..demo.values import DemoRegion
from ..setup.begin import begin_instance, usual_plugins
from ..terminal.lists import console
from ..terminal.shell import print_line, spoken
from .init import print_left_out

NEIGHBOURS = 2


def add_to(app: typer.Typer) -> None:
    @app.command("demo")
    def demo(
        check: Annotated[bool, typer.Option("--check", help="Run the story to its end, check it, and stop.")] = False,
        folder: Annotated[Path | None, typer.Option(help="Leave the instances here; else they are temporary.")] = None,
        scale: Annotated[int, typer.Option(min=1, max=100, help="Multiplies the region.")] = 1,
        seed: Annotated[int, typer.Option(help="Another seed draws another region.")] = 1,
        port: Annotated[
            int, typer.Option(min=0, max=65535, help="The first port to listen on; 0 takes free ones.")
        ] = 8000,
        plugin: Annotated[list[str] | None, typer.Option(help="An installed plugin that every hub uses too.")] = None,
        alone: Annotated[bool, typer.Option("--alone", help="The region's instance, without neighbours.")] = False,
    ) -> None:
        """Makes the demo region, with three hubs and thirty producers, and two instances that trade with it."""
        count = 1 if alone else 1 + NEIGHBOURS
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the instances and their folder end, too
        with _make_folder(folder) as place, _reserve_ports(0 if check else port, count) as sockets:
            folders = [place, *(place / f"neighbour{number}" for number in range(1, count))]
            _begin_instances(folders, [port_of(sock) for sock in sockets], plugin or [])
            print_line("Filling the demo region. This takes about half a minute …")
            with ExitStack() as stack:
                home, *neighbours = [stack.enter_context(open_instance(instance_folder)) for instance_folder in folders]
                region = draw_region(seed, scale)
                filled = fill(home, region, also=plugin or [])
                stories = _make_stories(home, filled, region, neighbours)
                if check and not tell_story(home, filled, region, console):
                    raise typer.Exit(1)
                greeting = _make_greeting(home, region, filled, f"http://127.0.0.1:{port_of(sockets[0])}")
            with suppress(KeyboardInterrupt), running(folders, sockets, console) as processes:
                if check:
                    problems = _tell_stories(stories, processes)
                    for problem in problems:
                        console.print(spoken("[red]wrong[/red] {problem}", problem=problem))
                    raise typer.Exit(1 if problems else 0)
                _print_greeting(greeting, stories, processes.url(0), place, permanent=folder is not None)
                processes.wait()


@contextmanager
def _reserve_ports(first: int, count: int) -> Iterator[list[socket.socket]]:
    """Bound sockets, so that no other program takes their ports before the instances start. Prints a line for each port
    that was taken already."""
    sockets = reserve_ports(first, count)
    try:
        for wanted_port, port in enumerate(map(port_of, sockets), first):
            if first and port != wanted_port:
                print_line("Port {wanted} is taken; port {got} is used instead.", wanted=wanted_port, got=port)
        yield sockets
    finally:
        for sock in sockets:
            sock.close()


def _begin_instances(folders: Sequence[Path], ports: Sequence[int], plugins: Sequence[str]) -> None:
    names = ("Région de démonstration", "Le Littoral", "Le Plateau")
    usual, absent = usual_plugins()
    print_left_out(absent)
    for folder, port, name in zip(folders, ports, names, strict=False):
        begin_instance(
            folder,
            name=name,
            base_url=f"http://127.0.0.1:{port}",
            port=port,
            allow=("127.0.0.1",),
            plugins=tuple(dict.fromkeys([*usual, *plugins])),
            new_enterprises="everybody",
        )


def _make_stories(
    home: Instance, filled: Filled, region: DemoRegion, neighbours: Sequence[Instance]
) -> list[DemoStory]:
    """The demo stories of plugins that need several instances."""
    if not neighbours:
        return []
    settled = [settle_neighbour(neighbour, region, number) for number, neighbour in enumerate(neighbours)]
    network = DemoNetwork(home=home, hub_id=filled.hubs[0], producer_ids=tuple(filled.producers), neighbours=settled)
    return [answer.value for answer in home.hooks.each(specifications.demo_network, network=network) if answer.value]


def _tell_stories(stories: Sequence[DemoStory], processes: Running) -> list[str]:
    """Acts out one story after the other, each with all instances running. Returns what went wrong."""
    problems: list[str] = []
    for story in stories:
        processes.start_stopped()
        problems += story.tell(processes)
    return problems


@contextmanager
def _make_folder(folder: Path | None) -> Iterator[Path]:
    """The given folder, or a temporary one, which is deleted afterwards."""
    if folder is not None:
        yield folder
        return
    temporary = Path(tempfile.mkdtemp(prefix="commensal-demo-"))
    try:
        yield temporary / "instance"
    finally:
        shutil.rmtree(temporary)


def _make_greeting(instance: Instance, region: DemoRegion, filled: Filled, url: str) -> list[str]:
    """Lines with the URLs of the hubs, and the accounts to log in with."""
    with instance.store.read() as tx:
        hubs = enterprises_by_id(tx, filled.hubs)
    hub, producer, shopper = region.hubs[0], region.producers[0], region.shoppers[0].somebody
    people = [
        spoken("{email}  (runs the instance)", email=filled.operator),
        spoken("{email}  (runs the hub {name})", email=hub.owner.email, name=hub.name),
        spoken("{email}  (produces at {name})", email=producer.owner.email, name=producer.name),
        spoken("{email}  (shops)", email=shopper.email),
    ]
    return [
        *(f"  {hubs[hub_id].name}: {url}/hubs/{hubs[hub_id].slug}" for hub_id in filled.hubs),
        "",
        spoken("Everybody's password is [bold]{password}[/bold]. Log in at {url}/login as", password=PASSWORD, url=url),
        *(f"  {person}" for person in people),
        *_office_lines(instance, url),
    ]


def _office_lines(instance: Instance, url: str) -> list[str]:
    """Where those who run the week begin, if the plugin with these pages is installed."""
    if "office" not in instance.settings.plugins.get("enabled", ()):
        return []
    return ["", spoken("Who runs a hub or produces finds their week at {url}/office.", url=url)]


def _print_greeting(
    greeting: Sequence[str], stories: Sequence[DemoStory], url: str, folder: Path, *, permanent: bool
) -> None:
    console.print()
    console.print(spoken("[bold]Commensal is serving the demo region at {url}[/bold]", url=url))
    for line in ("", *greeting):
        console.print(line)
    if stories:
        console.print()
        console.print(spoken("To try with the neighbours:"))
    for suggestion in (suggestion for story in stories for suggestion in story.tries):
        console.print(f"  {suggestion}")
    console.print()
    console.print(spoken("The API describes itself at {url}/api/openapi.json.", url=url))
    console.print(spoken("E-mails are written into {folder}.", folder=folder / "mail"))
    text = "Stop with Ctrl-C; {folder} stays." if permanent else "Stop with Ctrl-C; then everything here is gone."
    console.print(spoken(text, folder=folder))
    console.print()
