"""Legal texts of a hub: its notice, terms of sale and privacy, each in versions that orders refer to."""

from __future__ import annotations

from starlette.responses import Response

from commensal import LANGUAGES, NotFound, read_whole
from commensal.enterprises import LegalKind, legal_text_of, legal_texts_of, publish_legal_text
from commensal.pages import Visit, on_refusal

from ..frame.desk import open_desk
from ..frame.render import paragraphs_of, plain_of, show

KINDS: tuple[LegalKind, ...] = ("notice", "terms", "privacy")


def texts_page(visit: Visit) -> Response:
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        texts = legal_texts_of(tx, desk.enterprise.id)
    return show(visit, desk, "texts", at="settings", kinds=KINDS, texts=texts, done=visit.query.get("done", ""))


def text_page(visit: Visit) -> Response:
    kind = _read_kind(visit)
    with visit.read() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        current = legal_text_of(tx, kind, desk.enterprise.id)
    codes = sorted(LANGUAGES, key=lambda language: language != desk.enterprise.language)  # its own first
    stored = {language: plain_of(current.texts.get(language, "")) for language in codes}
    return show(
        visit,
        desk,
        "text",
        at="settings",
        kind=kind,
        current=current,
        codes=codes,
        typed=_typed(visit) if visit.form else stored,
        version=visit.form.get("version", "") or str(current.version),
    )


def _read_kind(visit: Visit) -> LegalKind:
    """The kind of text in the path. Raises `NotFound`."""
    kind = next((name for name in KINDS if name == visit.path["kind"]), None)
    if kind is None:
        raise NotFound
    return kind


def _typed(visit: Visit) -> dict[str, str]:
    return {language: visit.form.get(f"texts/{language}", "").replace("\r", "") for language in LANGUAGES}


@on_refusal(text_page)
def post_text(visit: Visit) -> Response:
    """Publishes the next version; orders that were placed keep the one that their customers accepted."""
    kind, version = _read_kind(visit), read_whole(visit.form.get("version", ""))
    known_version = -1 if version is None else version
    with visit.write() as tx:
        desk = open_desk(tx, visit, "enterprise:write")
        html = {language: paragraphs_of(text) for language, text in _typed(visit).items()}
        publish_legal_text(tx, kind, known_version, html, enterprise_id=desk.enterprise.id)
    return visit.redirect(f"{desk.address}/settings/texts?done={kind}")
