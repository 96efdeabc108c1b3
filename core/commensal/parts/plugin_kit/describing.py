"""Generates plugins/HOOKS.md, the page of all hooks, from their contracts; ``commensal hooks`` prints it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from itertools import islice
from pathlib import Path

from ...base.entry_points import plugin_entry_points
from ...hooks import specifications
from ...hooks.contract import PROJECT, AnyHook, implementing_function
from ...hooks.loading import all_hooks

_TITLE = re.compile(r"# -{20,} (.+)")
_HEAD = """\
# Hooks

Everything that a plugin can do, and what the core promises when it calls it. Generated from the contracts in
`core/commensal/hooks/specifications.py` by `make generated`. New to plugins? Begin with
[ten minutes](README.md) and [the cookbook](COOKBOOK.md), and come back to look things up.

A plugin implements a hook by a function of the same name, marked with `@hookimpl`, or with `@implement.<hook>`, which
editors complete and type checkers know. The function takes by name those of the arguments that it needs. It may also
take `settings`, the enterprise's settings for the plugin (hooks of enterprises), and `instance_settings`, the
operator's in `[plugins.<id>]` of instance.toml. `@only_for(phase=(Phase.FEE,))` below `@hookimpl` says for which values
of an argument it has an answer: it is not called for others, which costs less. Types are names of `commensal`:
`python -m pydoc commensal.OrderDraft` shows what one holds, and in which units.

Beside each signature is the contract, with links to functions of bundled plugins that implement the hook:

- **who is called**: every enabled plugin (*instance*), or those that the enterprise has switched on (*enterprise*);
  *each* of them, or the *one* that is concerned.
- **when**: at the *startup*, before the instance serves; in a *transaction*, without I/O, never `async`, and where it
  only *reads*, writes are refused or undone and count as a failure; *outside*, between transactions; in a *job*, after
  the commit.
- **if it fails**: *raise*: the caller gets an error that names the plugin; *skip*: it goes on without the plugin;
  *undo*: the same, and what the plugin wrote is undone; *retry*: the job is tried again after growing delays, and
  parked after its last try.
- **seconds** that it may take, and the version that introduced it, unless that is the first. A transaction that takes
  longer is rolled back, whatever the contract says. A plugin that hangs three times in a row in one hook is not called
  there for a minute.

Failures are errors that a plugin raises, answers of another type than the signature's, and calls that take too long;
`commensal plugins` shows them. `Refused` and its subclasses are not failures: their text is for the person who asked.
Pages, endpoints, jobs and lines of reports are under the same rules: transactions that they open are rolled back after
eight seconds (or after `store.write(seconds=…)`), at most eight requests to a plugin run at once, and an address with
an enterprise answers 404 where the plugin is off, unless it is declared with `where_off=True`.
"""


_EVENTS = """\
*{scope} · {where} · {on_error} · {timeout:g} s*, as in [webhooks](commensal_webhooks/events.py)

Each event is told after its commit, at least once, by one job for each plugin that implements its hook. A function
takes `instance: Instance`, `event: Event` (its `id` is the same each time), and what the event is about, as that is
when the job runs.
"""
_FIRST = "0.1"  # the version of which nothing is said
_EXAMPLES = 3  # functions linked for each hook


def hooks_page() -> str:
    """Markdown: an index, then each hook with its signature, its contract, and the functions of bundled plugins that
    implement it; events, which have the same contract, in a table."""
    examples = {name: dict(sorted(_implementations(name))) for name in all_hooks()}
    groups = [(f"{title[0].upper()}{title[1:]}", hooks) for title, hooks in _hooks_by_title()]
    lines = [_HEAD]
    for title, hooks in groups:
        names = ", ".join(f"`{hook.name}`" if _is_event(hook) else f"[{hook.name}](#{hook.name})" for hook in hooks)
        anchor = title.lower().replace(",", "").replace(" ", "-")
        lines.append(f"- [**{title}**](#{anchor}): {names}")
    for title, hooks in groups:
        lines += ["", f"## {title}"]
        events = [hook for hook in hooks if _is_event(hook)]
        for hook in hooks:
            if hook not in events:
                lines += ["", *_section(hook, examples[hook.name])]
        if events:
            lines += ["", *_table(events)]
    return "\n".join(lines) + "\n"


def _is_event(hook: AnyHook) -> bool:
    return "event" in inspect.signature(hook.specification).parameters


def _section(hook: AnyHook, examples: Mapping[str, str]) -> Iterator[str]:
    yield f"### {hook.name}"
    yield ""
    signature, contract = f"{hook.name}{_signature(hook)}", _contract(hook, examples)
    if "\n" in signature:
        yield from ("```python", signature, "```", contract)
    else:
        yield f"`{signature}`: {contract}"
    yield ""
    yield from _deprecations(hook)
    yield (inspect.getdoc(hook.specification) or "").replace("``", "`")


def _contract(hook: AnyHook, examples: Mapping[str, str]) -> str:
    contract = hook.contract
    parts = (
        contract.scope if contract.returns == "nothing" else f"{contract.scope}, {contract.returns}",
        f"{contract.where}, reads" if contract.reads else contract.where,
        contract.on_error,
        f"{contract.timeout:g} s" if contract.where != "startup" else "",
        f"since {contract.since}" if contract.since != _FIRST else "",
    )
    links = ", ".join(f"[{plugin}]({file})" for plugin, file in islice(examples.items(), _EXAMPLES))
    return f"*{' · '.join(filter(None, parts))}*, as in {links}"


def _table(events: list[AnyHook]) -> Iterator[str]:
    """Events, whose implementations differ in one argument only."""
    yield _EVENTS.format(**asdict(events[0].contract))
    yield from ("| hook | about | when |", "|---|---|---|")
    for hook in events:
        (subject,) = (
            argument
            for name, argument in inspect.signature(hook.specification).parameters.items()
            if name not in ("instance", "event")
        )
        text = " ".join((inspect.getdoc(hook.specification) or "").replace("``", "`").split())
        about = str(subject).replace("'", "")
        since = f" Since {hook.contract.since}." if hook.contract.since != _FIRST else ""
        yield f"| `{hook.name}` | `{about}` | {' '.join([*_deprecations(hook), text])}{since} |"


def _deprecations(hook: AnyHook) -> Iterator[str]:
    if hook.contract.deprecated:
        yield f"**Deprecated**: {hook.contract.deprecated}"
    for argument, text in hook.contract.deprecated_arguments.items():
        yield f"**Deprecated** argument `{argument}`: {text}"


def _signature(hook: AnyHook) -> str:
    """The signature as source code, in lines of at most a hundred characters that end between two arguments."""
    signature = inspect.signature(hook.specification)
    arguments = [str(argument).replace("'", "") for argument in signature.parameters.values()]
    whole = f"({', '.join(arguments)}) -> {signature.return_annotation}"
    if len(whole) + len(hook.name) < 100:
        return whole
    lines = [""]
    for argument in arguments:
        if len(lines[-1]) + len(argument) > 94:
            lines.append("")
        lines[-1] += f" {argument}," if lines[-1] else f"    {argument},"
    return "\n".join(["(", *lines, f") -> {signature.return_annotation}"])


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


def _implementations(hook: str) -> Iterator[tuple[str, str]]:
    """Ids of the bundled plugins that implement the hook, each with the file of its function, as a link from
    plugins/HOOKS.md."""
    for plugin, point in plugin_entry_points().items():
        if point.dist is None or point.dist.name != PROJECT:
            continue
        package = point.load()
        function = implementing_function(package, hook)
        if function is not None:
            file = Path(inspect.unwrap(function).__code__.co_filename).relative_to(Path(package.__file__).parents[1])
            yield plugin, f"../federation/{file.as_posix()}" if plugin == "federation" else file.as_posix()
