"""Generates plugins/HOOKS.md, the page of all hooks, from their contracts; ``commensal hooks`` prints it."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

from ..base.entry_points import plugin_entry_points
from . import specifications
from .contract import PROJECT, AnyHook
from .loading import all_hooks

_TITLE = re.compile(r"# -{20,} (.+)")
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

In the table, *called* is `instance` for all enabled plugins, or `enterprise` for those that the enterprise uses;
`each` of them is called, or the `one` that is concerned, or `nothing` is answered. *Where* is `startup`: once, before
the instance serves; `transaction`: inside one, without I/O, never `async`; `outside`: between transactions; `job`: in
a job, after the commit of the event. *Fails* is `raise`: the caller gets an error that names the plugin; `skip`: the
plugin is skipped; `undo`: skipped, and what it wrote is undone; `retry`: the job is tried again after growing delays,
and parked after its last try. *Seconds* are the most that the hook may take. Types of arguments are names of
`commensal`, documented where they are defined.
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
    yield from ("```python", f"def {hook.name}{_signature(hook)}", "```")
    yield (inspect.getdoc(hook.specification) or "").replace("``", "`")
    yield ""
    linked = ", ".join(f"[{user}]({_folder(user)})" for user in users)
    yield f"Used by {linked or 'nobody yet'}."


def _folder(user: str) -> str:
    """The folder of a bundled plugin, as a link from plugins/HOOKS.md."""
    return "../federation/commensal_federation" if user == "federation" else f"commensal_{user}"


def _signature(hook: AnyHook) -> str:
    """The signature as source code, in lines of at most a hundred characters."""
    signature = inspect.signature(hook.specification)
    arguments = ", ".join(str(argument).replace("'", "") for argument in signature.parameters.values())
    whole = f"({arguments}) -> {signature.return_annotation}"
    if len(whole) + len(hook.name) < 100:
        return whole
    lines = textwrap.fill(arguments, 96, break_long_words=False, initial_indent="    ", subsequent_indent="    ")
    return f"(\n{lines}\n) -> {signature.return_annotation}"


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
