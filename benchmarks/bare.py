"""What the figures are compared with: aiohttp, uvloop and msgspec with nothing behind them.

`python -m benchmarks.bare` prints its port, answers `POST /tickets` with a document of the hall's own type, and sends
what is posted to `/say` to every websocket on `/live`. The server's own settings: no access log, no compression.
"""

import argparse
import asyncio
import gc
import sys
from pathlib import Path

import msgspec
import uvloop
from aiohttp import web

from queue_server.wire.api import TakeTicket, TicketTaken


def make_app(answer: TicketTaken | None) -> web.Application:
    """Decodes each request and encodes each answer with msgspec, and does nothing in between."""
    encode, decoder = msgspec.json.Encoder().encode, msgspec.json.Decoder(TakeTicket)
    sockets: set[web.WebSocketResponse] = set()

    async def take(request: web.Request) -> web.Response:
        decoder.decode(await request.read())
        return web.Response(status=201, body=encode(answer), content_type="application/json")

    async def live(request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        sockets.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            sockets.discard(socket)
        return socket

    async def say(request: web.Request) -> web.Response:
        text = await request.text()
        for socket in list(sockets):
            await socket.send_str(text)
        return web.Response(body=b"{}", content_type="application/json")

    app = web.Application()
    app.router.add_post("/tickets", take)
    app.router.add_get("/live", live)
    app.router.add_post("/say", say)
    return app


async def main(answer: TicketTaken | None) -> None:
    """Serve until killed."""
    runner = web.AppRunner(make_app(answer), access_log=None, keepalive_timeout=75.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
    gc.collect()
    gc.freeze()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--answer", type=Path, help="a file with the answer to POST /tickets")
    chosen = parser.parse_args()
    document = msgspec.json.decode(chosen.answer.read_bytes(), type=TicketTaken) if chosen.answer else None
    uvloop.run(main(document))
