"""``commensal init``: makes a new instance in a folder, and files for systemd, a reverse proxy, a container or
Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import Invalid, Problem, SettingsError
from ...base.languages.catalogs import LANGUAGES
from ...instance import load_settings, open_instance
from ...instance.settings import default_sender
from ...people.email import read_email
from ..accounts.operators import add_operator
from ..hosting import CONTAINER, MONITORING, SEVERAL, UNITS, UPGRADES, write_files, write_text
from ..setup.begin import begin_instance, check_answer, check_plugins, refuse_existing, usual_plugins
from ..terminal.shell import print_line, spoken, told
from .named import HERE, Folder
from .user import name_from


class Proxy(StrEnum):
    caddy = "caddy"
    nginx = "nginx"


def add_to(app: typer.Typer) -> None:
    @app.command("init")
    def init(
        instance: Folder = HERE,
        name: Annotated[
            str | None, typer.Option(envvar="COMMENSAL_NAME", help="What people call this instance.")
        ] = None,
        base_url: Annotated[
            str | None, typer.Option(envvar="COMMENSAL_BASE_URL", help="The address at which they reach it.")
        ] = None,
        language: Annotated[
            str | None,
            typer.Option(envvar="COMMENSAL_LANGUAGE", help="For people who have not chosen one: fr, en, de …"),
        ] = None,
        timezone: Annotated[str | None, typer.Option(envvar="COMMENSAL_TIMEZONE", help="Like Europe/Paris.")] = None,
        sender: Annotated[
            str | None, typer.Option(envvar="COMMENSAL_MAIL__SENDER", help="The address from which e-mails are sent.")
        ] = None,
        database: Annotated[
            str, typer.Option(envvar="COMMENSAL_DATABASE__URL", help="A PostgreSQL URL; empty for SQLite.")
        ] = "",
        port: Annotated[
            int | None, typer.Option(min=0, max=65535, help="The port to listen on; else the address's here, or 8000.")
        ] = None,
        backups: Annotated[
            Path | None, typer.Option(help="A folder, best on another disk, for a backup every night.", file_okay=False)
        ] = None,
        plugin: Annotated[list[str] | None, typer.Option(help="An installed plugin to enable too.")] = None,
        systemd: Annotated[bool, typer.Option("--systemd", help="Only print units of systemd for it.")] = False,
        several: Annotated[
            bool, typer.Option("--several", help="With --systemd: for all instances in the folder above.")
        ] = False,
        proxy: Annotated[Proxy | None, typer.Option(help="Only print a reverse proxy's settings for it.")] = None,
        container: Annotated[bool, typer.Option("--container", help="Only print a Containerfile.")] = False,
        monitoring: Annotated[
            bool, typer.Option("--monitoring", help="Only print alerts and settings of Prometheus, and a dashboard.")
        ] = False,
        weekly_upgrades: Annotated[
            bool, typer.Option("--weekly-upgrades", help="Only print a service and a timer of systemd for upgrades.")
        ] = False,
        into: Annotated[Path | None, typer.Option(help="Write it into this folder instead.", exists=True)] = None,
    ) -> None:
        """Creates an instance: its settings and its database. Asks for what the options leave out, and who runs it."""
        files = [
            *(() if not systemd else SEVERAL if several else UNITS),
            *([proxy.value] if proxy else ()),
            *([CONTAINER] if container else ()),
            *(MONITORING if monitoring else ()),
            *(UPGRADES if weekly_upgrades else ()),
        ]
        if into is not None:
            _write_files(files, instance, into)
            return
        if files:
            typer.echo("\n".join(write_text(file_name, instance) for file_name in files), nl=False)
            return
        refuse_existing(instance)
        usual, absent = usual_plugins()
        plugins = tuple(dict.fromkeys([*usual, *(plugin or [])]))
        check_plugins(plugins)
        values = {"name": name, "base_url": base_url, "language": language, "timezone": timezone, "mail.sender": sender}
        answers = _complete(values)
        begin_instance(
            instance,
            name=answers["name"],
            base_url=answers["base_url"],
            language=answers["language"],
            timezone=answers["timezone"],
            sender=answers["mail.sender"],
            database=database,
            port=port,
            backups=backups.absolute() if backups else None,
            plugins=plugins,
        )
        print_line(
            "The instance is in {folder}. Start it with: commensal serve --instance {instance}",
            folder=instance.resolve(),
            instance=instance,
        )
        print_left_out(absent)
        if not load_settings(instance).backups.folder:  # which the environment can name, too
            print_line("There is no backup yet: set backups.folder in instance.toml to a folder, best on another disk.")
        if None in values.values():  # somebody is there to be asked
            _add_first_person(instance)


def _write_files(files: Sequence[str], instance: Path, into: Path) -> None:
    if not files:
        text = "--into: say what to write there: --systemd, --weekly-upgrades, --proxy, --container or --monitoring."
        raise SettingsError(text)
    for file in write_files(files, instance, into):
        print_line("Wrote {file}.", file=file)


def print_left_out(absent: Mapping[str, str | Problem]) -> None:
    """Prints which of the default plugins are left out of a new instance, and why."""
    for plugin, why in absent.items():
        print_line("The plugin {plugin} is left out: {why}", plugin=plugin, why=told(why))


def _complete(values: Mapping[str, str | None]) -> dict[str, str]:
    """The values, with a person's answers for those that are None. Raises `SettingsError` for an invalid value before
    it asks anything; asks again after an invalid answer."""
    for key, value in values.items():
        if value is not None:
            check_answer(key, value)
    answers: dict[str, str] = {}
    for key, value in values.items():
        answers[key] = value if value is not None else _ask(key, answers)
    return answers


def _ask(key: str, answers: Mapping[str, str]) -> str:
    match key:
        case "name":
            question, default = spoken("What do people call this instance?"), None
        case "base_url":
            question, default = spoken("At which address do they reach it?"), "http://127.0.0.1:8000"
        case "language":
            question, default = spoken("Which language by default ({languages})?", languages=", ".join(LANGUAGES)), "fr"
        case "timezone":
            question, default = spoken("Which time zone?"), "Europe/Paris"
        case _:
            question, default = spoken("From which address are e-mails sent?"), default_sender(answers["base_url"])

    def check(answer: str) -> str:
        try:
            check_answer(key, answer.strip())
        except SettingsError as error:
            raise typer.BadParameter(told(error)) from error
        return answer.strip()

    return str(typer.prompt(question, default=default, prompt_suffix=" ", value_proc=check))


def _add_first_person(instance: Path) -> None:
    """Asks who runs the new instance, and lets them log in as its operator. The instance stays as it is where nobody is
    named: after an empty answer, or when the input ends."""
    try:
        question = spoken("Who runs it? An e-mail address, with which they log in; Enter: nobody yet.")
        email = str(typer.prompt(question, default="", show_default=False, prompt_suffix=" ", value_proc=_read_log_in))
        while email and not _is_added(instance, email):
            pass
    except typer.Abort:
        typer.echo()
        email = ""
    if not email:
        command = f"commensal user ADDRESS --operator --instance {instance}"
        print_line("Nobody can log in and begin a hub yet. When you know who does: {command}", command=command)
        return
    address = f"{load_settings(instance).base_url.rstrip('/')}/office"
    print_line("{email} can log in, and begins the first hub at {address}", email=email, address=address)


def _read_log_in(answer: str) -> str:
    address = read_email(answer.strip()) if answer.strip() else ""
    if isinstance(address, Problem):
        raise typer.BadParameter(spoken(address.text, **address.values))
    return address


def _is_added(instance: Path, email: str) -> bool:
    """Asks for a password. Returns whether it will do; if not, says why."""
    password = str(typer.prompt(spoken("Password"), hide_input=True, confirmation_prompt=spoken("Password, once more")))
    with open_instance(instance) as opened:
        own = opened.settings.language
        try:
            add_operator(opened.store, email=email, name=name_from(email), password=password, language=own)
        except Invalid as error:
            for problem in error.problems:
                print_line(problem.text, **problem.values)
            return False
    return True
