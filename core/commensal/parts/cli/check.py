"""``commensal check``: checks the database, the plugins' settings and the environment of an instance."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Annotated

import typer
from rich.markup import escape

from ...base.errors import Problem, Unavailable
from ...base.money import Money
from ...hooks import specifications
from ...instance import Instance, open_instance
from ...payments.problems import open_problems
from ...storage.jobs.clock import trust_clock
from ..checks import broken_invariants, damaged_pages
from ..monitoring.environment import certificate_problem, mail_problem, warnings
from ..monitoring.health import DOWN, NOTHING_WRITTEN, degrading_problems, write_problem
from ..monitoring.watched import certificate_validity, note_certificate
from ..setup.settings import settings_problems
from ..terminal.lists import console
from ..terminal.shell import spoken, told
from .named import HERE, Folder


def add_to(app: typer.Typer) -> None:
    @app.command("check")
    def check(
        instance: Folder = HERE,
        mail: Annotated[bool, typer.Option(help="Also log in to the mail server.")] = False,
        online: Annotated[bool, typer.Option(help="Also check the certificate at base_url.")] = False,
        clock_is_right: Annotated[
            bool, typer.Option("--clock-is-right", help="Say that the clock is right, although it has jumped.")
        ] = False,
    ) -> None:
        """Checks the database against its journals, the settings of plugins, and the machine. Exits with 1 if something
        is wrong; warnings alone do not count."""
        with open_instance(instance, forgiving=True) as opened:
            if clock_is_right:
                with opened.store.write() as tx:
                    trust_clock(tx, vouched=True)
            sound = report_state(opened)
            sound = report_environment(opened, mail=mail, online=online) and sound  # a wrong clock misleads plugins
            sound = (
                report_plugins(opened, told_already={str(problem) for problem in degrading_problems(opened)}) and sound
            )
        raise typer.Exit(0 if sound else 1)


def report_state(instance: Instance) -> bool:
    """Prints why nothing can be written, damaged pages, broken invariants, and payments that need a person. The latter
    alone do not make it return False."""
    damaged = _print_broken(damaged_pages(instance.store))  # before reading them fails
    damaged = _print_broken(write_problem(instance)) or damaged
    try:
        with instance.store.read() as tx:
            broken = _print_broken(broken_invariants(tx, instance.hooks))
            payment_problems = open_problems(tx)
    except Unavailable:
        if not damaged:
            raise
        return False
    for payment in payment_problems:
        text = "[yellow]payment[/yellow] {code}: {amount} by {plugin}, payment {payment}, enterprise {enterprise}"
        line = spoken(
            text,
            code=payment.code,
            amount=Money(payment.amount, payment.currency),
            plugin=payment.plugin,
            payment=payment.payment_id,
            enterprise=payment.enterprise_id,
        )
        console.print(line)
    if not broken and not damaged:
        console.print(spoken("[green]sound[/green] stock, numbers, totals, payments and journals agree."))
    return not broken and not damaged


def _print_broken(problems: Iterable[Problem]) -> bool:
    """Prints them, and returns whether there is any."""
    count = 0
    for count, problem in enumerate(problems, 1):  # noqa: B007
        console.print(spoken("[red]broken[/red] {problem}", problem=escape(told(problem))))
    return count > 0


def report_plugins(instance: Instance, *, told_already: Set[str] = frozenset()) -> bool:
    """Prints missing plugins, settings of enterprises that do not work, and warnings of plugins but for `told_already`.

    Returns whether there is no problem; warnings do not count.
    """
    hooks = instance.hooks
    for plugin, why in hooks.absent.items():
        text = "[red]missing[/red] the plugin {plugin}: {why}; `commensal plugins` tells who uses it."
        console.print(spoken(text, plugin=plugin, why=escape(told(why))))
    problems = list(settings_problems(instance))
    for problem in problems:
        console.print(spoken("[red]settings[/red] {problem}", problem=escape(told(problem))))
    answers = hooks.each(specifications.warnings, instance=instance)
    warnings_of_plugins = [
        (answer.plugin, warning)
        for answer in answers
        for warning in answer.value or ()
        if str(warning) not in told_already
    ]
    for plugin, warning in warnings_of_plugins:
        line = spoken("[yellow]warning[/yellow] {plugin}: {what}", plugin=plugin, what=escape(told(warning)))
        console.print(line)
    return not hooks.absent and not problems


def report_environment(instance: Instance, *, mail: bool = False, online: bool = False) -> bool:
    """Prints what is wrong with the instance and its environment. Returns False if health would be down, and if
    the mail server (checked if `mail`) or the certificate (checked if `online`) has a problem."""
    if online:
        note_certificate(instance, certificate_validity(instance.settings.base_url))
    is_down = False
    for warning in warnings(instance):
        if warning.code == NOTHING_WRITTEN:
            continue  # `report_state` has said so
        if warning.code in DOWN:
            is_down = _print_broken([warning])
            continue
        console.print(spoken("[yellow]warning[/yellow] {what}", what=escape(told(warning))))
    problems = [mail_problem(instance) if mail else None, certificate_problem(instance) if online else None]
    for problem in filter(None, problems):
        console.print(spoken("[red]refused[/red] {what}", what=escape(told(problem))))
    return not is_down and not any(problems)
