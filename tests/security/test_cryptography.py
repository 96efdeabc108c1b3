"""The list of cryptography in use names every file that uses any, and with what."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken

from commensal.interfaces.api.idempotency import Seal, StoredAnswer

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
}  # none of them is in use; whoever adds one tells

# What a row must say where its file uses it: names of `hashlib`, and libraries.
_WORDS = {
    "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512", "md5": "MD5", "sha3_256": "SHA3", "blake2b": "BLAKE2b",
    "hmac": "hmac", "ssl": "ssl", "secrets": "secrets", "argon2": "Argon2id", "Ed25519PrivateKey": "Ed25519",
    "joserfc": "joserfc", "Fernet": "Fernet",
}  # fmt: skip


def uses(source: str) -> set[str]:
    """Libraries of cryptography that are imported, and what is taken of them."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names} & (LIBRARIES | OTHERS)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            library = node.module.partition(".")[0]
            if library in LIBRARIES | OTHERS:
                found |= {library, *(name.name for name in node.names)}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hashlib":
            found.add(node.attr)
    return found


def in_use() -> dict[str, set[str]]:
    files = [path for root in ("core", "federation", "plugins") for path in (ROOT / root).rglob("*.py")]
    found = {str(file.relative_to(ROOT)): uses(file.read_text(encoding="utf-8")) for file in files}
    return {file: said for file, said in found.items() if said}


def listed(text: str) -> dict[str, str]:
    """The row in which each file stands."""
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    return {file: row for row in rows for file in re.findall(r"`([\w/]+\.py)`", row)}


def mistakes(found: Mapping[str, set[str]], rows: Mapping[str, str]) -> list[str]:
    wrong = [
        f"{file} uses {', '.join(sorted(found[file]))} and is not listed" for file in sorted(set(found) - set(rows))
    ]
    wrong += [f"{file} is listed and uses nothing" for file in sorted(set(rows) - set(found))]
    for file in sorted(set(found) & set(rows)):
        said = rows[file].casefold()
        missing = [word for name, word in _WORDS.items() if name in found[file] and word.casefold() not in said]
        wrong += [f"{file} uses {name}, and its row does not say so" for name in missing]
    return wrong


def test_the_list_of_cryptography_names_every_file_that_uses_any() -> None:
    assert mistakes(in_use(), listed(LIST.read_text(encoding="utf-8"))) == []


def test_what_is_not_listed_or_is_another_algorithm_is_found() -> None:
    rows = listed(LIST.read_text(encoding="utf-8"))
    new = {"core/commensal/new.py": uses("from hashlib import md5\n")}
    assert mistakes({**in_use(), **new}, rows) == ["core/commensal/new.py uses hashlib, md5 and is not listed"]
    weaker = {"core/commensal/trade/payments/chain.py": uses("import hashlib\nhashlib.sha1(b'')\n")}
    assert mistakes({**in_use(), **weaker}, rows) == [
        "core/commensal/trade/payments/chain.py uses SHA-1, and its row does not say so"
    ]
    gone = {file: said for file, said in in_use().items() if file != "core/commensal/base/ids.py"}
    assert mistakes(gone, rows) == ["core/commensal/base/ids.py is listed and uses nothing"]


def test_a_sealed_answer_opens_unchanged_and_for_its_request_alone() -> None:
    seal, answer = (
        Seal(("secret",), "a key", b"an order"),
        StoredAnswer(201, {}, '{"number":7,"secret":"of the guest"}'),
    )
    sealed = seal.close(answer)
    assert "of the guest" not in sealed.body
    assert seal.open(sealed) == answer
    middle = len(sealed.body) // 2
    other = "A" if sealed.body[middle] != "A" else "B"
    changed = replace(sealed, body=sealed.body[:middle] + other + sealed.body[middle + 1 :])
    for key, given in ((seal, changed), (replace(seal, key="another"), sealed), (replace(seal, content=b""), sealed)):
        with pytest.raises(InvalidToken):
            key.open(given)
