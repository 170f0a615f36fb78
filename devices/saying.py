"""What the device commands say to people: of what was typed, what to press or look at, and every error once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from devices.words import Sentence, say

NO_PROFILE: Final = ("没有型号 {name}，有：{names}", "no profile {name}: {names}")
NO_HEX: Final = ("不是完整的十六进制字节：{text}", "these are not whole bytes in hex: {text}")
NO_BYTE: Final = ("至少写一个字节", "give at least one byte")
NO_JSON: Final = ("不是 JSON：{error}", "this is not JSON: {error}")
NO_FRAME: Final = (
    '一帧写成一个对象：{{"address": 3, "text": "A042"}}',
    'give one frame as an object: {{"address": 3, "text": "A042"}}',
)
NO_DEVICE: Final = ("{file} 里没有设备 {name}，有：{names}", "{file} has no device {name}: {names}")
NO_CHOICE: Final = (
    "写上 --as 型号，或者 --map 文件 和设备编号",
    "give --as PROFILE, or --map FILE and a device's id",
)
NO_PAIR: Final = ("--set {name}：写成 名称=值", "--set {name}: write NAME=VALUE")
NO_KIND: Final = ("{profile} 是 {kinds}，不是 {kind}", "{profile} is {kinds}, not {kind}")
NO_SESSION: Final = ("{file}：不是录下的会话：{error}", "{file}: not a recorded session: {error}")
NO_SERVER: Final = (
    "--server 要以 http:// 或 https:// 开头，不能是 {server}",
    "--server begins with http:// or https://, not {server}",
)
NOTHING_PLUGGED: Final = ("没有找到大厅设备能接的口", "nothing is plugged in that a hall's devices could hang on")
GOOD_PROFILE: Final = ("{file} 没有问题：{name}，{title}", "{file} is a good profile: {name}, {title}")

ASKED: Final[dict[str, Sentence]] = {
    "keypad": (
        "现在按呼叫器的键：每按一下，下面都会显示出来。",
        "Press the keys of the keypad now: every press shows below.",
    ),
    "rating_pad": (
        "现在把评价器的五个键都按一遍：每按一下，下面都会显示出来。",
        "Press all the keys of the rating device now: every press shows below.",
    ),
    "strip": ("看窗口屏：应当显示“{text}”。", 'Look at the strip: it should show "{text}".'),
    "board": ("看屏：应当显示“{text}”。", 'Look at the board: it should show "{text}".'),
    "speaker": ("听：应当播报“{text}”。", 'Listen: it should say "{text}".'),
    "scanner": ("现在扫一个码。", "Scan a code now."),
    "id_reader": (
        "现在放一张身份证：只显示读到没有，不显示内容。",
        "Put an ID card on it now: whether it was read shows, never what is on it.",
    ),
}
"""By kind: what the person is to do once the line is open."""
AGAIN: Final = ("又出现 {count} 次：{error}", "{count} more times: {error}")
NO_LINE: Final = (
    "线路打不开：看设备插好没有，网址对不对，设备代理是不是还占着它。",
    "The line could not be opened: look at the plug, the URL, and whether the agent still holds it.",
)
PRESSED_NOTHING: Final = (
    "没有听到按键。按过的话：看 A、B 两线是否接反、地址（{address}）和型号对不对；没按就再试一次。",
    "No press was heard. If you pressed: look at wires A and B, the address ({address}) and the profile; else try again.",
)
SILENT: Final = (
    "没有听到设备：看电源，A、B 两线是否接反，地址（{address}）和型号对不对。",
    "The device was not heard: look at its power, wires A and B, the address ({address}) and the profile.",
)
ENDS: Final = frozenset({"unavailable", "ended"})
"""Events that tell an error again because the session ends with it."""
PRESSED: Final = frozenset({"keypad", "rating_pad", "scanner", "id_reader"})


class Told:
    """Turns the events of a session into lines; `write` takes one."""

    def __init__(self, write: Callable[[str], None], kind: str, address: int, text: str) -> None:
        self._write = write
        self._kind, self._figures = kind, {"address": address, "text": text}
        self._errors: Counter[str] = Counter()
        self._opened = False

    def tell(self, event: Mapping[str, object]) -> None:
        """One event; an error that was said before is only counted."""
        name = str(event["event"])
        if name == "frame":
            self._write(f"{event['at_ms']:>7} ms  {event['line']}")
            return
        shown = {key: value for key, value in event.items() if key != "event" and value}
        error = str(shown.get("error") or shown.get("reason") or "")
        known = error in self._errors
        if error and not (known and name in ENDS):
            self._errors[error] += 1
        if known:
            shown.pop("error", None)
            shown.pop("reason", None)
        if not (known and name == "state"):
            rest = " ".join(f"{key}={value}" for key, value in shown.items())
            self._write(f"{name:>10}  {rest}".rstrip())
        if name == "open":
            self._opened = True
            if self._kind in ASKED:
                self._write(say(ASKED[self._kind], **self._figures))

    def conclude(self, *, heard: bool) -> None:
        """After the session: how often errors came again, and what to look at when the device was not heard."""
        for error, count in self._errors.items():
            if count > 1:
                self._write(say(AGAIN, count=count - 1, error=error))
        if not heard:
            silent = PRESSED_NOTHING if self._kind in PRESSED else SILENT
            self._write(say(silent if self._opened else NO_LINE, **self._figures))
