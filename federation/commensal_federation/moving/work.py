"""Background work of moves: open moves are checked each minute; pictures are fetched from the old home."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from commensal import Instance, Job, NotFound, Periodic, Problem, Transaction, Work, enqueue, enterprise_by_id
from commensal.parts.copies import show_image
from commensal.parts.pictures import add_image, set_enterprise_picture

from ..catalogue.work import fetch_picture
from ..grants.questions import grants_between
from ..runtime import Federation
from .followers import FOLLOW, OPEN, follow_move
from .importing import FETCH_IMAGE, FETCH_PICTURE
from .moves import moves
from .recovering import has_recovery_key


def fetch_moved_image(instance: Instance, job: Job) -> None:
    """Fetches the picture of a product that moved here. Raises `Unreachable` and `LookupError`; it is tried again."""
    picture = fetch_picture(instance, job.payload["image"])
    with instance.store.write() as tx:
        try:
            show_image(tx, job.payload["product"], picture)
        except NotFound:  # the product was removed meanwhile
            return


def fetch_moved_picture(instance: Instance, job: Job) -> None:
    """Fetches the logo or cover of an enterprise that moved here, like `fetch_moved_image`."""
    enterprise_id, alt = job.payload["enterprise"], job.payload["alt"]
    picture = fetch_picture(instance, job.payload["image"])
    with instance.store.write() as tx:
        added = add_image(tx, enterprise_id=enterprise_id, picture=picture, alt=alt)
        set_enterprise_picture(tx, enterprise_id, job.payload["shows"], added.id)


def look_for_moves(tx: Transaction) -> None:
    """Enqueues a job for each open move."""
    for move in moves(tx, role="following", states=OPEN, limit=1000):
        enqueue(tx, FOLLOW, {"move": move.id})


def end_quarantines(tx: Transaction) -> None:
    """Enqueues a job for each move by a recovery key whose three days are over."""
    for move in moves(tx, role="following", states=("quarantined",), limit=1000):
        if move.until is not None and move.until <= tx.now:
            enqueue(tx, FOLLOW, {"move": move.id})


def work() -> Work:
    return Work(
        {FOLLOW: follow_move, FETCH_IMAGE: fetch_moved_image, FETCH_PICTURE: fetch_moved_picture},
        (
            Periodic("federation.moves", timedelta(minutes=1), look_for_moves),
            Periodic("federation.quarantines", timedelta(minutes=1), end_quarantines, irreversible=True),
        ),
    )


# Warnings for ``commensal check``: enterprises that could not move if this instance were lost.


def recovery_warnings(federation: Federation, tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each producer that sells through other instances and has no recovery key."""
    grants = grants_between(tx, direction="given", state="accepted")
    for id in sorted({row.enterprise_id for row in grants}):
        if not has_recovery_key(federation, tx, id):
            enterprise = enterprise_by_id(tx, id)
            text = (
                "{name} sells through other instances and has no recovery key: if this instance were lost, it "
                "could not move. Its owner makes one at “Where I sell”, “Recovery key”, or you by "
                "`commensal federation move key {slug}`, and give it to them on paper."
            )
            yield Problem("no_recovery_key", text, values={"name": enterprise.name, "slug": enterprise.slug})
