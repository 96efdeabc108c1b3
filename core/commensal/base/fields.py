"""A field of a product, an order or a customer: its type, limits and labels, and how its values are validated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from .errors import Problem
from .languages.catalogs import read_others
from .texts import clean_html, read_text, refuse_unknown_word
from .units.product_types import Concept

_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
Kind = Literal["text", "html", "texts", "htmls", "flag", "amount", "number", "term", "terms"]
_TYPES: Mapping[Kind, Any] = {
    "text": str,
    "html": str,
    "texts": dict[str, str],
    "htmls": dict[str, str],
    "flag": bool,
    "amount": int,
    "number": Decimal,
    "term": str,
    "terms": tuple[str, ...],
}
_EMPTY: Mapping[Kind, object] = {
    "text": "",
    "html": "",
    "texts": {},
    "htmls": {},
    "flag": False,
    "amount": 0,
    "number": Decimal(0),
    "term": "",
    "terms": (),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """How a field is read, written and shown.

    kind:     text: one line; html: clean HTML; texts, htmls: the same in further languages, by their ISO 639 codes,
              of products alone; flag: yes or no; amount: minor units of the enterprise's currency; number: a decimal;
              term, terms: of `vocabulary`
    english, french: its label
    least, most: characters of a text, entries of terms, the bounds of an amount or number
    required: it must have a value
    optional: None stands for nothing
    """

    name: str
    kind: Kind
    english: str
    french: str
    least: int = 0
    most: int = 200
    vocabulary: Mapping[str, Concept] = field(default_factory=dict)
    required: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name.rpartition("/")[2]):
            raise ValueError(f"{self.name!r} is not a name of a field: small letters, digits and _, at most 60")
        refuse_unknown_word(f"kind of the field {self.name}", self.kind, Kind)
        if self.kind in ("term", "terms") and not self.vocabulary:
            raise ValueError(f"the field {self.name} of kind {self.kind} needs a vocabulary")

    @property
    def type(self) -> object:
        """The type of its values."""
        return _TYPES[self.kind] | None if self.optional else _TYPES[self.kind]

    @property
    def default(self) -> object:
        """The value where none was given."""
        return None if self.optional else _EMPTY[self.kind]

    def label(self, language: str) -> str:
        """The label for people, in French for ``fr``; in English for every other language, for `translate`: a plugin's
        catalogue ``locale/de/…`` translates it as it stands here, with a capital letter."""
        text = self.french if language == "fr" else self.english
        return text[:1].upper() + text[1:]


@dataclass(frozen=True, kw_only=True)
class OrderField(Field):
    """A field that a plugin adds to orders.

    kind:  text: one line; flag: yes or no; amount: minor units of the enterprise's currency; number: a decimal;
           term, terms: of `vocabulary`; html, texts and htmls are for products alone
    least, most: characters of a text, entries of terms, the bounds of an amount or number
    asked: the checkout asks the customer for it: with every order, only if the order is delivered to an address, or
           never; the shop can always write it. A `required` field must then be filled in.
    """

    asked: Literal["always", "delivery", ""] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_html(self)
        refuse_unknown_word(f"asked of the field {self.name}", self.asked, Literal["always", "delivery", ""])
        if self.asked and self.kind not in ("text", "flag", "term", "number"):
            raise ValueError(f"the checkout cannot ask for {self.name}: it asks for a text, flag, term or number")


@dataclass(frozen=True, kw_only=True)
class CustomerField(Field):
    """A field that a plugin adds to what an enterprise writes of its customers.

    kind: text: one line; flag: yes or no; amount: minor units of the enterprise's currency; number: a decimal;
          term, terms: of `vocabulary`; html, texts and htmls are for products alone
    least, most: characters of a text, entries of terms, the bounds of an amount or number
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        _refuse_html(self)


def _refuse_html(field: Field) -> None:
    if field.kind in ("html", "texts", "htmls"):
        raise ValueError(
            f"the field {field.name} cannot be HTML or in several languages: only products have such texts"
        )


def read_plain_value(field: Field, value: object, problems: list[Problem]) -> Any:
    """The value of a field that is neither an amount nor a number, as it is stored. Adds mistakes to `problems`."""
    return _READERS[field.kind](field, value, problems)


def _read_text(field: Field, text: str | None, problems: list[Problem]) -> str | None:
    read = read_text(text or "", f"/{field.name}", problems, least=field.least, most=field.most)
    return read or None if field.optional else read


def _read_html(field: Field, text: str, problems: list[Problem]) -> str:
    return clean_html(text)


def _read_texts(field: Field, texts: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    return read_others(
        texts, f"/{field.name}", problems, lambda text, where: read_text(text, where, problems, most=field.most)
    )


def _read_htmls(field: Field, texts: Mapping[str, str], problems: list[Problem]) -> dict[str, str]:
    return read_others(texts, f"/{field.name}", problems, lambda text, _: clean_html(text))


def _read_term(field: Field, term: str, problems: list[Problem]) -> str:
    if term not in field.vocabulary:
        problems.append(_unknown_term(f"/{field.name}", term))
    return term


def _read_terms(field: Field, terms: Sequence[str], problems: list[Problem]) -> list[str]:
    where = f"/{field.name}"
    if len(terms) > field.most:
        problems.append(Problem("too_many", "At most {most} can be named.", where, {"most": field.most}))
        return []
    unknown = [(index, term) for index, term in enumerate(terms) if term not in field.vocabulary]
    problems += [_unknown_term(f"{where}/{index}", term) for index, term in unknown]
    return list(dict.fromkeys(terms))


def _read_flag(field: Field, flag: bool, problems: list[Problem]) -> bool:
    return flag


_READERS: Mapping[Kind, Callable[[Any, Any, list[Problem]], object]] = {
    "text": _read_text,
    "html": _read_html,
    "texts": _read_texts,
    "htmls": _read_htmls,
    "term": _read_term,
    "terms": _read_terms,
    "flag": _read_flag,
}


def _unknown_term(where: str, word: str) -> Problem:
    return Problem("unknown_term", "{term} is not known here.", where, {"term": word[:60]})
