"""`commensal texts` writes the template of a catalogue, and a catalogue offers its language everywhere."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from commensal.base.languages.catalogs import LANGUAGES, languages_in
from commensal.instance import InstanceSettings
from commensal.testing.texts import texts_in, translations_in

from .shell import Shell

ROOT = Path(__file__).parents[2]
# What shoppers read: the shop, e-mails, and what refuses an order.
SHOPPERS = ("commensal/parts/mail/", "commensal/parts/pages/", "commensal/orders/", "commensal_shop/")
GERMAN = {file: translations_in(file) for file in ROOT.glob("*/commensal*/locale/de/LC_MESSAGES/*.po")}


def read_template(shell: Shell, *options: str) -> Catalog:
    return read_po(BytesIO(shell.run("texts", *options).stdout.encode()), abort_invalid=True)


@pytest.mark.long  # seconds
def test_the_template_has_every_text_with_its_place_and_its_plural(shell: Shell) -> None:
    template = read_template(shell)
    placed = template.get("Confirm my order")
    assert placed is not None
    assert [file for file, _ in placed.locations] == ["commensal/parts/mail/send.py"]
    assert ("{number} product", "{number} products") in [message.id for message in template]
    assert template.get("Put into the basket"), "texts of plugins too"


@pytest.mark.long  # seconds
def test_with_a_language_only_what_it_lacks_is_written(shell: Shell) -> None:
    missing = read_template(shell, "--language", "de")
    assert missing.get("Put into the basket") is None
    assert missing.num_plurals == 2
    refused = shell.run("texts", "--language", "../x")
    assert (refused.returncode, "../x is not the code of a language" in refused.stderr) == (1, True)


def test_a_dropped_catalogue_offers_its_language(tmp_path: Path) -> None:
    for name in ("it/LC_MESSAGES/commensal.po", "es/LC_MESSAGES/shop.po"):  # a part of one is not a language yet
        file = tmp_path / name
        file.parent.mkdir(parents=True)
        file.write_text("")
    assert languages_in([tmp_path]) == ("en", "it")
    assert LANGUAGES == ("de", "en", "fr")
    assert InstanceSettings(name="Val", language="de").language == "de"
    with pytest.raises(ValueError, match="there is no catalogue for 'it'; there are de, en, fr"):
        InstanceSettings(name="Val", language="it")


def test_german_is_complete_for_shoppers() -> None:
    translated = {text for translations in GERMAN.values() for text in translations}
    packages = [ROOT / "core" / "commensal", ROOT / "plugins" / "commensal_shop"]
    texts = {text: where for folder in packages for text, where in texts_in(folder).items()}
    missing = [text for text, where in texts.items() if where.startswith(SHOPPERS) and text not in translated]
    entries = "\n\n".join(f'msgid "{text[0]}"\nmsgstr ""' for text in missing)
    assert not missing, f"{len(missing)} texts are in no German .po file:\n\n{entries}"


def test_german_names_the_values_of_its_texts() -> None:
    for file, translations in GERMAN.items():
        for text, forms in translations.items():
            assert len(forms) == len(text), f"{file.name}: {text[0]!r}"
            for form in forms:
                assert form, f"{file.name}: {text[0]!r} is empty"
                assert set(re.findall(r"{(\w+)", form)) <= set(re.findall(r"{(\w+)", text[0])), f"{file.name}: {form!r}"


def test_styles_turn_with_the_direction_of_the_language() -> None:
    """Pages in Arabic or Hebrew are mirrored, if styles say start and end instead of left and right."""
    sheets = [
        *ROOT.glob("plugins/*/static/*.css"),
        *ROOT.glob("core/**/*.css"),
        *ROOT.glob("core/**/mail/templates/*.html"),
    ]
    physical = re.compile(
        r"\b(?:margin|padding|border)-(?:left|right)\b|text-align: *(?:left|right)|(?<![-\w])(?:left|right) *:"
    )
    left_or_right = {sheet.name: physical.findall(sheet.read_text(encoding="utf-8")) for sheet in sheets}
    assert len(sheets) > 10
    assert {name: properties for name, properties in left_or_right.items() if properties} == {}
