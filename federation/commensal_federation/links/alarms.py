"""What does not stand well with links, for ``commensal check``: each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Transaction

from .links import links_of

_OFTEN = 3  # failures in a row, after which a person should look


def link_warnings(tx: Transaction) -> Iterator[str]:
    """Links that cannot be read, and those that their platforms took back."""
    for one in links_of(tx, limit=1_000):
        if one.state == "suspended":
            yield (
                f"{one.url} was taken back by its platform, and is not sold; run `commensal dfc unlink {one.id}`, or "
                f"`commensal dfc refresh {one.id}` when it is granted again."
            )
        elif one.failures >= _OFTEN:
            yield (
                f"{one.url} could not be read {one.failures} times: {one.error} Try `commensal dfc refresh {one.id}`."
            )
