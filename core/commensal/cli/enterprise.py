"""``commensal enterprise``: adds and lists producers and hubs, and grants hubs the right to sell."""

from __future__ import annotations

from typing import Annotated

import typer

from ..base.languages.shell import print_line, spoken
from ..instance import open_instance
from ..interfaces.terminal import print_table
from ..trade.catalogs.catalogs import create_catalog
from ..trade.catalogs.sellable import SELLING
from ..trade.enterprises.enterprises import create_enterprise, every_enterprise
from ..trade.enterprises.grants import grant
from ..trade.enterprises.plugins import enable_plugin, offered_plugins
from ..trade.people.people import person_by_email
from . import closing, guests, settings
from .folder import HERE, Folder
from .named import named_enterprise

# Plugins that need no settings, and that every hub needs for its first distribution.
_PLUGINS_OF_NEW_HUB = ("cash", "pickup", "distribution_lists", "sales", "custom_report")


def add_to(app: typer.Typer) -> None:
    enterprise = typer.Typer(help="Producers and hubs.")
    app.add_typer(enterprise, name="enterprise")
    settings.add_to(enterprise)
    guests.add_to(enterprise)
    closing.add_to(enterprise)

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
                tx, owner_id=person_by_email(tx, owner).id, currency=defaults.currency, language=defaults.language,
                timezone=defaults.timezone, name=name, is_hub=hub, is_producer=producer, city=city,
                visibility=visibility, email=email,
            )  # fmt: skip
            create_catalog(tx, enterprise_id=created.id, name="Catalogue")
            plugins = [
                plugin_id for plugin_id in offered_plugins(opened.hooks) if hub and plugin_id in _PLUGINS_OF_NEW_HUB
            ]
            for plugin in plugins:
                enable_plugin(tx, opened.hooks, created.id, plugin, {})
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
