"""``commensal enterprise``: adds and lists producers and hubs, and grants hubs the right to sell."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ...catalogs.catalogs import SELLING, create_catalog
from ...enterprises.enterprises import create_enterprise, every_enterprise
from ...enterprises.grants import grant
from ...enterprises.plugins import enable_first_plugins
from ...instance import open_instance
from ...people.people import person_by_email
from ..supply.policy import change_closing_policy, closing_policy_of
from ..terminal.lists import print_table
from ..terminal.shell import print_line, spoken
from . import guests, settings
from .named import HERE, Folder, named_enterprise


def add_to(app: typer.Typer) -> None:
    enterprise = typer.Typer(help="Producers and hubs.")
    app.add_typer(enterprise, name="enterprise")
    settings.add_to(enterprise)
    guests.add_to(enterprise)
    _add_closing(enterprise)

    @enterprise.command("add")
    def add(
        name: Annotated[str, typer.Argument(help="What people call it.")],
        owner: Annotated[str, typer.Option(help="The e-mail address of the person who runs it.")],
        hub: Annotated[bool, typer.Option("--hub", help="It sells, also for others.")] = False,
        producer: Annotated[bool, typer.Option("--producer", help="It produces.")] = False,
        email: Annotated[str, typer.Option(help="The public address; its owner's stays private.")] = "",
        city: Annotated[str, typer.Option(help="Where it is.")] = "",
        visibility: Annotated[str, typer.Option(help="public, link or hidden.")] = "public",
        instance: Folder = HERE,
    ) -> None:
        """Makes an enterprise with an empty catalog. A hub begins with cash, pickup and the lists that it prints."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            defaults = opened.settings
            created = create_enterprise(
                tx,
                owner_id=person_by_email(tx, owner).id,
                currency=defaults.currency,
                language=defaults.language,
                timezone=defaults.timezone,
                name=name,
                is_hub=hub,
                is_producer=producer,
                city=city,
                visibility=visibility,
                email=email,
            )
            create_catalog(tx, enterprise_id=created.id, name="Catalogue")
            if hub:
                enable_first_plugins(tx, opened.hooks, created.id)
        print_line("{name} is called {slug} in commands and addresses.", name=created.name, slug=created.slug)

    @enterprise.command("list")
    def list_command(instance: Folder = HERE) -> None:
        """Lists enterprises: their names in commands, what they are, and their ids."""
        rows = []
        with open_instance(instance) as opened, opened.store.read() as tx:
            for row in every_enterprise(tx):
                words = ((spoken("producer"), row.is_producer), (spoken("hub"), row.is_hub))
                kinds = [word for word, yes in words if yes]
                rows.append((row.slug, row.name, ", ".join(kinds), row.id))
        short = spoken("name in commands")
        print_table((short, spoken("name"), spoken("is"), "id"), rows, one_line=[short])

    @enterprise.command("grant")
    def grant_command(
        producer: Annotated[str, typer.Argument(help="Who lets its products be sold.")],
        hub: Annotated[str, typer.Argument(help="Who may sell them.")],
        instance: Folder = HERE,
    ) -> None:
        """Lets a hub list and sell the products of a producer."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            from_id, to_id = named_enterprise(tx, producer).id, named_enterprise(tx, hub).id
            for scope in SELLING:
                grant(tx, from_id, to_id, scope)
        print_line("{hub} may sell the products of {producer}.", hub=hub, producer=producer)


def _add_closing(app: typer.Typer) -> None:
    @app.command("closing")
    def closing_command(
        hub: Annotated[str, typer.Argument(help="The hub: its id or its name in addresses.")],
        telling: Annotated[
            str | None, typer.Option(help='When suppliers get their orders: "at the cut-off", or "by hand".')
        ] = None,
        shortage: Annotated[
            str | None, typer.Option(help='Whose order shrinks: "newest first", "pro rata", or "by hand".')
        ] = None,
        final_mail: Annotated[bool | None, typer.Option(help="Mail customers their final order.")] = None,
        reminder: Annotated[bool | None, typer.Option(help="Remind them on the evening before.")] = None,
        instance: Folder = HERE,
    ) -> None:
        """Shows what happens at the cut-offs of a hub's sales. With options, changes it."""
        options = {"telling": telling, "shortage": shortage, "final_mail": final_mail, "reminder": reminder}
        changes: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                enterprise_id = named_enterprise(tx, hub).id
                policy = closing_policy_of(tx, enterprise_id)
            if changes:
                with opened.store.write() as tx:
                    policy = change_closing_policy(tx, enterprise_id, **changes)
        rows = [
            ("--telling", policy.telling),
            ("--shortage", policy.shortage),
            ("--final-mail", spoken("yes") if policy.final_mail else spoken("no")),
            ("--reminder", spoken("yes") if policy.reminder else spoken("no")),
        ]
        print_table((spoken("option"), spoken("now")), rows, one_line=[spoken("option")])
