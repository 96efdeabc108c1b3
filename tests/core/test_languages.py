"""What people read: every text is translated; amounts, quantities and times are written as the language does."""

from __future__ import annotations

import ast
import importlib
import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

from commensal.base.errors import Problem, Refused, Several
from commensal.base.languages.catalogs import LANGUAGES, best_language, plural, say, spaced, translate
from commensal.base.languages.formats import (
    format_day,
    format_moment,
    format_money,
    format_number,
    format_percent,
    format_quantity,
    format_short_day,
    format_short_moment,
    format_span,
)
from commensal.base.money import Money
from commensal.parts.reports.formats import FORMATS
from commensal.parts.setup.settings import texts_of
from commensal.testing.texts import Text, texts_in, translations_in

ROOT = Path(__file__).parents[2]
PACKAGES = [
    ROOT / "core" / "commensal",
    *sorted(ROOT.glob("federation/commensal_*")),
    *sorted(ROOT.glob("plugins/commensal_*")),
]
AFTERNOON = datetime(2026, 6, 4, 15, 0, tzinfo=UTC)  # 17:00 in Paris


@cache
def french() -> dict[Path, dict[Text, Text]]:
    """The French of every text, by the file of its catalogue. Read by the first test, and not by each worker."""
    return {file: translations_in(file) for folder in PACKAGES for file in folder.glob("locale/fr/LC_MESSAGES/*.po")}


@pytest.fixture(scope="module")
def texts() -> dict[Text, str]:
    """All texts, with the first line of each plugin's docstring, which `commensal plugins` shows."""
    texts_of_code = {text: where for folder in reversed(PACKAGES) for text, where in texts_in(folder).items()}
    modules = [folder / "__init__.py" for folder in PACKAGES[1:]]
    descriptions: dict[Text, str] = {
        (_docstring(module).partition("\n")[0],): f"{module.parent.name}/{module.name}:1" for module in modules
    }
    return {**texts_of_code, **descriptions, **_settings_texts()}


def _settings_texts() -> dict[Text, str]:
    """The texts of forms for settings of plugins, made from their classes."""
    modules = [importlib.import_module(folder.name) for folder in PACKAGES[1:]]
    shapes = {
        module.__name__: module.enterprise_settings() for module in modules if hasattr(module, "enterprise_settings")
    }
    return {(text,): name for name, shape in shapes.items() for text in texts_of(shape) if text}


def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def test_every_text_that_people_read_is_in_french(texts: dict[Text, str]) -> None:
    translated = {text for translations in french().values() for text in translations}
    missing = {text: where for text, where in texts.items() if text not in translated}
    entries = "\n\n".join(f'#: {where}\nmsgid "{text[0]}"\nmsgstr ""' for text, where in missing.items())
    assert not missing, f"{len(missing)} texts are in no .po file:\n\n{entries}"


def test_help_names_every_format_of_a_report(texts: dict[Text, str]) -> None:
    assert (f"One of {', '.join(FORMATS)}.",) in texts


def test_no_template_writes_a_colon_after_a_text_itself() -> None:
    """French has a space before it, so that it is a text of its own, or a part of one."""
    templates = [file for folder in PACKAGES for file in folder.rglob("templates/**/*.[ht][tx]*")]
    colons = [
        f"{template.relative_to(ROOT)}:{number}: {match[0]}"
        for template in templates
        for number, line in enumerate(template.read_text(encoding="utf-8").splitlines(), 1)
        for match in re.finditer(r"\S*\s?(?:\}\}|%\}|>):(?:\s|<).{0,20}", line)
    ]
    assert templates
    assert colons == []


STORED_OR_LOGGED = {
    "facts.py",
    "installed.py",
    "commands.py",
    "send.py",
    "shell.py",
    "cells.py",
}  # read back, or of tools


def test_no_code_writes_a_colon_after_a_label_itself() -> None:
    """Where the language is known, `labelled` writes it: French has a space before it."""
    colons = [
        f"{file.relative_to(ROOT)}:{text.lineno}: {ast.unparse(text)}"
        for folder in PACKAGES
        for file in folder.rglob("*.py")
        if file.name not in STORED_OR_LOGGED and "testing" not in file.parts
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef | ast.ClassDef) and "language" in ast.unparse(function)
        for text in ast.walk(function)
        if isinstance(text, ast.JoinedStr) and _has_label(text)
    ]
    assert colons == []


def _has_label(text: ast.JoinedStr) -> bool:
    return any(
        isinstance(label, ast.FormattedValue) and isinstance(rest, ast.Constant) and str(rest.value).startswith(": ")
        for label, rest in itertools.pairwise(text.values)
    )


def test_no_french_text_has_a_number_before_a_plural_without_a_singular() -> None:
    """“1 commandes”: such a text has two forms (`plural`), or names the number last."""
    fixed = [
        f"{file.relative_to(ROOT)}: {forms[0]}"
        for file, translations in french().items()
        for forms in translations.values()
        if len(forms) == 1 and re.search(r"\{(?:number|orders|lines|mails)\} (?!depuis)[\wéè]+s\b", forms[0])
    ]
    assert fixed == []


def test_no_translation_outlives_its_text(texts: dict[Text, str]) -> None:
    unused = [
        f"{file.relative_to(ROOT)}: {text[0]}"
        for file, translations in french().items()
        for text in translations
        if text not in texts
    ]
    assert not unused, "\n".join(unused)


def test_one_text_has_one_translation() -> None:
    """All catalogues share one table: of two translations, the order of the plugins would choose."""
    for language in ("fr", "de"):
        files = [file for folder in PACKAGES for file in folder.glob(f"locale/{language}/LC_MESSAGES/*.po")]
        first: dict[Text, tuple[Sequence[str], Path]] = {}
        for file in files:
            for text, forms in translations_in(file).items():
                others, elsewhere = first.setdefault(text, (forms, file))
                assert list(forms) == list(others), f"{text[0]!r} differs in {file.name} and {elsewhere.name}"


def test_translations_say_something_with_the_values_of_their_texts() -> None:
    for file, translations in french().items():
        for text, forms in translations.items():
            for form in forms:
                assert form, f"{file}: {text[0]!r} is empty"
                assert _fields(form) <= _fields(text[0]), f"{file}: {text[0]!r} has no such value: {form!r}"


def test_no_line_of_a_french_text_begins_with_a_sign() -> None:
    """Between « and » is U+00A0 as before a colon, before ? ! ; and % the narrow U+202F."""
    for file, translations in french().items():
        for text, forms in translations.items():
            if not text[0].startswith(("commensal ", "https://")):
                shown = (
                    [translate("fr", text[0])]
                    if len(forms) == 1
                    else [plural("fr", text[0], text[1], number) for number in (1, 2)]
                )
                wrong = [each for each in shown if _LACKS_NO_BREAK_SPACE.search(each)]
                assert wrong == [], file
    assert translate("fr", "Forgotten your password?") == "Mot de passe oublié\u202f?"
    assert spaced("fr", "« Oui » : {share} % ; %20") == "«\u00a0Oui\u00a0»\u00a0: {share}\u202f%\u202f; %20"
    assert spaced("fr", "{at:%d %H:%M} https://x.example") == "{at:%d %H:%M} https://x.example"
    assert spaced("de", "« so ? »") == "« so ? »"


_LACKS_NO_BREAK_SPACE = re.compile(
    r"\S [?!;:»](?!\w)|« |\d %(?!\w)"  # a plain space
    r"|[^\s?!/][?!;](?=\s|$)|«\w|\w»"  # none at all
)


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_an_error_is_said_in_the_language_with_its_values() -> None:
    error = Refused("closed", "The sale {name} is closed.", name="Marché {de} juin")
    assert say("en", error) == "The sale Marché {de} juin is closed."
    assert say("fr", error) == "La vente Marché {de} juin est fermée."
    problem = Problem("x", "{left} left for {price}.", "/items", {"left": Decimal("1.50"), "price": Money(250, "EUR")})
    assert say("en", problem) == "1.5 left for €2.50."


def test_what_is_wrong_inside_is_said_in_the_same_language() -> None:
    reasons = Several([Refused("closed", "The sale {name} is closed.", name="Juin"), Problem("x", "Total"), "odd"])
    assert say("fr", Problem("x", "{reason}", values={"reason": reasons})) == "La vente Juin est fermée.; Total; odd"


def test_a_text_without_translation_is_said_as_it_is() -> None:
    assert translate("fr", "Nobody has ever written this.") == "Nobody has ever written this."
    assert translate("fr", "") == ""
    assert translate("../..", "There is nothing here.") == "There is nothing here."


@pytest.mark.parametrize(("count", "expected"), [(0, "many"), (1, "one"), (2, "many")])
def test_plurals_of_a_text_without_translation_follow_english(count: int, expected: str) -> None:
    assert plural("en", "one", "many", count) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('raise Conflict("x", "Closed.")', ["Closed."]),
        ('Problem("x", text="Closed.")', ["Closed."]),
        ('def f(a):\n    text = "A." if a else "B."\n    Problem("x", text, "/a")', ["A.", "B."]),
        (
            'def f(code, text, n):\n    return Problem(code, text)\ndef g():\n    f("x", "Handed on.", 1)',
            ["Handed on."],
        ),
        (
            'class X(Refused):\n    def __init__(self, text="By default."):\n        super().__init__("x", text)',
            ["By default."],
        ),
        ('class X(Refused):\n    def __init__(self):\n        super().__init__("x", "Its own.")', ["Its own."]),
        ('SAID = "Of the module."\ndef f():\n    Problem("x", SAID)', ["Of the module."]),
        ('translate(language, "Basket")', ["Basket"]),
        ('@app.command("tell")\ndef tell():\n    """Tells\n    it."""', ["Tells it."]),
        ('def tell():\n    """Tells it."""\napp.command("tell")(tell)', ["Tells it."]),
        ('@app.command("tell")\ndef tell():\n    ...', []),
        ('loud = typer.Option("--loud", help="So that all hear.")', ["So that all hear."]),
        ('say(language, one)\nopen("x", "rb")', []),
    ],
)
def test_texts_are_found_where_they_are_written(source: str, expected: list[str], tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source)
    assert list(texts_in(tmp_path)) == [(text,) for text in expected]


def test_a_text_handed_to_another_module_is_found(tmp_path: Path) -> None:
    (tmp_path / "findings.py").write_text("class Findings:\n    def add(self, row, text):\n        Problem('x', text)")
    (tmp_path / "module.py").write_text("findings.add(1, 'Handed far.')")
    assert list(texts_in(tmp_path)) == [("Handed far.",)]


@pytest.mark.parametrize(
    "source", ['Problem("x", f"{n} left.")', 'Refused("x", "Only " + n)', 'typer.Option(help=f"One of {names}.")']
)
def test_a_text_put_together_at_run_time_is_refused(source: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(source)
    with pytest.raises(ValueError, match=r"module\.py:1"):
        texts_in(tmp_path)


def test_texts_of_templates_are_found(tmp_path: Path) -> None:
    (tmp_path / "templates" / "shop").mkdir(parents=True)
    (tmp_path / "templates" / "shop" / "cart.html").write_text(
        '{{ _("Hello {name}", name=x) }}{{ ngettext("a", "b", 2) }}'
    )
    assert list(texts_in(tmp_path)) == [("Hello {name}",), ("a", "b")]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("fr", "fr"),
        ("en-US,en;q=0.9", "en"),
        ("fr-CH, fr;q=0.9, en;q=0.8", "fr"),
        ("it, en;q=0.5, fr;q=0.7", "fr"),
        ("en;q=0, fr;q=0.1", "fr"),
        ("it;q=0.9, *;q=0.5, en;q=0.1", "fr"),
        ("EN ; q=1.0", "en"),
        ("frisian", "fr"),
        ("enx", "fr"),
        ("", "fr"),
        (",;q=,;;,q=1", "fr"),
        ("en;q=nonsense", "fr"),
        ("x" * 600 + ",en", "fr"),
    ],
)
def test_the_language_is_the_one_the_browser_likes_most(header: str, expected: str) -> None:
    assert best_language(header, LANGUAGES, default="fr") == expected


@pytest.mark.parametrize(
    ("amount", "currency", "fr", "en"),
    [
        (250, "EUR", "2,50\u00a0€", "€2.50"),
        (123450, "EUR", "1\u202f234,50\u00a0€", "€1,234.50"),
        (-5, "EUR", "-0,05\u00a0€", "-€0.05"),
        (1500, "XPF", "1\u202f500\u00a0FCFP", "CFPF1,500"),
        (1500, "TND", "1,500\u00a0TND", "TND1.500"),
        (1500, "IQD", "1,500\u00a0IQD", "IQD1.500"),
    ],
)
def test_money_has_the_digits_of_its_currency(amount: int, currency: str, fr: str, en: str) -> None:
    assert format_money(amount, currency, "fr") == fr
    assert format_money(amount, currency, "en") == en


def test_numbers_and_rates_keep_the_digits_they_have() -> None:
    assert format_number(Decimal("1.870"), "fr") == "1,87"
    assert format_number(Decimal("1.870"), "en") == "1.87"
    assert format_percent(Decimal("5.50"), "fr") == "5,5\u202f%"
    assert format_percent(Decimal(20), "en") == "20%"


@pytest.mark.parametrize(
    ("value", "unit", "fr", "en"),
    [
        ("1.5", "Kilogram", "1,5 kg", "1.5 kg"),
        ("1", "Piece", "1 pièce", "1 piece"),
        ("1.5", "Piece", "1,5 pièce", "1.5 pieces"),
        ("6", "Piece", "6 pièces", "6 pieces"),
        ("1000", "Gram", "1 kg", "1 kg"),
        ("1500", "Millilitre", "1,5 L", "1.5 L"),
        ("750", "Millilitre", "75 cl", "750 mL"),
        ("75", "Centilitre", "75 cl", "75 cL"),
        ("125", "Millilitre", "125 mL", "125 mL"),
        ("2", "Jar", "2 bocaux", "2 jars"),
        ("2", "Bucket", "2 seaux", "2 buckets"),
        ("2", "Package", "2 colis", "2 packages"),
        ("2", "Tin", "2 boîtes de conserve", "2 tins"),
        ("2", "Box", "2 boîtes", "2 boxes"),
        ("2", "Unheard", "2 Unheard", "2 Unheard"),
    ],
)
def test_quantities_have_the_words_of_their_measure(value: str, unit: str, fr: str, en: str) -> None:
    assert format_quantity(Decimal(value), unit, "fr").replace("\u00a0", " ") == fr
    assert format_quantity(Decimal(value), unit, "en").replace("\u00a0", " ") == en


def test_moments_are_told_in_the_time_of_the_place() -> None:
    assert format_moment(AFTERNOON, "Europe/Paris", "fr") == "jeudi 4 juin 2026, 17:00"
    assert format_moment(AFTERNOON, "Europe/Paris", "en") == "Thursday, 4 June 2026, 17:00"
    assert format_moment(AFTERNOON, "Indian/Reunion", "fr") == "jeudi 4 juin 2026, 19:00"
    assert format_day(AFTERNOON + timedelta(hours=7), "Europe/Paris", "fr") == "vendredi 5 juin 2026"


def test_the_first_of_a_month_is_an_ordinal_in_french_alone() -> None:
    first, eleventh = (datetime(2026, 12, day, 12, tzinfo=UTC) for day in (1, 11))
    assert format_day(first, "Europe/Paris", "fr") == "mardi 1er décembre 2026"
    assert format_short_day(first, "fr") == "mar. 1er"
    assert format_short_moment(first, "Europe/Paris", "fr") == "mar. 1er déc., 13:00"
    assert format_day(eleventh, "Europe/Paris", "fr") == "vendredi 11 décembre 2026"
    assert format_day(first, "Europe/Paris", "en") == "Tuesday, 1 December 2026"


def test_a_span_names_its_day_once_if_it_is_one() -> None:
    evening = format_span(AFTERNOON, AFTERNOON + timedelta(hours=2), "Europe/Paris", "fr")
    assert evening == "jeudi 4 juin 2026, 17:00\u00a0–\u2060\u00a019:00"
    short = format_span(AFTERNOON, AFTERNOON + timedelta(hours=2), "Europe/Paris", "fr", short=True)
    assert short == "jeu. 4 juin, 17:00\u00a0–\u2060\u00a019:00"
    night = format_span(AFTERNOON, AFTERNOON + timedelta(hours=9), "Europe/Paris", "fr")
    assert night == "jeudi 4 juin 2026, 17:00\u00a0– vendredi 5 juin 2026, 02:00"
