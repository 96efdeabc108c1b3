"""Files that are wrong in ways that cost: lists, statements, workbooks and pictures, drawn from a seed."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image as Pillow

_HEADERS = "producer,sku,name,display_name,category,description,units,unit_type,price,on_hand,tax_category,labels"
_WORDS = ("pomme", "poirre", "carote", "fromgae", "zork", "été", "œuf", "x" * 60, "e" + "́" * 40, "ß" * 30, "=1+1")


@dataclass(frozen=True)
class WrongFile:
    """What a member hands in at a path below their enterprise."""

    kind: str
    path: str
    media_type: str
    content: bytes

    def __str__(self) -> str:
        return f"{self.kind} of {len(self.content)} bytes"


def wrong_files(seed: int, size: int = 700_000) -> Iterator[WrongFile]:
    """Files without end, of about so many bytes, in turns of each kind."""
    chance = random.Random(seed)
    draws: tuple[Callable[[random.Random, int], WrongFile], ...] = (_list, _statement, _workbook, _picture)
    while True:
        for draw in draws:
            yield draw(chance, size)


def _cell(chance: random.Random) -> str:
    """A cell as people and programs get it wrong."""
    number = chance.randrange(10**6)
    return chance.choice(
        (
            " ".join(f"{chance.choice(_WORDS)}{chance.randrange(1000)}" for _ in range(chance.randrange(1, 8))),
            f"{number}/{number % 40}/{number % 99}",
            f"{number % 31}.{number % 13}.{number}",
            f"{number},{number}.{number}",
            f"-{number};1",
            "",
            f"kg{number}",
            "9" * chance.randrange(1, 60),
        )
    ).replace(",", " ")


def _rows(chance: random.Random, size: int, cells: int, separator: str) -> Iterator[str]:
    written = 0
    while written < size:
        row = separator.join(_cell(chance) for _ in range(cells))
        written += len(row.encode())
        yield row


def _list(chance: random.Random, size: int) -> WrongFile:
    cells = _HEADERS.count(",") + 1
    content = "\n".join((_HEADERS, *_rows(chance, min(size, 4_000_000), cells, ","))).encode()
    return WrongFile("list", f"product-list?dry_run={chance.choice(('true', 'false'))}", "text/csv", content)


def _statement(chance: random.Random, size: int) -> WrongFile:
    head = chance.choice(("date;montant;libellé", "x;-1;\n" * 20 + "date;montant;libellé"))
    rows = chance.choice((_rows(chance, size, 3, ";"), ("x;-1;" for _ in range(size // 6))))
    return WrongFile("statement", "statements", "text/csv", "\n".join((head, *rows)).encode())


def _workbook(chance: random.Random, size: int) -> WrongFile:
    """Rows of cells that unpack to much more than they are."""
    word = chance.choice(_WORDS[:5])
    row = "<row>" + f'<c t="inlineStr"><is><t>{word}</t></is></c>' * 50 + "</row>"
    sheet = f"<worksheet><sheetData>{row * min(15_000, size // 50)}</sheetData></worksheet>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("[Content_Types].xml", "<Types/>")
        file.writestr("xl/worksheets/sheet1.xml", sheet)
    return WrongFile("workbook", "product-list?dry_run=true", "application/zip", packed.getvalue())


def _picture(chance: random.Random, size: int) -> WrongFile:
    """A progressive JPEG whose first scan comes again and again."""
    drawn = io.BytesIO()
    side = chance.randrange(200, 1500)
    Pillow.effect_noise((side, side), 80).save(drawn, "JPEG", progressive=True, quality=30)
    content = drawn.getvalue()
    at = content.index(b"\xff\xda")
    end = content.index(b"\xff\xc4", at) if b"\xff\xc4" in content[at:] else len(content) - 2
    scan = content[at:end]
    repeated = scan * min(900, 1 + size // max(1, len(scan)))
    return WrongFile("picture", "images", "image/jpeg", content[:at] + repeated + content[end:])
