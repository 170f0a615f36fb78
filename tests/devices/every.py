"""Every driver in a row: its device, how a hall uses it, what is seen of that, and which faults it cannot have; for the tests beside it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from devices.emulators.idreader import record
from devices.protocols.keymaps import Key
from tests.devices.hall import until
from tests.devices.stage import Row, Stage, a_ticket, soon

DIGITS: Final = "零一二三四五六七八九"
NAMES: Final = "零甲乙丙丁戊己庚辛壬"

# How each kind is used, and what is seen of that.


async def _press(stage: Stage, n: int) -> None:
    assert await stage.node.press(Key.CALL, str(n))
    await soon(lambda: stage.told[-1:] == [n])


async def _rate(stage: Stage, n: int) -> None:
    stage.driver.invite(60_000)
    assert await (stage.node.rate if hasattr(stage.node, "rate") else stage.node.press)(n)
    await soon(lambda: stage.told[-1:] == [n])


async def _show(stage: Stage, n: int) -> None:
    stage.driver.show([[(f"请A{n:03}号", "red")]])
    await soon(lambda: stage.told[-1:] == [n])


async def _say(stage: Stage, n: int) -> None:
    """Two calls at once: each is said to its end."""
    first, second = ((*"请A零零", DIGITS[k], *"号到零号", "窗口") for k in (2 * n - 1, 2 * n))
    ends = await asyncio.gather(*(stage.driver.say(tokens, 80, 100_000) for tokens in (first, second)))
    for k, (outcome, reason) in zip((2 * n - 1, 2 * n), ends, strict=True):
        times = {"spoken": (1,), "unknown": (0, 1), "failed": (0,)}[outcome]
        assert _said(stage).count(k) in times, (k, outcome, reason)


async def _lay_on(stage: Stage, n: int) -> None:
    await soon(lambda: stage.driver.health.counters["frames"] > 1)
    await asyncio.sleep(1)  # nothing lies there
    stage.node.put(record(name=NAMES[n]))
    await soon(lambda: stage.told[-1:] == [n])
    await asyncio.sleep(2)
    stage.node.take()
    await asyncio.sleep(2)


async def _once(stage: Stage, n: int, do: Callable[[], Awaitable[object]]) -> None:
    """What no device repeats is done again by its person only where the wire kept bytes of it, or added some."""
    for _ in range(5):
        kept = stage.wire.kept
        await do()
        with contextlib.suppress(TimeoutError):
            return await until(lambda: stage.told[-1:] == [n], 4)
        assert stage.wire.kept != kept, "it arrived as it was, and nobody heard it"
    raise AssertionError("done five times and never heard")


async def _scan(stage: Stage, n: int) -> None:
    await _once(stage, n, lambda: stage.node.scan(f"A{n:03}-x"))


async def _type(stage: Stage, n: int) -> None:
    stage.driver.invite(60_000)
    await _once(stage, n, lambda: stage.node.press(n + 1))  # KEY_1 is 2


async def _tap(stage: Stage, n: int) -> None:
    """A tablet of the S protocol shows what it is asked to, and then its citizen taps."""
    await stage.is_well()
    before = stage.node.commands.count("S02E")
    stage.driver.invite(600_000)
    await soon(lambda: stage.node.commands.count("S02E") > before)
    await asyncio.sleep(5)
    await stage.node.rate(n)
    await soon(lambda: stage.told[-1:] == [n])


async def _tap_json(stage: Stage, n: int) -> None:
    """One that calls: logged in, asked, tapped again while it has no answer."""
    while not stage.node.answers:
        await stage.node.log_in()
        await asyncio.sleep(1)
    before = stage.node.invitations
    stage.driver.invite(600_000)
    await soon(lambda: stage.node.invitations > before)
    for _ in range(6):
        answered = list(stage.node.answers).count(("RateSubmit", "0"))
        await stage.node.rate(n)
        with contextlib.suppress(TimeoutError):
            return await until(lambda was=answered: list(stage.node.answers).count(("RateSubmit", "0")) > was, 4)  # type: ignore[misc]
    raise AssertionError("tapped six times and never answered")


async def _print(stage: Stage, n: int) -> None:
    """What has failed printed nothing, and is asked for again."""
    for _ in range(6):
        outcome, reason = await stage.driver.print(a_ticket(n), 60_000)
        if outcome != "failed":
            await soon(lambda: stage.told[-1:] == [n])
            return
        assert n not in stage.told, reason
        await asyncio.sleep(5)
    raise AssertionError("asked for six times and never printed")


def _presses(stage: Stage) -> list[int]:
    return [int(digits) for device, digits in stage.actions if device == "it"]


def _texts(stage: Stage) -> list[int]:
    """A text that is sent again shows nothing new."""
    shown = ["".join(text) for text in stage.node.history]
    numbers = [int(found[0]) for text in shown if (found := re.findall(r"\d+", text))]
    return [number for number, before in zip(numbers, [None, *numbers], strict=False) if number != before]


def _said(stage: Stage) -> list[int]:
    """The numbers above zero of what was said to its end: in turn, none doubled, and nothing was cut off."""
    assert not stage.node.cut
    said = " ".join(stage.node.heard)
    said = "".join(f" {DIGITS.index(sign)} " if sign in DIGITS else sign for sign in said)
    numbers = [int(number) for number in re.findall(r"\d+", said) if 0 < int(number) < 10]
    assert numbers == sorted(set(numbers))
    return numbers


def _phrases(stage: Stage) -> list[int]:
    """The second of each two."""
    return [number // 2 for number in _said(stage) if number % 2 == 0]


def _papers(stage: Stage) -> list[int]:
    return [int(number) for paper in stage.node.papers for number in re.findall(r"A(\d{3})", paper.text)]


_KEY: Final = "FF 68 03 03 68 08 01 0C 15 16"
_RATED: Final = "FF 68 03 03 68 08 11 03 1C 16"
_STREAM: Final = "what comes over TCP or a websocket is all there, in its order, or the connection ends"
_UNSUMMED: Final = "its bytes carry no sum: a wrong bit there is a wrong text here"
_SUMMED: Final = "UDP and TCP sum what they carry: what has a wrong bit does not arrive"
_OBEYS: Final = "the module obeys each frame it hears; no wire says a host's frame twice"
_KERNEL: Final = "the kernel hands each event over once and whole"

_FF68: Final[dict[str, Any]] = {"address": 7, "silent": None, "lie": "FF 68 20 20 68 07 01"}
_STRIP: Final[dict[str, Any]] = {"kind": "strip", "use": _show, "told": _texts, "address": 3}
_VOICE: Final[dict[str, Any]] = {
    "kind": "speaker",
    "use": _say,
    "told": _phrases,
    "unsure": frozenset(("lost", "lost there", "wrong bits", "wrong bits there", "late", "very late")),
}
_TYPES: Final = {"repeated": _KERNEL, "wrong bits": _KERNEL, "wrong bits there": _KERNEL}

_TICKET: Final = dict.fromkeys(("lost there", "repeated there", "wrong bits there"), _UNSUMMED)

ROWS: Final = {
    row.name or row.profile: row
    for row in (
        Row(profile="hallquefront", kind="keypad", use=_press, told=_presses, others=_KEY, **_FF68),
        Row(profile="ff68-keypad-template", kind="keypad", use=_press, told=_presses, others=_KEY, **_FF68),
        Row(profile="ff68-a", kind="rating_pad", use=_rate, told=lambda s: s.levels, others=_RATED, **_FF68),
        Row(profile="ff68-template", kind="rating_pad", use=_rate, told=lambda s: s.levels, others=_RATED, **_FF68),
        Row(profile="a090", lie="A0 90 03", others="A0 90 04 A5 AA", **_STRIP),
        Row(profile="a090-template", lie="A0 90 03", others="A0 90 04 A5 AA", **_STRIP),
        Row(profile="aaqt", well="unknown", silent=None, **_STRIP),
        Row(profile="aaqt-template", well="unknown", silent=None, **_STRIP),
        Row(profile="addrfe", well="unknown", silent=None, **_STRIP),
        Row(profile="addrfe-template", well="unknown", silent=None, **_STRIP),
        Row(profile="led-485", lie="03 10 00", others="04 06 00 00 00 2A 08 40", **_STRIP),
        Row(
            profile="bx",
            lie="A5 A5 A5 A5 A5 A5 A5 A5 00 80 03 00 00 00 00 00 00 00 FE 02 00 02 A0 00",
            others="A5 A5 A5 A5 A5 A5 A5 A5 00 80 04 00 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 77 8D 5A",
            **_STRIP,
        ),
        Row(profile="syn6288", exempt={"repeated there": _OBEYS}, **_VOICE),
        Row(profile="xfs5152", exempt={"repeated there": _OBEYS}, **_VOICE),
        Row(profile="jq8900", lie="AA 01 40", exempt={"repeated there": _OBEYS}, **_VOICE),
        Row(profile="dfplayer", lie="7E FF 40 3D", exempt={"repeated there": _OBEYS}, **_VOICE),
        Row(profile="sam-v", kind="id_reader", use=_lay_on, told=lambda s: [NAMES.index(c) for c in s.cards],
            lie="AA AA AA 96 69 05 08 00 00 90"),
        Row(profile="scanner", kind="scanner", use=_scan, told=lambda s: [int(c[1:4]) for c in s.codes], silent=None,
            exempt={"wrong bits": _UNSUMMED}),
        Row(profile="gm65", kind="scanner", use=_scan, told=lambda s: [int(c[1:4]) for c in s.codes], silent=None,
            lie="02 00 00 40", exempt={"wrong bits": _UNSUMMED}),
        Row(profile="keyboard-scanner", kind="scanner", use=_scan, told=lambda s: [int(c[1:4]) for c in s.codes],
            silent=None, exempt=_TYPES),
        Row(profile="keyboard-pad", kind="rating_pad", use=_type, told=lambda s: s.levels, silent=None,
            levels={"2": 1, "3": 2, "4": 3, "5": 4, "6": 5}, exempt=_TYPES),
        Row(profile="tablet-s-udp", kind="rating_pad", use=_tap, told=lambda s: s.levels,
            exempt={"byte by byte": "a datagram is whole", "wrong bits": _SUMMED, "wrong bits there": _SUMMED}),
        Row(profile="tablet-json", kind="rating_pad", use=_tap_json, told=lambda s: s.levels, silent=None,
            lie='7B 22 70 61 72 61 6D 22 3A 7B',
            exempt={"lost there": _STREAM, "wrong bits there": _STREAM}),
        Row(profile="escpos", kind="printer", use=_print, told=_papers, lie="10", silent="degraded",
            exempt=_TICKET),
        Row(name="kiosk printer", profile="escpos", kind="printer", use=_print, told=_papers, lie="10 0F 01",
            silent="degraded", settings={"asb": "true", "full_status": "true"}, exempt=_TICKET),
    )
}  # fmt: skip
