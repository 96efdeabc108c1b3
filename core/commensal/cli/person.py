"""``commensal person``: what is kept of one person, handed over or forgotten; and what time has made needless."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..instance import Instance, open_instance
from ..languages.formats import format_moment
from ..printing import console
from ..privacy.forgetting import forget_person
from ..privacy.handing_over import archive_of, data_of
from ..privacy.retention import LetGo, let_go
from ..privacy.subject import subject_by_email
from ..privacy.values import Forgotten
from .folder import HERE, Folder

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
                subject = subject_by_email(tx, email)
                data = data_of(tx, opened.hooks, subject)
            _write(file, archive_of(data, subject.language or opened.settings.language))
            with opened.store.write() as tx:
                tx.trace("exported", "person", subject.person_id or "")
        rows = sum(len(one) for one in data.values())
        console.print(f"wrote {file}: {rows} rows of {len(data)} tables", soft_wrap=True)

    @person.command("erase")
    def erase(email: Email, dry_run: DryRun = False, instance: Folder = HERE) -> None:
        """Forgets somebody. Orders and payments stay, under a pseudonym, for as long as the law wants."""
        with open_instance(instance) as opened:
            _tell(opened, _forgotten(opened, email, dry_run=dry_run), dry_run=dry_run)

    @person.command("retention")
    def retention(dry_run: DryRun = False, instance: Folder = HERE) -> None:
        """Lets go what is no longer needed, as the table [retention] says; the worker does it daily."""
        with open_instance(instance) as opened, opened.store.write() as tx, tx.attempt() as attempt:
            done = let_go(tx, opened.hooks, opened.settings.retention)
            if dry_run:
                attempt.rollback()
        _tell_let_go(done, dry_run=dry_run)


def _forgotten(opened: Instance, email: str, *, dry_run: bool) -> Forgotten:
    """A dry run does everything and takes it back: so it tells what would be refused, too."""
    with opened.store.write() as tx, tx.attempt() as attempt:
        subject = subject_by_email(tx, email)
        done = forget_person(tx, opened.hooks, subject, years=opened.settings.retention.identities_years)
        if dry_run:
            attempt.rollback()
    return done


def _tell(opened: Instance, done: Forgotten, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    for name, count in done.removed.items():
        console.print(f"{name}: {count} rows {would}removed", markup=False)
    for name, count in done.blanked.items():
        console.print(f"{name}: {count} rows {would}blanked", markup=False)
    if done.kept_until is not None:
        until = format_moment(done.kept_until, "UTC", opened.settings.language)
        console.print(f"The names on {done.identities} orders stay for the accounts, the last until {until}.")


def _tell_let_go(done: LetGo, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    console.print(f"notes on orders {would}purged: {done.notes}")
    console.print(f"answers with an IP address {would}deleted: {done.answers}")
    console.print(f"names whose time is over {would}deleted: {done.identities}")
    console.print(f"people {would}forgotten: {len(done.people)}")
    for email in done.people:
        console.print(f"  {email}", markup=False)
    for email, why in done.refused:
        console.print(f"  {email} must stay: {why}", markup=False, soft_wrap=True)


def _write(file: Path, content: bytes) -> None:
    """Only its owner may read it, and no file that is there is written over."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
