"""Warnings about links for ``commensal check``; each one says what to do."""

from __future__ import annotations

from collections.abc import Iterator

from commensal import Problem, Transaction

from .links import links_of

_OFTEN = 3  # failures in a row before a person is warned


def link_warnings(tx: Transaction) -> Iterator[Problem]:
    """Yields a problem for each link that cannot be read or that its platform has revoked."""
    for link in links_of(tx, limit=1_000):
        if link.state == "suspended":
            text = (
                "{url} was taken back by its platform, and is not sold; run `commensal dfc unlink {id}`, or "
                "`commensal dfc refresh {id}` when it is granted again."
            )
            yield Problem("link_suspended", text, values={"url": link.url, "id": link.id})
        elif link.failures >= _OFTEN:
            text = "{url} could not be read {failures} times: {error} Try `commensal dfc refresh {id}`."
            values = {"url": link.url, "failures": link.failures, "error": link.error, "id": link.id}
            yield Problem("link_failing", text, values=values)
