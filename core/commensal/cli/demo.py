"""``commensal demo``: the demo region, to look around in, or to see the whole story checked."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ..demo.fill import PASSWORD, Filled, fill
from ..demo.region import draw_region
from ..demo.story import tell_story
from ..demo.values import Region
from ..enterprises.enterprises import enterprises_by_id
from ..instance import Instance, open_instance
from ..instance.begin import USUAL, begin_instance
from ..printing import console
from ..serving import serve


def add_to(app: typer.Typer) -> None:
    @app.command("demo")
    def demo(
        check: Annotated[bool, typer.Option("--check", help="Run the story to its end, check it, and stop.")] = False,
        folder: Annotated[Path | None, typer.Option(help="Leave the instance here; else it is temporary.")] = None,
        scale: Annotated[int, typer.Option(min=1, max=100, help="Multiplies the region.")] = 1,
        seed: Annotated[int, typer.Option(help="Another seed draws another region.")] = 1,
        port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8000,
        plugin: Annotated[list[str] | None, typer.Option(help="An installed plugin that every hub uses too.")] = None,
    ) -> None:
        """Makes an instance with the demo region: three hubs, thirty producers, two hundred customers, past sales."""
        with _place(folder) as place:
            port = 0 if check else port
            more = plugin or []
            begin_instance(
                place, name="Région de démonstration", base_url=f"http://127.0.0.1:{port or 8000}", port=port,
                plugins=tuple(dict.fromkeys([*USUAL, *more])),
            )  # fmt: skip
            with open_instance(place) as opened:
                region = draw_region(seed, scale)
                filled = fill(opened, region, also=more)
                if not check:
                    serve(opened, port=port, started=lambda url: _greet(opened, region, filled, url))
                elif not tell_story(opened, filled, region, console):
                    raise typer.Exit(1)


@contextmanager
def _place(folder: Path | None) -> Iterator[Path]:
    """The folder that was asked for, or one that is gone afterwards."""
    if folder is not None:
        yield folder
        return
    temporary = Path(tempfile.mkdtemp(prefix="commensal-demo-"))
    try:
        yield temporary / "instance"
    finally:
        shutil.rmtree(temporary)


def _greet(instance: Instance, region: Region, filled: Filled, url: str) -> None:
    with instance.store.read() as tx:
        known = enterprises_by_id(tx, filled.hubs)
    console.print(f"\n[bold]Commensal is serving the demo region at {url}[/bold]\n")
    for hub in filled.hubs:
        console.print(f"  {known[hub].name}: {url}/hubs/{known[hub].slug}")
    console.print(f"\nEverybody's password is [bold]{PASSWORD}[/bold]. Log in at {url}/login as")
    console.print(f"  {filled.operator}  (runs the instance)")
    console.print(f"  {region.hubs[0].owner.email}  (runs the hub {region.hubs[0].name})")
    console.print(f"  {region.producers[0].owner.email}  (produces at {region.producers[0].name})")
    console.print(f"  {region.shoppers[0].somebody.email}  (shops)")
    console.print(f"\nThe API describes itself at {url}/api/openapi.json.")
    console.print(f"E-mails are written into {instance.folder / 'mail'}.")
    console.print("Stop with Ctrl-C; then everything here is gone.\n")
