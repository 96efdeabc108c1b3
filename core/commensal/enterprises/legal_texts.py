"""Legal texts of an enterprise or of the instance: legal notice, terms, privacy, accessibility. Every version is kept.

An order keeps the version of the terms of sale that its customer accepted (French Code civil, art. 1127-1 and 1127-2;
Code de la consommation, art. L221-5), so no version is ever changed or deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import ColumnElement, ScalarSelect, Text, and_, bindparam, cast, exists, func, literal, select

from ..base.errors import Invalid, NotFound, Problem, Stale
from ..base.languages.catalogs import LANGUAGES
from ..base.texts import LONGEST, clean_html
from ..storage.database import Row, Transaction, insert_or
from .tables import enterprise, legal_text

LegalKind = Literal["notice", "terms", "privacy", "accessibility"]
KINDS: tuple[LegalKind, ...] = get_args(LegalKind)
KINDS_OF_ENTERPRISES: tuple[LegalKind, ...] = ("notice", "terms", "privacy")  # the site is the instance's
_row = legal_text.c


@dataclass(frozen=True, kw_only=True)
class LegalText:
    """One version of a legal text.

    id:            "" if nothing was ever published
    enterprise_id: None: of the instance
    version:       1, 2, 3 …; 0 if nothing was ever published
    texts:         clean HTML by language ("fr"); empty: nothing was published, or it was withdrawn
    published_at:  UTC
    """

    id: str = ""
    enterprise_id: str | None = None
    kind: LegalKind
    version: int = 0
    texts: Mapping[str, str] = field(default_factory=dict)
    published_at: datetime | None = None

    def text(self, *languages: str) -> tuple[str, str]:
        """The language and the HTML of the text in the first of `languages` that it has, or else in any of its own;
        ("", "") if it has none."""
        for language in (*languages, *self.texts):
            if language in self.texts:
                return language, self.texts[language]
        return "", ""


def publish_legal_text(
    tx: Transaction, kind: LegalKind, version: int, texts: Mapping[str, str], *, enterprise_id: str | None = None
) -> LegalText:
    """Publishes the next version of a text and returns it. `texts` are HTML or plain text by language; without any, the
    text is withdrawn. `version` is the current one, which the author has read; 0 for the first.

    Raises `Invalid` with every mistake, `NotFound` for an unknown enterprise, `Stale` if somebody has published since.
    """
    clean = {language: _html(text) for language, text in texts.items() if text.strip()}
    if problems := [*_problems(kind, texts, enterprise_id)]:
        raise Invalid(problems)
    if enterprise_id is not None:
        tx.one(select(enterprise.c.id).where(enterprise.c.id == enterprise_id))
    if legal_text_of(tx, kind, enterprise_id).version != version:
        raise Stale
    values = {
        "id": tx.new_id(),
        "enterprise_id": enterprise_id,
        "kind": kind,
        "version": version + 1,
        "texts": clean,
        "published_at": tx.now,
    }
    new = insert_or(tx, legal_text).values(values).on_conflict_do_nothing()
    row = tx.first(new.returning(*legal_text.c))
    if row is None:  # published by another transaction since we read the version
        raise Stale
    return _read(row)


def legal_text_of(tx: Transaction, kind: LegalKind, enterprise_id: str | None = None) -> LegalText:
    """The current version of an enterprise's text, or the instance's (None); without texts if there is none."""
    row = tx.first(
        select(legal_text).where(_owned_by(enterprise_id), _row.kind == kind).order_by(_row.version.desc()).limit(1)
    )
    return LegalText(kind=kind, enterprise_id=enterprise_id) if row is None else _read(row)


def legal_texts_of(tx: Transaction, enterprise_id: str | None = None) -> dict[LegalKind, LegalText]:
    """The current versions of all texts that are published, by kind: an enterprise's, or the instance's (None)."""
    latest = select(_row.kind, func.max(_row.version).label("version")).where(_owned_by(enterprise_id))
    current = latest.group_by(_row.kind).subquery()
    statement = select(legal_text).join(current, (current.c.kind == _row.kind) & (current.c.version == _row.version))
    texts = [_read(row) for row in tx.all(statement.where(_owned_by(enterprise_id)).order_by(_row.kind))]
    return {text.kind: text for text in texts if text.texts}


def legal_text_by_id(tx: Transaction, text_id: str) -> LegalText:
    """A version that was published, also an old one. Published texts are public. Raises `NotFound`."""
    row = tx.first(select(legal_text).where(_row.id == bindparam("text")), {"text": text_id})
    if row is None:
        raise NotFound("no_legal_text", "There is no such text.")
    return _read(row)


def legal_text_versions(tx: Transaction, enterprise_id: str) -> list[LegalText]:
    """All versions of an enterprise's texts by kind and version, withdrawn ones included."""
    rows = tx.all(select(legal_text).where(_owned_by(enterprise_id)).order_by(_row.kind, _row.version))
    return [_read(row) for row in rows]


def bring_legal_texts(tx: Transaction, enterprise_id: str, texts: Sequence[LegalText]) -> None:
    """Takes over the versions that an enterprise published at another instance, with new ids; versions that are here
    already stay as they are. Raises `Invalid` for kinds, versions or lengths that no published text has."""
    rows = []
    for brought in texts:
        if brought.kind not in KINDS_OF_ENTERPRISES or brought.version < 1:
            raise Invalid([Problem("legal_kind", "There is no such text.", "/kind")])
        if any(len(text) > LONGEST for text in brought.texts.values()):
            raise Invalid([Problem("too_long", "Use at most {most} characters.", "/texts", {"most": LONGEST})])
        clean = {language: clean_html(text) for language, text in brought.texts.items()}
        rows.append(
            {
                "id": tx.new_id(),
                "enterprise_id": enterprise_id,
                "kind": brought.kind,
                "version": brought.version,
                "texts": clean,
                "published_at": brought.published_at,
            }
        )
    for row in rows:
        tx.execute(insert_or(tx, legal_text).values(row).on_conflict_do_nothing())


def has_terms(tx: Transaction, enterprise_id: str) -> bool:
    """Whether the enterprise has published terms of sale."""
    return tx.value(select(current_terms_id(literal(enterprise_id, Text)))) is not None


def current_terms_id(enterprise_id: ColumnElement[str]) -> ScalarSelect[str]:
    """An SQL expression for the id of an enterprise's current terms of sale; NULL if it has none."""
    newer = legal_text.alias("newer")
    is_newer = and_(newer.c.enterprise_id == _row.enterprise_id, newer.c.kind == _row.kind)
    is_latest = ~exists().where(is_newer, newer.c.version > _row.version)
    conditions = (_row.enterprise_id == enterprise_id, _row.kind == "terms", is_latest, cast(_row.texts, Text) != "{}")
    return select(_row.id).where(*conditions).correlate_except(legal_text, newer).scalar_subquery()


def _owned_by(enterprise_id: str | None) -> ColumnElement[bool]:
    return _row.enterprise_id.is_(None) if enterprise_id is None else _row.enterprise_id == enterprise_id


def _read(row: Row) -> LegalText:
    return LegalText(**row)


def _html(text: str) -> str:
    """Clean HTML. In plain text, an empty line separates paragraphs."""
    if "<" in text:
        return clean_html(text)
    paragraphs = [part.strip().replace("\n", "<br>") for part in text.replace("\r", "").split("\n\n")]
    return clean_html("".join(f"<p>{paragraph}</p>" for paragraph in paragraphs if paragraph))


def _problems(kind: str, texts: Mapping[str, str], enterprise_id: str | None) -> list[Problem]:
    problems = []
    if kind not in (KINDS if enterprise_id is None else KINDS_OF_ENTERPRISES):
        problems.append(Problem("legal_kind", "There is no such text.", "/kind"))
    for language, text in texts.items():
        where = f"/texts/{language}"
        if language not in LANGUAGES:
            problems.append(Problem("language", "This language is not spoken here.", where))
        if len(text) > LONGEST:
            problems.append(Problem("too_long", "Use at most {most} characters.", where, {"most": LONGEST}))
    return problems
