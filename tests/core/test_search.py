"""Search keys and clean HTML: what people type, made comparable and harmless."""

from __future__ import annotations

import pytest
from sqlalchemy import Column, MetaData, Table, Text, insert, select

from commensal.base.search import contains_text, matches, search_key
from commensal.base.texts import LONGEST, clean_html
from commensal.storage.database import Store


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Œufs  d’ÉTÉ", "oeufs d'ete"),
        ("STRASSE", search_key("Straße")),
        (" Crème fraîche\n", "creme fraiche"),
        ("", ""),
    ],
)
def test_a_search_key_has_neither_case_nor_accents_nor_ligatures(text: str, key: str) -> None:
    assert search_key(text) == key
    assert search_key(key) == key


def test_a_search_finds_every_word_in_any_order_and_takes_signs_as_they_are(store: Store) -> None:
    table = Table("probe", MetaData(), Column("key", Text), sqlite_strict=True)
    table.create(store.engine)
    names = ["Pommes de terre 50 %", "Pommes", "Terre_cuite"]
    with store.write() as tx:
        tx.execute(insert(table), [{"key": search_key(name)} for name in names])

        def keys_found(typed: str) -> list[str]:
            return [row["key"] for row in tx.all(select(table).where(matches(table.c.key, typed)))]

        assert keys_found("TERRE pommé") == ["pommes de terre 50 %"]
        assert keys_found("50 %") == ["pommes de terre 50 %"]
        assert keys_found("e_c") == ["terre_cuite"]
        assert len(keys_found("   ")) == 3
    table.drop(store.engine)


def test_what_is_typed_without_accents_is_found_in_what_was_written_with_them(store: Store) -> None:
    """On SQLite, whose LIKE ignores case only for ASCII, and on PostgreSQL, whose lower() keeps accents."""
    table = Table("probe", MetaData(), Column("name", Text), sqlite_strict=True)
    table.create(store.engine)
    names = ["Élodie Le Gœuf", "ÉLODIE", "Elodie", "L’Étable 50 %", "Strauß"]
    with store.write() as tx:
        tx.execute(insert(table), [{"name": name} for name in names])

        def names_found(typed: str) -> list[str]:
            return [row["name"] for row in tx.all(select(table).where(contains_text(table.c.name, typed)))]

        assert names_found("elodie") == names_found("Élodie") == names_found("ÉLOD") == names[:3]
        assert names_found("goeuf") == names_found("GŒUF") == names[:1]
        assert names_found("l'etable") == names_found("50 %") == [names[3]]
        assert names_found("strauss") == [names[4]]
        assert names_found("_") == []
    table.drop(store.engine)


def test_html_keeps_its_form_and_loses_what_could_harm() -> None:
    dirty = '<p onclick="x()">Bon <b>pain</b><script>alert(1)</script><img src=x onerror=y>'
    assert clean_html(dirty + '<a href="javascript:alert(1)">ici</a></p>') == (
        '<p>Bon <b>pain</b><a rel="noopener noreferrer">ici</a></p>'
    )
    assert "href" not in clean_html('<a href="//evil.example">ici</a><a href="/ici">ici</a>')
    assert clean_html("2 < 3 & <h1>titre</h1>") == "2 &lt; 3 &amp; titre"
    assert len(clean_html("a" * 3 * LONGEST)) == LONGEST
