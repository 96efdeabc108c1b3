"""``commensal user``: makes a person, sets a password, or removes a second factor."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from ...base.errors import Conflict
from ...instance import Instance, open_instance
from ...people.codes import new_code
from ...people.people import new_person, person_by_email
from ...people.second_factor import remove_second_factor
from ..accounts.operators import add_confirmed_person, add_operator
from ..mail.send import link_for_password
from ..terminal.shell import print_line, spoken
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("user")
    def user(
        email: Annotated[str, typer.Argument(help="The e-mail address, which is also the log-in.")],
        password: Annotated[str | None, typer.Option(help="Asked for where it is not given.")] = None,
        name: Annotated[str, typer.Option(help="What to call them.")] = "",
        operator: Annotated[bool, typer.Option(help="They run the instance.")] = False,
        link: Annotated[
            bool, typer.Option("--link", help="Ask for no password: print a link that sets one, once.")
        ] = False,
        take: Annotated[
            bool,
            typer.Option(
                "--take-second-factor",
                help="Only remove the second factor of somebody who has lost it. Their sessions end.",
            ),
        ] = False,
        instance: Folder = HERE,
    ) -> None:
        """Makes a person with a confirmed address, or gives one that exists a new password."""
        if take:
            with open_instance(instance) as opened:
                had_second_factor = _remove_second_factor(opened, email)
            print_line(
                "{email} logs in with the password alone." if had_second_factor else "{email} had no second factor.",
                email=email,
            )
            return
        if link:
            with open_instance(instance) as opened:
                address = _link(opened, email, name or name_from(email), operator=operator)
            print_line("{email} sets a password here, once, within twenty minutes: {link}", email=email, link=address)
            return
        if password is None:
            password = str(
                typer.prompt(spoken("Password"), hide_input=True, confirmation_prompt=spoken("Password, once more"))
            )
        with open_instance(instance) as opened:
            add_operator(
                opened.store,
                email=email,
                name=name or name_from(email),
                password=password,
                operator=operator,
                language=opened.settings.language,
            )
        print_line("{email} can log in.", email=email)


def _link(instance: Instance, email: str, name: str, *, operator: bool) -> str:
    """Makes the person, unless they are there, and returns a link with which they set a password. A password that they
    have stays until then. Raises `Invalid`; `Conflict` if the person was disabled."""
    password = instance.ids.secret()  # nobody knows it
    new = new_person(email=email, name=name, password=password, language=instance.settings.language)
    with instance.store.write() as tx:
        add_confirmed_person(tx, new, is_operator=operator)
        code = new_code(tx, person_by_email(tx, new.email).id, "reset", new.email)
    if code is None:
        raise Conflict("disabled", "This account is disabled: {email}", email=new.email)
    return link_for_password(instance.settings.base_url, code)


def name_from(email: str) -> str:
    """A name from an e-mail address: ``marie.durand@example.org`` becomes Marie Durand."""
    return " ".join(re.split(r"[\W_]+", email.partition("@")[0])).strip().title()


def _remove_second_factor(instance: Instance, email: str) -> bool:
    """Removes the second factor. Returns whether there was one; raises `NotFound` for an unknown address."""
    with instance.store.write() as tx:
        return remove_second_factor(tx, person_by_email(tx, email).id)
