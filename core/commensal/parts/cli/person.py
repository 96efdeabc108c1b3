"""``commensal person``: exports or erases the data of one person, and deletes data whose retention time is over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ...base.errors import Conflict
from ...base.languages.formats import format_moment
from ...instance import Instance, open_instance
from ...storage.jobs.clock import clock_in_doubt
from ..privacy.export import archive_of, data_of, subject_by_email
from ..privacy.forgetting import forget_person
from ..privacy.personal_rows import Forgotten
from ..privacy.retention import RetentionReport, apply_retention
from ..setup.named_files import file_of_caller
from ..terminal.lists import console
from ..terminal.shell import spoken
from .named import HERE, Folder, Yes

Email = Annotated[str, typer.Argument(help="Their e-mail address.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only tell what would be done.")]


def add_to(app: typer.Typer) -> None:
    person = typer.Typer(help="What is kept of one person.", no_args_is_help=True)
    app.add_typer(person, name="person")

    @person.command("export")
    def export(
        email: Email,
        file: Annotated[Path, typer.Argument(help="The new archive, like ada.zip.")],
        instance: Folder = HERE,
    ) -> None:
        """Writes everything that is kept of somebody, with an account or without, into an archive for them."""
        with open_instance(instance) as opened:
            with opened.store.read() as tx:
                subject = subject_by_email(tx, opened.hooks, email)
                data = data_of(tx, opened.hooks, subject)
            with file_of_caller(file, new=True) as archive:
                archive.write(archive_of(data, subject.language or opened.settings.language))
            with opened.store.write() as tx:
                tx.trace("exported", "person", subject.person_id or "")
        rows = sum(len(table_rows) for table_rows in data.values())
        text = spoken("wrote {file}: {rows} rows of {tables} tables", file=file, rows=rows, tables=len(data))
        console.print(text, soft_wrap=True)

    @person.command("erase")
    def erase(email: Email, dry_run: DryRun = False, yes: Yes = False, instance: Folder = HERE) -> None:
        """Forgets somebody. Orders and payments stay, under a pseudonym, for as long as the law wants."""
        with open_instance(instance) as opened:
            if not dry_run and not yes:
                _confirm(opened, email)
            _print_erased(opened, _erase(opened, email, dry_run=dry_run), dry_run=dry_run)

    @person.command("retention")
    def retention(dry_run: DryRun = False, instance: Folder = HERE) -> None:
        """Deletes what is no longer needed, as the table [retention] says; the worker does so daily."""
        with open_instance(instance) as opened, opened.store.write() as tx, tx.attempt() as attempt:
            if clock_in_doubt(tx) and not dry_run:
                text = "The clock has jumped ahead; nothing is forgotten now. `commensal check` tells more."
                raise Conflict("clock_in_doubt", text)
            done = apply_retention(tx, opened.hooks, opened.settings.retention)
            if dry_run:
                attempt.rollback()
        _print_expired(done, dry_run=dry_run)


def _erase(instance: Instance, email: str, *, dry_run: bool) -> Forgotten:
    """Erases the person. A dry run does the same and rolls it back, so that it also raises every refusal."""
    with instance.store.write() as tx, tx.attempt() as attempt:
        subject = subject_by_email(tx, instance.hooks, email)
        done = forget_person(tx, instance.hooks, subject, years=instance.settings.retention.identities_years)
        if dry_run:
            attempt.rollback()
    return done


def _confirm(instance: Instance, email: str) -> None:
    """Prints what would be erased, and asks for confirmation. Raises every refusal, and `typer.Abort` for a no."""
    _print_erased(instance, _erase(instance, email, dry_run=True), dry_run=True)
    typer.confirm(spoken("Forget {email}? This cannot be taken back.", email=email), abort=True)


def _print_erased(instance: Instance, done: Forgotten, *, dry_run: bool) -> None:
    removed = "{table}: {count} rows would be removed" if dry_run else "{table}: {count} rows removed"
    for table, count in done.removed.items():
        console.print(spoken(removed, table=table, count=count), markup=False)
    blanked = "{table}: {count} rows would be blanked" if dry_run else "{table}: {count} rows blanked"
    for table, count in done.blanked.items():
        console.print(spoken(blanked, table=table, count=count), markup=False)
    if done.kept_until is not None:
        until = format_moment(done.kept_until, "UTC", instance.settings.language)
        text = "The names on {count} orders stay for the accounts, the last until {until}."
        console.print(spoken(text, count=done.identities, until=until))


def _print_expired(done: RetentionReport, *, dry_run: bool) -> None:
    for line in _planned_lines(done) if dry_run else _done_lines(done):
        console.print(line)
    for email in done.people:
        console.print(f"  {email}", markup=False)
    for email, why in done.refused:
        console.print("  " + spoken("{email} must stay: {why}", email=email, why=why), markup=False, soft_wrap=True)


def _done_lines(done: RetentionReport) -> Iterator[str]:
    yield spoken("notes on orders purged: {count}", count=done.notes)
    yield spoken("answers with an IP address deleted: {count}", count=done.answers)
    yield spoken("names whose time is over deleted: {count}", count=done.identities)
    yield spoken("people forgotten: {count}", count=len(done.people))


def _planned_lines(done: RetentionReport) -> Iterator[str]:
    yield spoken("notes on orders would be purged: {count}", count=done.notes)
    yield spoken("answers with an IP address would be deleted: {count}", count=done.answers)
    yield spoken("names whose time is over would be deleted: {count}", count=done.identities)
    yield spoken("people would be forgotten: {count}", count=len(done.people))
