"""Hall files: TOML text to a configuration and back, with every mistake found and said in two languages."""

import json
import re
import tomllib
import typing
import zoneinfo
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from displays.errors import Malformed
from displays.errors import Unavailable as NoPack
from displays.led import Panel, parse_dimming
from displays.speech.guidance import clips_needed
from displays.speech.pack import SHIPPED_TOKENS, load_pack
from displays.speech.phrases import VoicePolicy, tokens_needed
from queue_server.app.loudness import volume_findings
from queue_server.domain.checks import check
from queue_server.domain.configuration import Configuration
from queue_server.domain.findings import Finding, Level, error, listing, nearest, warning

LED_MOST_DOTS = 1024


def load(text: str) -> tuple[Configuration | None, list[Finding]]:
    """The configuration of a hall file and its findings; None when it is not even the right shape."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        zh = f"文件不是正确的 TOML：{problem}。请检查该处的引号、逗号和括号。"
        return None, [
            error("toml", "file", zh, f"The file is not TOML: {problem}. Look for quotes, commas and brackets there.")
        ]
    shape = list(_shape(Configuration, data, ""))
    if shape:
        return None, shape
    configuration = msgspec.convert(data, Configuration)
    return configuration, [
        *_timezone(configuration),
        *check(configuration),
        *_boards(configuration),
        *volume_findings(configuration),
    ]


def _boards(configuration: Configuration) -> Iterator[Finding]:
    """Boards of dots that no picture fits (UX W-04)."""
    for led in configuration.led:
        where = f"led {led.id}"
        try:
            Panel(led.width, led.height, led.dots)
            if max(led.width, led.height) > LED_MOST_DOTS:
                raise ValueError(f"a board has at most {LED_MOST_DOTS} dots each way")
        except ValueError as problem:
            zh = f"屏的点数不对：宽 {led.width}、高 {led.height}、字 {led.dots or '自动'}。字高 16、24 或 32，屏高不小于字高，"
            zh += f"一行至少 4 个汉字，宽高不超过 {LED_MOST_DOTS}。"
            yield error("led_size", where, zh, f"{problem}.")
        try:
            parse_dimming(led.brightness)
        except ValueError as problem:
            zh = f"亮度“{led.brightness}”不对：写 0 到 15，或按时间写，如 07:00=15 18:30=6。"
            yield error("led_brightness", where, zh, f"{problem}.")


def voice_findings(configuration: Configuration, folder: Path | None) -> Iterator[Finding]:
    """What the voice pack in `folder` cannot say of this hall (UX S-06); a call that it cannot say is not spoken.

    Without a folder the voice is the one that ships, as `yichuang voice build` makes it.
    """
    voice = configuration.voice
    try:
        clips = SHIPPED_TOKENS if folder is None else load_pack(folder).clips.keys()
        policy = VoicePolicy(template=voice.template, one=voice.one, languages=voice.languages)
    except (NoPack, Malformed) as problem:
        zh = f"语音包不能用：{problem}。请运行 yichuang voice build。"
        yield warning("voice_pack", "voice", zh, f"The voice pack does not work: {problem}. Run yichuang voice build.")
        return
    prefixes = [*(domain.prefix for domain in configuration.domain), *(each.prefix for each in configuration.bundle)]
    missing = tokens_needed(["1"], prefixes, policy) - clips
    if missing:
        said = listing(sorted(missing))
        zh = f"语音包缺少录音：{said}。请补录，或用 yichuang voice build --hall 重新生成。"
        en = f"The voice has no clip for {said}; record them, or run yichuang voice build --hall."
        yield warning("voice_tokens", "voice", zh, en)
    for window in configuration.window:
        plate = window.plate or window.id
        mute = sorted(tokens_needed([plate], [], policy) - clips - missing)
        if mute:
            said = listing(mute)
            zh = f"语音念不出窗口{window.id}的牌号“{plate}”（缺“{said}”），叫到这里的号不会播报。"
            zh += "请补录，或用 yichuang voice build --hall 重新生成，或把 plate 改成字母和数字。"
            en = f"The voice cannot say the plate {plate!r} of window {window.id} (no clip for {said}): its calls stay silent. "
            en += "Record it, run yichuang voice build --hall, or make the plate of letters and digits."
            yield warning("voice_plate", f"window {window.id}", zh, en)
    unsaid = sorted(clips_needed().keys() - clips)
    if configuration.kiosk and unsaid:
        said = listing(unsaid)
        zh = f"语音包没有取号机的导览语音：{said}。请补录，或用 yichuang voice build 重新生成；在此之前取号机不出声。"
        en = f"The voice has no guidance for kiosks: {said}; record it, or run yichuang voice build. Until then they are silent."
        yield warning("voice_guidance", "voice", zh, en)


def check_command(path: Path, as_json: bool, voice: Path | None = None) -> int:  # long: two ways to print one report
    """`yichuang config check FILE [--voice FOLDER] [--json]`: prints the findings; 0 fit to apply, 1 not, 2 no such file."""
    try:
        text = path.read_text("utf-8")
    except OSError as problem:
        Console(stderr=True).print(f"{path}: {problem.strerror}", markup=False, soft_wrap=True)
        return 2
    except UnicodeDecodeError as problem:
        zh = f"文件不是 UTF-8 编码（第 {problem.start} 字节）。请另存为 UTF-8。"
        findings = [error("encoding", "file", zh, f"The file is not UTF-8 (byte {problem.start}); save it as UTF-8.")]
        configuration, text = None, ""
    else:
        configuration, findings = load(text)
        if configuration is not None:
            findings += voice_findings(configuration, voice)
    bad = sum(finding.level is Level.ERROR for finding in findings)
    out = Console()
    if as_json:
        report = {
            "file": str(path),
            "ok": not bad,
            "errors": bad,
            "warnings": len(findings) - bad,
            "findings": findings,
        }
        out.file.write(msgspec.json.encode(report).decode() + "\n")
        return int(bool(bad))
    if findings:
        what = Column("要改什么 · what to mend", overflow="fold")
        table = Table("", "在哪里 · where", what, title=Text(str(path)), show_lines=True)
        for finding in findings:
            level = "错误" if finding.level is Level.ERROR else "提醒"
            table.add_row(level, place(finding.where, text), f"{finding.zh}\n{finding.en}")
        out.print(table, markup=False)
    if configuration is not None:
        parts = ("window", "matter", "bundle", "device")
        out.print(
            f"{path}: " + ", ".join(f"{len(getattr(configuration, part))} {part}s" for part in parts), markup=False
        )
    mild = len(findings) - bad
    out.print(f"{bad} 处错误，{mild} 处提醒 · errors: {bad}, warnings: {mild}", markup=False)
    return int(bool(bad))


_TABLES = {
    "zone": "功能区",
    "domain": "领域",
    "department": "部门",
    "window": "窗口",
    "matter": "事项",
    "bundle": "一件事",
    "priority": "优先类别",
    "kiosk": "取号机",
    "led": "LED 点阵屏",
    "device": "设备",
}


def place(where: str, text: str) -> str:
    """A finding's `where` for people: what the part is called, and the line of the file on which it stands."""
    found = re.match(r"(\w+) (\S+)(.*)", where)
    if found is None or found[1] not in _TABLES:
        return where
    table, part, rest = found.groups()
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if begun := re.match(r"\s*(?:\[\[(\w+)\]\]|(\w+)\s*=\s*\[)", line):
            inside = begun[1] or begun[2]
        if inside == table and re.search(rf"""\bid\s*=\s*["']{re.escape(part)}["']""", line):
            name = re.search(r"""\bname\s*=\s*["']([^"']+)["']""", line)
            called = f" {name[1]}" if name else ""
            return f"{_TABLES[table]} {part}{called}{rest}\n第 {number} 行 · line {number}"
    return f"{_TABLES[table]} {where.partition(' ')[2]}"


def _timezone(configuration: Configuration) -> Iterator[Finding]:
    name = configuration.hall.timezone
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        zh, en = nearest(name, zoneinfo.available_timezones())
        yield error("timezone", "hall.timezone", f"没有时区“{name}”{zh}", f"There is no timezone {name!r}{en}")


def _shape(kind: Any, data: object, where: str) -> Iterator[Finding]:
    """What in `data` is not of the type `kind`: every mistake, not only the first."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield from _struct(kind, data, where)
    elif typing.get_origin(kind) is tuple and isinstance(data, list):
        for n, item in enumerate(data):
            yield from _shape(typing.get_args(kind)[0], item, _nth(where, n, item))
    else:
        try:
            msgspec.convert(data, kind)
        except msgspec.ValidationError as problem:
            yield _mistyped(where, kind, data, str(problem))


def _struct(kind: type[msgspec.Struct], data: object, where: str) -> Iterator[Finding]:
    if not isinstance(data, dict):
        yield error(
            "type",
            where or "file",
            f"“{where}”应该是一张表，请写成 {{ … }}。",
            f"{where} should be a table; write {{ ... }}.",
        )
        return
    fields = _fields(kind)
    for key, value in data.items():
        at = f"{where} · {key}" if where else key
        if key not in fields:
            zh, en = nearest(key, fields)
            yield error("unknown_key", at, f"不认识“{key}”{zh}", f"The key {key!r} is unknown{en}")
        else:
            yield from _shape(fields[key].type, value, at)
    for name, field in fields.items():
        if field.required and name not in data:
            at = where or "file"
            yield error("missing_key", at, f"缺少“{name}”，请填写。", f"The key {name!r} is missing; fill it in.")


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(kind)}


def _nth(where: str, n: int, item: object) -> str:
    """The n-th table of an array by its own id where it has one, for people do not count tables."""
    name = item.get("id", item.get("matter")) if isinstance(item, dict) else None
    return f"{where} {name}" if isinstance(name, str) else f"{where}[{n + 1}]"


_WORDS: dict[object, tuple[str, str]] = {
    str: ("文字（加引号）", "a text in quotes"),
    int: ("整数", "a whole number"),
    float: ("数字", "a number"),
    bool: ("true 或 false", "true or false"),
}


def _mistyped(where: str, kind: Any, data: object, problem: str) -> Finding:
    if isinstance(kind, type) and hasattr(kind, "__members__"):
        known = [str(member) for member in kind.__members__.values()]
        zh, en = nearest(str(data), known)
        choices = "、".join(known)
        return error(
            "choice",
            where,
            f"“{data}”不在可选范围内{zh}可选：{choices}。",
            f"{data!r} is not a choice{en} Choose from {choices}.",
        )
    origin = typing.get_origin(kind)
    if origin in (tuple, list):
        zh, en = "列表，写成 [ … ]", "a list, written [ ... ]"
    elif origin is dict:
        zh, en = "表，写成 { … }", "a table, written { ... }"
    else:
        zh, en = _WORDS.get(kind, (problem, problem))
    return error(
        "type", where, f"“{_brief(data)}”不对，应该是{zh}。", f"{_brief(data)} is not right; it should be {en}."
    )


def _brief(data: object) -> str:
    text = re.sub(r"\s+", " ", str(data))
    return text if len(text) <= 40 else text[:40] + "…"


def to_toml(value: msgspec.Struct) -> str:
    """A struct as TOML that a person can edit: one key a line, one table of an array a line, defaults left out."""
    lines: list[str] = []
    defaults = _defaults(type(value))
    for name in value.__struct_fields__:
        field = getattr(value, name)
        if name in defaults and field == defaults[name]:
            continue
        match field:
            case msgspec.Struct():
                inner = _defaults(type(field))
                lines += [
                    f"{name}.{key} = {_inline(getattr(field, key))}"
                    for key in field.__struct_fields__
                    if key not in inner or getattr(field, key) != inner[key]
                ]
            case tuple() if field and isinstance(field[0], msgspec.Struct):
                lines += [f"{name} = [", *(f"  {_inline(item)}," for item in field), "]"]
            case _:
                lines.append(f"{name} = {_inline(field)}")
                continue
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def dump(configuration: Configuration) -> str:
    """The hall file of a configuration; `load` gives the same configuration back."""
    return to_toml(configuration)


def _defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    fields = msgspec.structs.fields(kind)
    return {f.name: f.default if f.default_factory is msgspec.NODEFAULT else f.default_factory() for f in fields}


def _inline(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # JSON escapes all that TOML wants escaped except DEL.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case int():
            return str(value)
        case float():
            return repr(value)
        case msgspec.Struct():
            defaults = _defaults(type(value))
            pairs = ((name, getattr(value, name)) for name in value.__struct_fields__)
            return _table({k: v for k, v in pairs if k not in defaults or v != defaults[k]})
        case dict():
            return _table(value)
        case tuple() | list():
            return "[" + ", ".join(_inline(item) for item in value) + "]"
        case _:
            raise TypeError(f"no TOML for {type(value).__name__}")


def _table(pairs: dict[str, Any]) -> str:
    """An inline table; None has no TOML and is left out."""
    inner = ", ".join(f"{_key(key)} = {_inline(value)}" for key, value in pairs.items() if value is not None)
    return "{ " + inner + " }"


def _key(key: str) -> str:
    bare = key.isascii() and key.replace("-", "").replace("_", "").isalnum()
    return key if bare else _inline(key)
