"""What the hub answered, on its way to the connection."""

from http import HTTPStatus

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

from queue_server.app.hub import Answer

_REASONS = {status.value: status.phrase for status in HTTPStatus}
_EMPTY = 204


class Told(web.StreamResponse):
    """A durable answer: head and JSON body are bytes already and leave in one piece, past aiohttp's table of headers.

    Nothing may be added to its headers. A peer that does not read makes the next request of its connection wait.
    """

    def __init__(self, answer: Answer) -> None:
        super().__init__(status=answer.status)
        self._answer = answer
        self._kept: bool | None = None

    @property
    def prepared(self) -> bool:
        return self._kept is not None

    @property
    def keep_alive(self) -> bool | None:
        return self._kept

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Sends everything; raises ConnectionError when the peer is gone."""
        writer = request.writer
        if self._kept is None:
            self._kept = request.keep_alive
            await writer.write(self._head(request) + self._answer.body)
            await writer.drain()
        return writer

    def _head(self, request: web.BaseRequest) -> bytes:
        answer, length, connection = self._answer, "", ""
        if answer.status != _EMPTY:
            length = f"Content-Type: application/json\r\nContent-Length: {len(answer.body)}\r\n"
        if not self._kept or request.version < HttpVersion11:
            connection = f"Connection: {'keep-alive' if self._kept else 'close'}\r\n"
        replayed = "Idempotent-Replayed: true\r\n" if answer.repeated else ""
        return (
            f"HTTP/1.1 {answer.status} {_REASONS[answer.status]}\r\n{length}{replayed}{connection}"
            f"Date: {rfc822_formatted_time()}\r\n\r\n"
        ).encode("ascii")

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to send."""
