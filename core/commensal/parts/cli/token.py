"""``commensal token``: makes an API token for a person."""

from __future__ import annotations

from typing import Annotated

import typer

from ...enterprises.tokens import make_token
from ...instance import open_instance
from ...people.people import person_by_email
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("token")
    def token(
        email: Annotated[str, typer.Argument(help="Whose token.")],
        name: Annotated[str, typer.Option(help="What it is for.")],
        scope: Annotated[list[str], typer.Option(help="What it may do; repeat for several.")],
        enterprise: Annotated[str | None, typer.Option(help="Only at this enterprise (its id).")] = None,
        instance: Folder = HERE,
    ) -> None:
        """Makes a token and shows it once."""
        with open_instance(instance) as opened, opened.store.write() as tx:
            person = person_by_email(tx, email)
            new_token = make_token(tx, person.id, name=name, scopes=frozenset(scope), enterprise_id=enterprise)
        typer.echo(new_token.secret)
