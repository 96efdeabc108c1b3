"""``commensal texts``: writes the template of a translation, or the texts that a language lacks."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from ...base.entry_points import plugin_entry_points
from ...base.errors import Invalid, Problem

_HEADER = "# Texts of Commensal, for translators. Values stand in braces: keep their names.\n#"
_CORE = Path(__file__).parents[2]


def add_to(app: typer.Typer) -> None:
    @app.command("texts")
    def texts_command(
        language: Annotated[
            str, typer.Option(help="Only texts without a translation into this language, such as de.")
        ] = "",
    ) -> None:
        """Writes every text of the core and of the installed plugins as a template (.pot) for translators.

        Drop the translated file as locale/LANGUAGE/LC_MESSAGES/commensal.po into the folder of the core or of a plugin:
        then the language is offered everywhere. What it does not translate is shown in English.
        """
        from babel.core import UnknownLocaleError
        from babel.messages.catalog import Catalog
        from babel.messages.pofile import write_po

        from ...testing.texts import texts_in

        try:
            template = Catalog(language or None, project="commensal", header_comment=_HEADER, charset="utf-8")
        except (UnknownLocaleError, ValueError):
            raise Invalid(
                [
                    Problem(
                        "language",
                        "{code} is not the code of a language, such as de.",
                        "--language",
                        {"code": language},
                    )
                ]
            ) from None
        known = _translated(language) if language else frozenset()
        for folder in _packages():
            for text, place in texts_in(folder).items():
                if text not in known:
                    file, _, line = place.rpartition(":")
                    template.add(text if len(text) > 1 else text[0], locations=[(file, int(line))])
        write_po(sys.stdout.buffer, template, width=0, omit_header=False)


def _translated(language: str) -> frozenset[tuple[str, ...]]:
    """Every text that a catalogue of the language translates."""
    from ...base.languages.catalogs import catalog_folders
    from ...testing.texts import translations_in

    files = [file for folder in catalog_folders() for file in (folder / language / "LC_MESSAGES").glob("*.po")]
    return frozenset(text for file in files for text in translations_in(file))


def _packages() -> Iterator[Path]:
    """The folders of the core and of the installed plugins."""
    yield _CORE
    for _, point in sorted(plugin_entry_points().items()):
        specification = find_spec(point.module)
        yield from (Path(folder) for folder in (specification and specification.submodule_search_locations) or ())
