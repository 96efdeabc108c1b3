"""The least that an order can cost: bare Starlette, raw SQL on SQLite, one fsync. All figures are compared with it."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from .load import Ask

ORDER: Ask = ("POST", "/", json.dumps({"name": "Ada", "lots": [1, 2, 3]}), {})
_SCHEMA = """
CREATE TABLE lot (id INTEGER PRIMARY KEY, free INTEGER NOT NULL CHECK (free >= 0)) STRICT;
CREATE TABLE ordered (id INTEGER PRIMARY KEY, name TEXT NOT NULL, total INTEGER NOT NULL) STRICT;
CREATE TABLE line (order_id INTEGER NOT NULL, lot_id INTEGER NOT NULL, quantity INTEGER NOT NULL) STRICT;
"""


def application(folder: Path) -> Starlette:
    """An application that takes stock and writes an order of three lines."""
    file = folder / "baseline.db"
    with sqlite3.connect(file) as database:
        database.executescript("PRAGMA journal_mode=WAL;" + _SCHEMA)
        database.executemany("INSERT INTO lot VALUES (?, 1000000000)", [(number,) for number in range(1, 31)])
    database.close()
    gate, local = threading.Lock(), threading.local()

    def connection() -> sqlite3.Connection:
        if not hasattr(local, "connection"):
            local.connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
            local.connection.execute("PRAGMA synchronous=FULL")
        connection_of_thread: sqlite3.Connection = local.connection
        return connection_of_thread

    def place(wish: dict[str, object]) -> int:
        lots = wish["lots"]
        assert isinstance(lots, list)
        with gate:
            db = connection()
            db.execute("BEGIN IMMEDIATE")
            for lot in lots:
                db.execute("UPDATE lot SET free = free - 1 WHERE id = ? AND free >= 1", (lot,))
            order = db.execute("INSERT INTO ordered (name, total) VALUES (?, ?)", (wish["name"], 3)).lastrowid
            db.executemany("INSERT INTO line VALUES (?, ?, 1)", [(order, lot) for lot in lots])
            db.execute("COMMIT")
        assert order is not None
        return order

    async def order(request: Request) -> JSONResponse:
        wish = json.loads(await request.body())
        return JSONResponse({"id": await run_in_threadpool(place, wish)}, status_code=201)

    return Starlette(routes=[Route("/", order, methods=["POST"])])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serves the baseline in this process while the block runs. Yields its address."""
    config = uvicorn.Config(application(folder), port=0, log_level="warning", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
