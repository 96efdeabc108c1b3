"""Generates plugins/HOOKS.md, the page of all hooks, from their contracts; ``commensal hooks`` prints it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from ..base.entry_points import plugin_entry_points
from . import specifications
from .contract import PROJECT, AnyHook
from .loading import all_hooks

_TITLE = re.compile(r"# -{20,} (.+)")
_WHEN_CALLED = {
    "startup": "once, before the instance serves",
    "transaction": "inside a transaction: without I/O, never `async`",
    "outside": "between transactions: `def` or `async def`",
    "job": "in a job, after the commit of the event: `def` or `async def`",
}
_ON_ERROR = {
    "raise": "the caller gets an error that names the plugin",
    "skip": "the plugin is skipped",
    "retry": "the job is tried again after growing delays, and parked after its last try",
}
_RETURNS = {"each": "every plugin is called", "one": "one plugin is called", "nothing": "there is no answer"}
_HEAD = """\
# Hooks

What plugins can do, and what the core promises when it calls them. This page is generated from the contracts in
`core/commensal/hooks/specifications.py` by `commensal hooks > plugins/HOOKS.md`.

A plugin implements a hook by a function of the same name, marked with `@hookimpl`. The function takes the arguments
that it needs, by name. Besides those listed, every hook of an enterprise may take `settings`, the enterprise's settings
for the plugin, and every hook may take `instance_settings`, the operator's settings in `[plugins.<id>]` of
instance.toml.

An error that a plugin raises is noted with its name and shown by `commensal plugins`; the column *fails* says what
follows. `Refused` and its subclasses are not failures but messages for the person who made the request. An answer of
another type than the signature's is a failure. So is a call that takes longer than the time limit. Inside a
transaction, the transaction is then rolled back, whatever *fails* says, and the request is answered with an error. A
plugin that hangs three times in a row in one hook is not called there for a minute.

The same is true of pages, endpoints, jobs and the lines of reports: a transaction that a plugin opens is rolled back
after eight seconds (or after `store.write(seconds=…)`, while all other writers wait), at most eight requests to a
plugin run at once, and errors are noted with the plugin's name. An endpoint or page with an enterprise in its path
answers 404 for one that has not switched the plugin on, unless it is declared with `where_off=True`.

A hook that is marked as reading gets a transaction in which writes are refused or undone, and count as a failure.
"""


def hooks_page() -> str:
    """Markdown: a table of all hooks, then each hook with its signature, its contract, and the plugins that use it."""
    users = {name: sorted(_users(name)) for name in all_hooks()}
    lines = [_HEAD, "| hook | called | where | fails | seconds | since |", "|---|---|---|---|---:|---|"]
    for name, hook in all_hooks().items():
        contract = hook.contract
        where = f"{contract.where}, reading" if contract.reads else contract.where
        seconds = f"{contract.timeout:g}" if contract.where != "startup" else ""
        lines.append(
            f"| [`{name}`](#{name}) | {contract.scope}, {contract.returns} | {where} | {contract.on_error} | {seconds} "
            f"| {contract.since} |"
        )
    for title, hooks in _hooks_by_title():
        lines += ["", f"## {title[0].upper()}{title[1:]}"]
        for hook in hooks:
            lines += ["", *_section(hook, users[hook.name])]
    return "\n".join(lines) + "\n"


def _section(hook: AnyHook, users: list[str]) -> Iterator[str]:
    contract = hook.contract
    yield f"### {hook.name}"
    yield ""
    if contract.deprecated:
        yield f"**Deprecated**: {contract.deprecated}"
        yield ""
    for argument, text in contract.deprecated_arguments.items():
        yield f"**Deprecated** argument `{argument}`: {text}"
        yield ""
    yield from ("```python", f"def {hook.name}{_signature(hook)}", "```", "")
    yield (inspect.getdoc(hook.specification) or "").replace("``", "`")
    yield ""
    plugins = "plugins that the enterprise uses" if contract.scope == "enterprise" else "all enabled plugins"
    yield f"- called: {plugins}; {_RETURNS[contract.returns]}"
    reading = "; it may only read" if contract.reads else ""
    limit = "" if contract.where == "startup" else f"; at most {contract.timeout:g} seconds"
    yield f"- runs: {_WHEN_CALLED[contract.where]}{reading}{limit}"
    yield f"- fails: {_ON_ERROR[contract.on_error]}"
    linked = ", ".join(f"[{user}](commensal_{user})" for user in users)
    yield f"- since {contract.since}; used by {linked or 'nobody yet'}"


def _signature(hook: AnyHook) -> str:
    """The signature as source code, with one argument on a line if it is long."""
    signature = inspect.signature(hook.specification)
    arguments = [str(argument).replace("'", "") for argument in signature.parameters.values()]
    whole = f"({', '.join(arguments)}) -> {signature.return_annotation}"
    if len(whole) + len(hook.name) < 100:
        return whole
    return "(\n" + "".join(f"    {argument},\n" for argument in arguments) + f") -> {signature.return_annotation}"


def _hooks_by_title() -> Iterator[tuple[str, list[AnyHook]]]:
    """The hooks below each title of the file of specifications."""
    lines = inspect.getsource(specifications).splitlines()
    titles = [(number, match[1]) for number, line in enumerate(lines, 1) if (match := _TITLE.fullmatch(line))]
    ends = [number for number, _ in titles[1:]] + [len(lines) + 1]
    for (begin, title), end in zip(titles, ends, strict=True):
        inside = [hook for hook in all_hooks().values() if begin < _line(hook) < end]
        if inside:
            yield title, inside


def _line(hook: AnyHook) -> int:
    return hook.specification.__code__.co_firstlineno


def _users(hook: str) -> Iterator[str]:
    """Ids of the bundled plugins that implement the hook."""
    for name, point in plugin_entry_points().items():
        bundled = point.dist is not None and point.dist.name == PROJECT
        if bundled and hasattr(getattr(point.load(), hook, None), f"{PROJECT}_impl"):
            yield name
