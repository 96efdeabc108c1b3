"""The list of cryptography in use names every file that uses any, with its algorithms."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from commensal.storage.idempotency import Seal, StoredAnswer

ROOT = Path(__file__).parents[2]
LIST = ROOT / "core/CRYPTOGRAPHY.md"
LIBRARIES = {"argon2", "cryptography", "hashlib", "hmac", "joserfc", "secrets", "ssl"}
OTHERS = {
    "Crypto",
    "jwt",
    "nacl",
    "passlib",
    "bcrypt",
    "rsa",
    "ecdsa",
}  # none of them is in use; a new one must be listed

# What the row of a file that uses it must contain: names of `hashlib`, and libraries.
_WORDS = {
    "sha1": "SHA-1",
    "sha256": "SHA-256",
    "sha512": "SHA-512",
    "md5": "MD5",
    "sha3_256": "SHA3",
    "blake2b": "BLAKE2b",
    "hmac": "hmac",
    "ssl": "ssl",
    "secrets": "secrets",
    "argon2": "Argon2id",
    "Ed25519PrivateKey": "Ed25519",
    "joserfc": "joserfc",
    "Fernet": "Fernet",
    "AESGCM": "AES-256-GCM",
}


def uses(source: str) -> set[str]:
    """Returns the imported libraries of cryptography, and the names taken from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {name.name.partition(".")[0] for name in node.names} & (LIBRARIES | OTHERS)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            library = node.module.partition(".")[0]
            if library in LIBRARIES | OTHERS:
                names |= {library, *(name.name for name in node.names)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib":
            names.add(node.attr)
    return names


def in_use() -> dict[str, set[str]]:
    files = [path for root in ("core", "federation", "plugins") for path in (ROOT / root).rglob("*.py")]
    names_by_file = {str(file.relative_to(ROOT)): uses(file.read_text(encoding="utf-8")) for file in files}
    return {file: names for file, names in names_by_file.items() if names}


def rows_by_file(text: str) -> dict[str, str]:
    """Returns the rows of each file, one after another."""
    by_file = defaultdict[str, str](str)
    for row in text.splitlines():
        for file in re.findall(r"`([\w/]+\.py)`", row) if row.startswith("| ") else ():
            by_file[file] += row
    return dict(by_file)


def mistakes(names_by_file: Mapping[str, set[str]], rows: Mapping[str, str]) -> list[str]:
    messages = [
        f"{file} uses {', '.join(sorted(names_by_file[file]))} and is not listed"
        for file in sorted(set(names_by_file) - set(rows))
    ]
    messages += [f"{file} is listed and uses nothing" for file in sorted(set(rows) - set(names_by_file))]
    for file in sorted(set(names_by_file) & set(rows)):
        row = rows[file].casefold()
        missing = [word for name, word in _WORDS.items() if name in names_by_file[file] and word.casefold() not in row]
        messages += [f"{file} uses {name}, and its row does not say so" for name in missing]
    return messages


def test_the_list_of_cryptography_names_every_file_that_uses_any() -> None:
    assert mistakes(in_use(), rows_by_file(LIST.read_text(encoding="utf-8"))) == []


def test_what_is_not_listed_or_is_another_algorithm_is_found() -> None:
    rows = rows_by_file(LIST.read_text(encoding="utf-8"))
    with_new_file = {"core/commensal/new.py": uses("from hashlib import md5\n")}
    assert mistakes({**in_use(), **with_new_file}, rows) == [
        "core/commensal/new.py uses hashlib, md5 and is not listed"
    ]
    with_weaker_hash = {"core/commensal/payments/journal.py": uses("import hashlib\nhashlib.sha1(b'')\n")}
    assert mistakes({**in_use(), **with_weaker_hash}, rows) == [
        "core/commensal/payments/journal.py uses SHA-1, and its row does not say so"
    ]
    without_file = {file: names for file, names in in_use().items() if file != "core/commensal/base/ids.py"}
    assert mistakes(without_file, rows) == ["core/commensal/base/ids.py is listed and uses nothing"]


def test_a_sealed_answer_opens_unchanged_and_for_its_request_alone() -> None:
    seal, answer = (Seal("a key", b"an order"), StoredAnswer(201, {}, '{"number":7,"secret":"of the guest"}'))
    sealed_answer = seal.close(answer)
    assert "of the guest" not in sealed_answer.body
    assert seal.open(sealed_answer) == answer
    middle = len(sealed_answer.body) // 2
    other_character = "A" if sealed_answer.body[middle] != "A" else "B"
    changed_answer = replace(
        sealed_answer, body=sealed_answer.body[:middle] + other_character + sealed_answer.body[middle + 1 :]
    )
    for key, answer_ in (
        (seal, changed_answer),
        (replace(seal, key="another"), sealed_answer),
        (replace(seal, content=b""), sealed_answer),
    ):
        with pytest.raises(InvalidTag):
            key.open(answer_)
