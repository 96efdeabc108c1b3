"""The files that are made from the code and stand in the repository. `make generated` writes all of them anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from commensal.parts.plugin_kit.describing import hooks_page
from commensal.parts.plugin_kit.type_stub import type_stub

from .federation import examples, pairing_vectors, vectors
from .tables_page import tables_page

ROOT = Path(__file__).parents[1]
GENERATED: Mapping[str, Callable[[], str]] = {
    "core/TABLES.md": tables_page,
    "core/commensal/hooks/implement.pyi": type_stub,
    "plugins/HOOKS.md": hooks_page,
    "federation/MESSAGES.md": examples.text,
    "federation/vectors/join-and-first-lease.json": vectors.text,
    "federation/vectors/pairing.json": pairing_vectors.text,
}


def write_generated() -> list[str]:
    """Writes the files whose text has changed. Returns their paths below the root of the project."""
    texts = {path: text() for path, text in GENERATED.items()}
    changed = [path for path, text in texts.items() if (ROOT / path).read_text(encoding="utf-8") != text]
    for path in changed:
        (ROOT / path).write_text(texts[path], encoding="utf-8")
    return changed


if __name__ == "__main__":
    print("\n".join(write_generated()) or "Nothing has changed.")
