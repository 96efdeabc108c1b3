"""What does not stand well with links, for ``commensal check``: each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Problem, Transaction

from .links import links_of

_OFTEN = 3  # failures in a row, after which a person should look


def link_warnings(tx: Transaction) -> Iterator[Problem]:
    """Links that cannot be read, and those that their platforms took back."""
    for one in links_of(tx, limit=1_000):
        if one.state == "suspended":
            text = (
                "{url} was taken back by its platform, and is not sold; run `commensal dfc unlink {id}`, or "
                "`commensal dfc refresh {id}` when it is granted again."
            )
            yield Problem("link_suspended", text, values={"url": one.url, "id": one.id})
        elif one.failures >= _OFTEN:
            text = "{url} could not be read {failures} times: {error} Try `commensal dfc refresh {id}`."
            values = {"url": one.url, "failures": one.failures, "error": one.error, "id": one.id}
            yield Problem("link_failing", text, values=values)
