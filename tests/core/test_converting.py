"""Several threads convert to a class for the first time at once, as happens after the start of a busy server."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from commensal.base.converting import convert

PROJECT = Path(__file__).parents[2]
ROOTS = ("core", "federation", "plugins")
# A class of its own for each round, with annotations that have to be looked up, and threads that change all the time.
CROWD = """
import sys, threading, types
import msgspec
from commensal.base.converting import convert

CLASSES = '''
from __future__ import annotations
from typing import Annotated
import msgspec
class Line(msgspec.Struct):
    item: Annotated[str, msgspec.Meta(max_length=30)] = ""
    pieces: int | None = None
class Order(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(max_length=30)] = ""
    email: Annotated[str, msgspec.Meta(max_length=30)] = ""
    first: Line | None = None
    lines: list[Line] = []
    total: Annotated[int, msgspec.Meta(ge=0)] = 0
'''
convert = convert if sys.argv[1] == "ours" else msgspec.convert
sys.setswitchinterval(1e-5)
for number in range(150):
    module = sys.modules[f"round{number}"] = types.ModuleType(f"round{number}")
    exec(CLASSES, module.__dict__)
    start = threading.Barrier(4)

    def meet():
        start.wait()
        assert convert({"name": "Ada", "lines": [{"pieces": 1}]}, module.Order).lines[0].pieces == 1

    threads = [threading.Thread(target=meet) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


def crowd(converter: str) -> int:
    return subprocess.run([sys.executable, "-c", CROWD, converter], check=False, timeout=60).returncode


def test_threads_that_meet_a_class_at_once_read_it_all_the_same() -> None:
    assert crowd("ours") == 0


def test_without_our_convert_the_process_crashes_before_msgspec_0_23() -> None:
    """Shows that the test above can fail with the lowest version that is allowed: a process may survive one round by
    chance, but hardly five. Once that version is 0.23, which survives all, our convert need not wait any more."""
    ended = {crowd("msgspec's") for _ in range(5)}
    if version("msgspec").startswith("0.22."):
        assert -signal.SIGSEGV in ended
    else:
        assert ended == {0}


def test_a_type_is_met_once_whatever_the_first_value_was() -> None:
    for value in ("no number", 3):
        try:
            assert convert(value, int) == 3
        except ValueError:
            assert value == "no number"


@dataclass
class Inner:
    number: int


@dataclass
class Outer:
    """Looks at a member by itself once it is converted to, as bodies of messages do."""

    member: dict[str, object]

    def __post_init__(self) -> None:
        convert(self.member, Inner)


def test_a_class_may_convert_within_the_first_conversion_to_it() -> None:
    answers: list[object] = []
    first = threading.Thread(target=lambda: answers.append(convert({"member": {"number": 1}}, Outer)), daemon=True)
    first.start()
    first.join(timeout=5)
    assert answers == [Outer({"number": 1})]


def test_nobody_converts_by_another_way() -> None:
    """Decoders created at import time are created by one thread; dictionaries of anything contain no class."""
    another_way = re.compile(r"msgspec\.convert\(|from msgspec import .*convert|^\s.*msgspec\.\w+\.Decoder\([A-Z]")
    violations = []
    for root in ROOTS:
        for file in (PROJECT / root).rglob("*.py"):
            if file.name == "converting.py":
                continue
            for number, line in enumerate(file.read_text().splitlines(), 1):
                by_itself = another_way.search(line)
                decodes = re.search(r"\.decode\(.*type=(?!dict\[str, (Any|object)\])", line)
                if by_itself or (decodes and "testing" not in file.parts):
                    violations.append(f"{file.relative_to(PROJECT)}:{number}: {line.strip()}")
    assert violations == []
