"""Settings: strict, explained, and all listed in the example."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest

from commensal.base.errors import SettingsError
from commensal.base.languages.catalogs import spaced
from commensal.instance import InstanceSettings, load_settings, read_settings
from commensal.parts.setup.begin import USUAL, begin_instance

EXAMPLE = Path(__file__).parents[2] / "instance.example.toml"


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    file = folder / "instance.toml"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return folder


def test_the_example_names_every_setting_with_its_default(tmp_path: Path) -> None:
    values = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    loaded = load_settings(write(tmp_path, EXAMPLE.read_text(encoding="utf-8")))
    plugin_settings = values["plugins"]
    assert loaded == dataclasses.replace(InstanceSettings(name=values["name"]), plugins=plugin_settings)
    assert plugin_settings["enabled"] == list(USUAL)

    def compare(shape: Any, expected_names: dict[str, Any], where: str) -> None:
        fields = {field.name for field in dataclasses.fields(shape)}
        assert set(expected_names) == fields, where
        for name, value in expected_names.items():
            inner = getattr(shape, name)
            if dataclasses.is_dataclass(inner):
                compare(inner, value, f"{where}.{name}")

    compare(loaded, values, "instance.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('nam = "x"', "nam is unknown; did you mean 'name'?"),
        ("", "object missing required field `name`"),
        ("name = 1", "name: expected `str`, got `int`"),
        ('name = "x"\n[server]\nprot = 1', "server.prot is unknown; did you mean 'port'?"),
        ('name = "x"\n[server]\nport = "80"', "server.port: expected `int`, got `str`"),
        ('name = "x"\n[server]\nport = 99999', "server.port: 99999 is not a port"),
        ('name = "x"\nlanguage = "nl"', "language: there is no catalogue for 'nl'; there are de, en, fr"),
        ('name = "x"\n[mail]\nsecurity = "ssl"', "mail.security: expected one of 'starttls', 'tls', 'none', got 'ssl'"),
        ('name = "x"\ntimezone = "Paris"', "'Paris' is not an IANA time zone, like Europe/Paris"),
        ('name = "x"\nbase_url = "example.org"', "must begin with http:// or https://"),
        ('name = "x"\n[outbound]\nallow = ["localhost"]', "outbound.allow: 'localhost' is not an address or network"),
        ('name = "x"\n[outbound]\nports = ["https"]', "outbound.ports[0]: expected `int`"),
        ("name = ", "instance.toml: "),
    ],
)
def test_what_is_wrong_is_said_with_the_key_and_what_was_perhaps_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(write(tmp_path, text))
    assert message in str(error.value)


def test_a_file_in_another_encoding_is_told_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "instance.toml").write_bytes('language = "fr"\nname = "Vallée"\n'.encode("latin-1"))
    with pytest.raises(SettingsError, match="line 2 is not in UTF-8"):
        load_settings(tmp_path)


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="commensal init"):
        load_settings(tmp_path)


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    secret = 'name = "x"\n[mail]\npassword = "hunter2"'
    with pytest.raises(SettingsError, match="chmod 600"):
        load_settings(write(tmp_path, secret, 0o644))
    assert load_settings(write(tmp_path, secret)).mail.password


def test_without_the_look_at_its_mode_such_a_file_would_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Disables the guard."""
    monkeypatch.setattr("commensal.instance.settings.holds_secrets", lambda shape, values: False)
    secret = 'name = "x"\n[mail]\npassword = "hunter2"'
    assert load_settings(write(tmp_path, secret, 0o644)).mail.password.reveal() == "hunter2"


def test_secrets_do_not_show_themselves(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, 'name = "x"\n[mail]\npassword = "hunter2"'))
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.mail.password)


def test_a_dataclass_of_a_plugin_is_read_as_strictly() -> None:
    @dataclasses.dataclass(frozen=True)
    class CashSettings:
        iban: str
        days: int = 14

    assert read_settings(CashSettings, {"iban": "FR76", "days": 3}, "cash") == CashSettings("FR76", 3)
    with pytest.raises(SettingsError, match=r"cash\.ibam is unknown; did you mean 'iban'"):
        read_settings(CashSettings, {"ibam": "FR76"}, "cash")


class Flat(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    amount: int


class Share(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    percent: int


@dataclasses.dataclass(frozen=True)
class PickupPlace:
    name: str = ""


@dataclasses.dataclass(frozen=True)
class ShopSettings:
    places: tuple[PickupPlace, ...] = ()
    rules: Annotated[tuple[Flat | Share, ...], msgspec.Meta(max_length=3)] = ()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"places": [{"name": "a"}, {"nam": "b"}]}, "shop.places[1].nam is unknown; did you mean 'name'?"),
        ({"places": [{"name": 1}]}, "shop.places[0].name: expected `str`, got `int`."),
        ({"places": {"name": "a"}}, "shop.places: expected `array`, got `object`."),
        ({"rules": [{"kind": "Flat", "amont": 1}]}, "shop.rules[0].amont is unknown; did you mean 'amount'?"),
        ({"rules": [{"kind": "Flat", "percent": 1}]}, "shop.rules[0].percent is unknown; known are amount, kind."),
        ({"rules": [{"kind": "Flad", "amount": 1}]}, "shop.rules[0].kind: 'Flad' is unknown; did you mean 'Flat'?"),
        ({"rules": [{"kind": 7}]}, "shop.rules[0].kind: 7 is unknown; known are Flat, Share."),
        ({"rules": [{"kind": []}]}, "shop.rules[0].kind: [] is unknown; known are Flat, Share."),
        ({"rules": [{"amount": 1}]}, "shop.rules[0]: object missing required field `kind`."),
    ],
)
def test_what_is_wrong_in_a_list_is_said_with_its_place(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as error:
        read_settings(ShopSettings, values, "shop")
    assert str(error.value) == message


def test_a_list_may_hold_several_kinds_told_by_their_tag() -> None:
    rules = [{"kind": "Share", "percent": 5}, {"kind": "Flat", "amount": 2}]
    assert read_settings(ShopSettings, {"rules": rules}).rules == (Share(5), Flat(2))


@pytest.mark.parametrize(
    ("language", "comments"),
    [
        (
            "en",
            [
                "The settings of this instance. `commensal settings` prints them all.",
                "empty: SQLite, in the file commensal.db of this folder",
                "empty: e-mails are written into the folder mail/",
                "for this instance alone, best on another disk; empty: nobody backs it up",
                "every night, by the clock of timezone",
                "the newest stay",
            ],
        ),
        (
            "fr",
            [
                "Les réglages de cette instance. `commensal settings` les affiche tous.",
                "vide : SQLite, dans le fichier commensal.db de ce dossier",
                "vide : les e-mails sont écrits dans le dossier mail/",
                "pour cette seule instance, de préférence sur un autre disque ; vide : personne ne la sauvegarde",
                "chaque nuit, à l’heure de timezone",
                "les plus récentes sont gardées",
            ],
        ),
    ],
)
def test_a_new_instance_has_its_settings_explained_in_its_language(
    language: str, comments: list[str], tmp_path: Path
) -> None:
    begin_instance(tmp_path / "val", name="Val", language=language, plugins=())
    lines = (tmp_path / "val" / "instance.toml").read_text(encoding="utf-8").splitlines()
    assert [line.partition("# ")[2] for line in lines if "# " in line] == [
        spaced(language, comment) for comment in comments
    ]
