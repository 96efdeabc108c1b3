"""``commensal user``: people, from the shell of who runs the instance."""

from __future__ import annotations

from typing import Annotated

import typer

from ..instance import open_instance
from ..people.operators import add_operator
from .folder import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("user")
    def user(
        email: Annotated[str, typer.Argument(help="The e-mail address, which is also the log-in.")],
        password: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True)],
        name: Annotated[str, typer.Option(help="What to call them.")] = "",
        operator: Annotated[bool, typer.Option(help="They run the instance.")] = False,
        instance: Folder = HERE,
    ) -> None:
        """Makes a person with a confirmed address, or gives one that exists a new password."""
        with open_instance(instance) as opened:
            add_operator(
                opened.store,
                email=email,
                name=name or email,
                password=password,
                operator=operator,
                language=opened.settings.language,
            )
        typer.echo(f"{email} can log in.")
