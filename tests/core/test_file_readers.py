"""Files are read by processes of their own: in fair turns, within bounds, and nothing goes on that nobody waits for."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, as_completed, wait
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from commensal.api import waiting_files
from commensal.base.errors import Busy, Invalid, Problem, Refused, TooMany
from commensal.base.file_readers import lines, reading
from commensal.base.file_readers.lines import FileInLine, Lines, ReadingProgram
from commensal.base.file_readers.reading import FileReader, FileWanted, RequestFiles, request_files
from commensal.enterprises.grants import grant
from commensal.parts.pictures import images
from commensal.parts.product_lists.read import MOST_ROWS, Row, read_list
from commensal.storage.database import Store

from ..gate import Gate
from .test_images import draw_image
from .test_product_lists_api import a_token

QUICK = [sys.executable, "-IS", "-c", "pass"]
UPLOADS = 45


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.open()


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short texts are read by a process, too."""
    monkeypatch.setattr(reading, "SHORT", -1)


def put(queue: Lines, program: list[str], who: str, order: list[str] | None = None, *, where: str = "") -> FileInLine:
    file = queue.put(ReadingProgram(program, b"", 60), who, where)
    if order is not None:
        file.result.add_done_callback(lambda _: order.append(who))
    return file


# ------------------------------------------------------------------------------------------------ turns


def test_who_hands_many_files_in_does_not_hold_up_the_one_file_of_another(gate: Gate) -> None:
    queue, order = Lines(at_once=1), list[str]()
    first = put(queue, gate.program, "member", order)
    while not first.result.running():
        pass  # its thread begins
    later = [put(queue, QUICK, "member", order) for _ in range(4)]
    other = put(queue, QUICK, "other", order)
    assert [file.ahead for file in later] == [1 + 0 + 1, 1 + 1 + 1, 2 + 1 + 1, 3 + 1 + 1]
    assert other.ahead == 2, "the one that is read, and one of the member's"
    gate.open()
    wait([file.result for file in (first, *later, other)])
    assert order.index("other") <= 2
    assert order.count("member") == 5


def test_one_file_of_each_is_read_at_a_time(gate: Gate) -> None:
    queue = Lines(at_once=2)
    first, second = (put(queue, gate.program, "member") for _ in range(2))
    assert put(queue, QUICK, "other").result.result().status == 0
    assert second.ahead == 1
    gate.open()
    assert [file.result.result().status for file in (first, second)] == [0, 0]


def test_one_file_of_an_enterprise_is_read_at_a_time_whoever_of_its_people_waits(gate: Gate) -> None:
    queue = Lines(at_once=3)
    first = put(queue, gate.program, "ada", where="farm")
    while not first.result.running():
        pass  # its thread begins
    second, elsewhere = put(queue, QUICK, "bob", where="farm"), put(queue, QUICK, "ada", where="hub")
    assert put(queue, QUICK, "bea", where="hub").result.result().status == 0
    assert not second.result.done()
    assert not elsewhere.result.done(), "one of each person, too"
    gate.open()
    assert [file.result.result().status for file in (first, second, elsewhere)] == [0, 0, 0]


def is_locked(file: Path) -> bool:
    with file.open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_two_servers_of_an_instance_read_one_file_of_each_at_a_time(gate: Gate, tmp_path: Path) -> None:
    """And no more at once together than one alone: who waits has the same place in both."""
    here, beside = Lines(at_once=2), Lines(at_once=2)
    here.share(tmp_path)
    beside.share(tmp_path)
    first = put(here, gate.program, "member")
    while not any(is_locked(place) for place in tmp_path.glob(".reading-*")):
        pass  # its thread begins
    second = put(beside, QUICK, "member")
    others = [put(beside, QUICK, f"other {number}") for number in range(8)]
    assert wait([each.result for each in others], return_when=FIRST_COMPLETED).done, "those of the other place are read"
    assert not second.result.done()
    gate.open()
    assert [file.result.result().status for file in (first, second, *others)] == [0] * 10


def test_a_line_has_an_end(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = Lines(at_once=1)
    files = [put(queue, gate.program, "other"), *(put(queue, QUICK, "member") for _ in range(lines.MOST_OF_ONE))]
    with pytest.raises(TooMany):
        put(queue, QUICK, "member")
    monkeypatch.setattr(lines, "MOST_BYTES", 10)
    with pytest.raises(Busy):
        queue.put(ReadingProgram(QUICK, b"x" * 11, 1), "third")
    for file in files:
        file.end()


def test_who_fills_the_lines_of_all_keeps_nobody_with_less_out(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by the bytes of few files, nor by the files of several enterprises."""
    queue = Lines(at_once=1)
    first = put(queue, gate.program, "first")
    while not first.result.running():
        pass  # its thread begins
    monkeypatch.setattr(lines, "MOST_BYTES", 100)
    large = [queue.put(ReadingProgram(QUICK, b"x" * 40, 60), "member") for _ in range(2)]
    other = queue.put(ReadingProgram(QUICK, b"x" * 30, 60), "other")
    with pytest.raises(TooMany):
        large.pop().result.result(timeout=0)
    with pytest.raises(Busy):
        queue.put(ReadingProgram(QUICK, b"x" * 80, 60), "third")
    monkeypatch.setattr(lines, "MOST_WAITING", 6)
    small = [put(queue, QUICK, f"member {number % 2}") for number in range(4)]
    third = put(queue, QUICK, "third")
    assert sum(file.result.done() for file in small) == 1
    with pytest.raises(Busy):
        put(queue, QUICK, "member 0")
    gate.open()
    assert {file.result.result().status for file in (first, *large, other, third)} == {0}
    wait([file.result for file in small])


def test_what_nobody_waits_for_is_ended_with_all_that_it_has_started(tmp_path: Path) -> None:
    source = (
        "import os, subprocess, sys; child = subprocess.Popen(['sleep', '1000'])\n"
        "open(sys.argv[1], 'w').write(f'{os.getpid()} {child.pid}'); child.wait()"
    )
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    queue = Lines(at_once=1)
    file = put(queue, [sys.executable, "-IS", "-c", source, str(pipe)], "member")
    started = [os.pidfd_open(int(each)) for each in pipe.read_text().split()]
    waiting = put(queue, QUICK, "member")
    waiting.end()
    file.end()
    assert file.result.result().status == -signal.SIGKILL
    assert waiting.result.cancelled()
    for process in started:
        assert select.select([process], [], [], 60)[0], "it goes on"
        os.close(process)


def test_a_process_that_reads_stands_back_behind_the_server() -> None:
    """Linux shares the processor between sessions first (`sched_autogroup`), and is nice only within each of them."""
    source = "import os; print(os.getsid(0))"
    finished = put(Lines(), [sys.executable, "-IS", "-c", source], "member").result.result()
    assert int(finished.written) == os.getsid(0)


# ------------------------------------------------------------------------------------------------ budget


class Seconds:
    """A clock of seconds that stands still."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_who_had_much_read_waits_and_others_do_not() -> None:
    now = Seconds()
    queue = Lines(at_once=1, now=now)
    queue.charge("member", lines.SAVED + 2)
    waiting = put(queue, QUICK, "member")
    assert waiting.wait == pytest.approx(2 / lines.SHARE)
    assert put(queue, QUICK, "other").result.result().status == 0
    assert not waiting.result.done()
    now.now += 2 / lines.SHARE
    put(queue, QUICK, "other")  # its thread looks again
    assert waiting.result.result().status == 0


def test_what_was_not_used_for_long_is_saved_up_and_not_more() -> None:
    now = Seconds()
    queue = Lines(now=now)
    queue.charge("member", lines.SAVED)
    now.now += 10_000
    queue.charge("member", lines.SAVED)
    assert queue.wait_of("member") == 0
    queue.charge("member", 1)
    assert queue.wait_of("member") == pytest.approx(1 / lines.SHARE)


def test_the_processor_that_a_file_takes_is_counted_with_what_it_starts() -> None:
    source = (
        "import os, time\nif child := os.fork(): os.waitpid(child, 0)\nwhile time.process_time() < 0.2: pass"  # twice
    )
    now = Seconds()
    queue = Lines(now=now)
    queue.charge("member", lines.SAVED)
    finished = put(queue, [sys.executable, "-IS", "-c", source], "member").result.result()
    assert finished.seconds >= 0.4
    assert queue.wait_of("member") == pytest.approx(finished.seconds / lines.SHARE)


def test_the_worker_and_commands_wait_for_no_budget() -> None:
    queue = Lines(now=Seconds())
    queue.charge("", 1000)
    assert put(queue, QUICK, "").result.result().status == 0


def test_what_a_request_does_with_its_file_and_short_texts_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LINES", Lines(now=Seconds()))
    reading.LINES.charge("member", lines.SAVED)
    files = RequestFiles("member")
    token = request_files.set(files)
    try:
        assert files.call(ROWS.read, b"name\nApples\n") == [(1, ["name"]), (2, ["Apples"])]
        assert 0 < reading.LINES.wait_of("member") < 5
        with pytest.raises(FileWanted):  # it waits for its turn, like a long one
            files.call(ROWS.read, b"name\nApples\n")
    finally:
        request_files.reset(token)


# ------------------------------------------------------------------------------------------------ functions


ROWS = FileReader(
    place="commensal.parts.product_lists.read:read_rows", answer=list[Row], advice=Problem("", "Split it.")
)


@pytest.mark.usefixtures("apart")
def test_a_function_answers_from_a_process_as_it_does_here() -> None:
    content = "name,price\nÄpfel,1\n\nBirnen,2\n".encode()
    assert ROWS.read(content) == [(1, ["name", "price"]), (2, ["Äpfel", "1"]), (4, ["Birnen", "2"])]
    with pytest.raises(Refused, match=f"more than {MOST_ROWS} rows") as refused:
        ROWS.read(b"x\n" * (MOST_ROWS + 2))
    assert refused.value.code == "too_many_rows"


@pytest.mark.usefixtures("apart")
def test_all_mistakes_of_a_refusal_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = FileReader(place="commensal.parts.product_lists.read:read_list", answer=object, advice=Problem("", ""))
    with pytest.raises(Invalid) as error:
        problems.read(b"nam,prix,unites\nx,1,1\n")
    with pytest.raises(Invalid) as here, monkeypatch.context() as patched:
        patched.setattr(reading, "SHORT", 1000)
        read_list(b"nam,prix,unites\nx,1,1\n")
    assert error.value.problems == here.value.problems


@pytest.mark.usefixtures("apart")
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import threading; threading.Event().wait()", "too_slow"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "too_slow"),
        ("import os; os.abort()", "too_much_memory"),
        ("import sys; sys.exit(3)", "too_much_memory"),
        ("raise ValueError", "unreadable"),
    ],
)
def test_a_file_that_costs_too_much_is_refused_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, code: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(source, encoding="utf-8")
    monkeypatch.setattr(reading, "_CHILD", program)
    monkeypatch.setattr(lines, "BEYOND", -9)
    with pytest.raises(Refused, match=r"Split it\.") as refused:
        ROWS.read(b"")
    assert refused.value.code == code


# ------------------------------------------------------------------------------------------------ requests


def test_files_that_wait_take_no_thread_from_others(
    client: TestClient, store: Store, hamlet: Any, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    """More uploads of one person than there are threads, for all enterprises that they may write for, none of which can
    be read now."""
    shops = ["hub", "farm", "mill"]
    for shop in shops:
        hamlet.enterprise(shop)
    token = a_token(store, "ada", "products:write")
    with store.write() as tx:
        grant(tx, "farm", "hub", "WriteProducts", by="ada")
        grant(tx, "mill", "hub", "WriteProducts", by="ada")
    program = gate.path.with_name("blocked.py")
    program.write_text(f"{gate.source}\nraise SystemExit(3)\n", encoding="utf-8")
    monkeypatch.setattr(images, "_REENCODE", program)
    picture = draw_image("PNG")

    def upload(number: int) -> int:
        headers = {**token, "Content-Type": "image/png"}
        return client.post(f"/api/enterprises/{shops[number % 3]}/images", content=picture, headers=headers).status_code

    with ThreadPoolExecutor(UPLOADS + 1) as people:
        uploads = [people.submit(upload, number) for number in range(UPLOADS)]
        refused = list(islice(as_completed(uploads), UPLOADS - 1 - lines.MOST_OF_ONE))  # all others wait now
        answer = people.submit(
            client.get, "/api/enterprises/hub/products", headers=a_token(store, "bob", "products:read")
        )
        try:
            assert answer.result(timeout=60).status_code == 200
        finally:
            gate.open()
        assert {each.result() for each in refused} == {429}
        assert sorted({each.result() for each in uploads}) == [422, 429]


def test_who_hands_a_file_in_pays_for_its_reading_and_not_the_producer_that_lets_them_write(
    client: TestClient, store: Store, hamlet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Lines(now=Seconds())
    monkeypatch.setattr(waiting_files, "LINES", budget)
    hamlet.enterprise("hub")
    hamlet.enterprise("farm")
    token = a_token(store, "bob", "products:write")
    with store.write() as tx:
        grant(tx, "farm", "hub", "WriteProducts", by="bob")
    for who in ("person bob", "enterprise farm", "farm"):
        budget.charge(who, lines.SAVED)
    sent = client.post(
        "/api/enterprises/farm/images", content=draw_image("PNG"), headers={**token, "Content-Type": "image/png"}
    )
    assert sent.status_code == 201
    assert budget.wait_of("person bob") > 0
    assert [budget.wait_of(who) for who in ("enterprise farm", "farm")] == [0, 0]
