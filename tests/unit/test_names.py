"""UX X-10: what the hall's file calls a device, a board and a kiosk is what people read of it, in both languages."""

import pytest
from msgspec import structs

from displays.receipts import decode_paper
from displays.receipts.model import TicketPaper
from queue_server.app.clock import Clock
from queue_server.app.papers import Papers
from queue_server.app.tokens import Tokens
from queue_server.app.views.devices import device_name, page_place
from queue_server.domain import commands as c
from queue_server.domain.configuration import Device, Kiosk, Led
from queue_server.wire.common import Words
from tests.halls import Play, configuration

STRIP = Device(id="strip-3", agent="agent-1", kind="strip", url="serial:///dev/bus")
BOARD, KIOSK = Led(id="led-1"), Kiosk(id="kiosk-1", name="1 号取号机", name_en="Kiosk 1")


@pytest.mark.parametrize(
    ("name", "name_en", "words"),
    [
        ("3号窗口屏", "Strip of window 3", Words(zh="3号窗口屏", en="Strip of window 3")),
        ("3号窗口屏", "", Words(zh="3号窗口屏", en="3号窗口屏")),
        ("", "", None),
    ],
)
def test_devices_and_boards_have_an_english_name(name: str, name_en: str, words: Words | None) -> None:
    play = Play()
    devices = (structs.replace(STRIP, name=name, name_en=name_en),)
    boards = (structs.replace(BOARD, name=name, name_en=name_en),)
    changed = structs.replace(configuration(devices=devices), led=boards)
    play.do(c.ApplyConfiguration(configuration=changed, source="test"))
    assert device_name(play.hall.catalogue, "strip-3") == (words or Words(zh="strip-3", en="strip-3"))
    assert page_place(play.hall, "led", "led-1") == (words or Words(zh="led-1", en="led-1"))


@pytest.mark.parametrize(
    ("origin", "printed"),
    [
        ("device:kiosk-1", "1 号取号机"),
        ("device:kiosk-gone", "kiosk-gone"),
        ("staff:kiosk-1", "kiosk-1"),
        ("staff:4001", "4001"),
    ],
)
def test_the_paper_names_the_kiosk_as_people_do(origin: str, printed: str) -> None:
    play = Play(sit="1")
    changed = structs.replace(play.hall.configuration, kiosk=(KIOSK,))
    play.do(c.ApplyConfiguration(configuration=changed, source="test"))
    papers = Papers(Clock("Asia/Shanghai"), Tokens(bytes(32)), "http://hall")
    paper = decode_paper(papers.ticket(play.hall, play.take(origin=origin), again=False))
    assert isinstance(paper, TicketPaper)
    assert paper.kiosk == printed
