"""A made-up database, and a server of this machine that can be told to misbehave."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ectopy.data.registry import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENTS = {
    name: np.random.default_rng(seed).bytes(200_000)
    for seed, name in enumerate(("1.atr", "1.dat", "1.hea"))
}


@dataclass
class Reply:
    """How to answer one request otherwise than rightly."""

    status: int = 200
    content: bytes | None = None
    bytes_sent: int | None = None
    hold: threading.Event | None = None
    barrier: threading.Barrier | None = None


@dataclass
class FileServer:
    """What the server holds, how it will misbehave, and what it was asked."""

    url: str = ""
    ranges: bool = True
    replies: dict[str, deque[Reply]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    bytes_sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, sent: int) -> None:
        with self.lock:
            self.bytes_sent += sent

    def answer(self, name: str, *replies: Reply) -> None:
        """Answer the next requests for a file so; the last reply holds for all further ones."""
        self.replies[name] = deque(replies)

    def next_reply(self, name: str) -> Reply:
        waiting = self.replies.get(name)
        if not waiting:
            return Reply()
        return waiting.popleft() if len(waiting) > 1 else waiting[0]


class Handler(BaseHTTPRequestHandler):
    state: FileServer

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        wanted = self.headers.get("Range")
        self.state.requests.append((name, wanted))
        reply = self.state.next_reply(name)
        if reply.barrier is not None:
            reply.barrier.wait(timeout=20)
        if reply.status != 200:
            self.send_error(reply.status)
            return
        content = CONTENTS[name] if reply.content is None else reply.content
        start = int(wanted[len("bytes=") : -1]) if wanted and self.state.ranges else 0
        if start >= len(content):
            self.send_error(416)
            return
        if start:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:][: reply.bytes_sent]
        # Counted before it is sent: the client may be done before this thread goes on.
        self.state.count(len(body))
        self.wfile.write(body)
        self.wfile.flush()
        if reply.hold is not None:
            reply.hold.wait(timeout=60)

    def log_message(self, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    """A running file server that holds `CONTENTS`."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    state = FileServer()
    handler = type("BoundHandler", (Handler,), {"state": state})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        state.url = f"http://127.0.0.1:{http.server_port}/tiny/"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        http.shutdown()
        thread.join()


@pytest.fixture
def contents() -> dict[str, bytes]:
    """What each file of the made-up database holds."""
    return CONTENTS


@pytest.fixture
def tiny(server: FileServer) -> Database:
    """A database of three files that the server holds."""
    return Database(
        name="tiny",
        version="2.1",
        title="Three made-up files",
        licence="none",
        citation="none",
        base_url=server.url,
        files={name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()},
    )


@pytest.fixture
def reply() -> type[Reply]:
    """The class of replies, for tests that have the server misbehave."""
    return Reply
