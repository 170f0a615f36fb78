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
    "printer": (
        "看打印机：应当打出一张测试页。之后可以开盖、取出纸卷，看状态怎样变。",
        "Look at the printer: a test page should come out. Then open the cover or take the roll out, and see its state change.",
    ),
    "scanner": ("现在扫一个码。", "Scan a code now."),
    "id_reader": (
        "现在放一张身份证：只显示读到没有，不显示内容。",
        "Put an ID card on it now: whether it was read shows, never what is on it.",
    ),
}
"""By kind: what the person is to do once the line is open."""
PRINTED: Final = (
    "打印机答复：已经打出。对照测试页的字、码、标尺和切纸，不对就改设置。",
    "The printer says that it is printed. Compare the page's characters, codes, ruler and cut; change the settings if need be.",
)
UNPRINTED: Final[dict[str, Sentence]] = {
    "out": (
        "缺纸：装好纸再试。打了一半的，装纸后会先出来，扔掉。",
        "It is out of paper: load a roll and try again; throw away a torn one.",
    ),
    "jam": ("卡纸：清掉卡住的纸，再试。", "Paper is jammed: clear it and try again."),
    "cover": ("盖子开着：合上再试。", "The cover is open: close it and try again."),
    "offline": (
        "打印机离线，或者线路断了：看电源、线和打印机上的灯。",
        "The printer is offline, or its line is gone: look at its power, cable and lamps.",
    ),
    "disconnected": (
        "打到一半线路断了：不知道打出来没有，看打印机。",
        "The line broke while it printed: nobody knows whether it came out, look.",
    ),
    "unreadable": (
        "线路通，打印机不回答：看电源、波特率和另一个方向的线。确实不会回答的，加 --set status=none 再试。",
        "The line is open and the printer does not answer: look at its power, the baud rate and the wire back. One that never"
        " answers is tried with --set status=none.",
    ),
    "outlet": ("出口还有一张没有取走：取走再试。", "A paper still lies at the outlet: take it and try again."),
    "not confirmed": (
        "发完了，打印机没有答复打完：看纸出来没有。纸出来了，多半是波特率低，或者 --set print_ms=20000。",
        "All was sent and the printer never said that it was done: look whether it came out. If it did, the line may be slow:"
        " try --set print_ms=20000.",
    ),
    "no status": (
        "发完了；按设置它不会回答，看纸出来没有。",
        "All was sent; by its settings it never answers: look whether it came out.",
    ),
}
"""By the driver's reason: why no page came out, or why nobody knows."""
NOT_PRINTED: Final = ("没有打印：{reason}", "Not printed: {reason}")
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
        self._papers = False

    def tell(self, event: Mapping[str, object]) -> None:
        """One event; an error that was said before is only counted."""
        name = str(event["event"])
        if name == "frame":
            self._write(f"{event['at_ms']:>7} ms  {event['line']}")
            return
        shown = {key: value for key, value in event.items() if key != "event" and value}
        if name == "paper":
            self._paper(str(event["outcome"]), str(event["reason"]))
            return
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

    def _paper(self, outcome: str, reason: str) -> None:
        self._papers = True
        why = PRINTED if outcome == "printed" else UNPRINTED.get(reason, NOT_PRINTED)
        self._write(f"{'paper':>10}  {outcome}{f' ({reason})' if reason else ''}\n{say(why, reason=reason)}")

    def conclude(self, *, heard: bool) -> None:
        """After the session: how often errors came again, and what to look at when the device was not heard."""
        for error, count in self._errors.items():
            if count > 1:
                self._write(say(AGAIN, count=count - 1, error=error))
        if not heard and not self._papers:  # what became of a paper was said
            silent = PRESSED_NOTHING if self._kind in PRESSED else SILENT
            self._write(say(silent if self._opened else NO_LINE, **self._figures))
