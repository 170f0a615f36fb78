"""`yichuang devices`: profiles, decode and encode, for people and for machines (DESIGN 6, issue 3)."""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices import tool
from devices.decode import Decoder, decode, encode
from devices.framing.ff68 import Ff68Frame
from devices.profiles import PROFILES
from devices.profiles.wording import Wording
from queue_server import cli
from tests.devices import vectors, vectors_bx, vectors_voice
from tests.devices.test_idreader import REPLIES, REQUESTS
from tests.devices.test_number_panel import VECTORS as MODBUS_VECTORS
from tests.devices.test_plain_strips import AAQT_VECTORS, ADDRFE_VECTORS
from tests.devices.test_profiles import GOOD
from tests.devices.test_scanners import COMMANDS as GM_COMMANDS
from tests.devices.test_scanners import REPLIES as GM_REPLIES


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    tool.add_arguments(parser)
    return tool.run(parser.parse_args(words))


def machine(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(*words, "--json")
    out = capsys.readouterr().out
    return code, json.loads(out) if out else None


# Bytes of HARDWARE 4.1 and 4.2, each one command or one answer.
ESCPOS = [
    *("10 04 01", "1D 61 FF", "1D 72 01", "10 04 14", "1B 40", "1C 26", "1C 2E", "1C 21 0C", "1D 21 11", "1B 61 01"),
    *("1D 56 00", "1D 56 42 00", "1B 69", "1B 64 06", "1D 65 05", "0A", "1D 76 30 00 02 00 02 00 FF FF FF FF"),
    *("1D 28 6B 04 00 31 41 32 00", "1D 28 6B 07 00 31 50 30 41 30 34 32"),
]
ESCPOS_ANSWERS = ["12", "16", "1E", "72", "7E", "6C", "11", "13", "10 0F 00 00 40 00", "14 00 0C 0F"]
LITERALS = [
    *(("jackqchen", vector[0]) for vector in vectors.FF68),
    *(("ff68-b", vector[0]) for vector in vectors.FF68),
    *(("a090", vector[0]) for vector in vectors.A090),
    ("a090", vectors.A090_ACK),
    *(("a090-template", vector[0]) for vector in vectors.A090[:3]),
    ("a090-template", vectors.A090_ACK),
    *(("aaqt", raw) for raw, _ in AAQT_VECTORS),
    *(("aaqt-template", raw) for raw, _ in AAQT_VECTORS),
    *(("addrfe", raw) for raw, _ in ADDRFE_VECTORS),
    *(("addrfe-template", raw) for raw, _ in ADDRFE_VECTORS),
    *(("escpos", raw) for raw in ESCPOS),
    *(("syn6288", vector[0]) for vector in vectors_voice.SYN6288),
    *(("syn6288", raw) for raw in ("4A", "41", "45", "4E", "4F")),
    *(("xfs5152", vector[0]) for vector in vectors_voice.XFS5152),
    *(("jq8900", vector[0]) for vector in vectors_voice.JQ8900),
    *(("dfplayer", vector[0]) for vector in vectors_voice.DFPLAYER),
    *(("sam-v", raw) for raw, _ in REQUESTS + REPLIES),
    *(("gm65", raw) for raw, _ in GM_COMMANDS[1:] + GM_REPLIES),  # without the sum that stands for any
    *(("led-485", raw) for raw, _ in MODBUS_VECTORS),
    ("scanner", "41 30 34 32 0D"),
    ("tablet-s-udp", "53 30 31 45"),
    ("keyboard-pad", "01 00 00 00 00 00 00 00 20 A1 07 00 00 00 00 00 01 00 1E 00 01 00 00 00"),
    *(("bx", raw) for raw, *_ in vectors_bx.BX),
]


@pytest.mark.parametrize(("profile", "raw"), LITERALS)
def test_every_literal_is_decoded_and_what_was_told_is_encoded_again(
    profile: str, raw: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, pieces = machine(capsys, "decode", "--as", profile, raw)
    assert code == 0
    assert [piece["hex"] for piece in pieces] == [raw]
    assert machine(capsys, "encode", "--as", profile, json.dumps(pieces[0])) == (0, {"hex": raw})
    assert machine(capsys, "encode", "--as", profile, json.dumps(pieces[0]["values"])) == (0, {"hex": raw})


def test_hardware_4_1_a_printers_answers_are_told_when_the_side_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for raw in ESCPOS_ANSWERS:
        code, pieces = machine(capsys, "decode", "--as", "escpos", "--from", "device", raw)
        assert (code, [piece["hex"] for piece in pieces]) == (0, [raw])
        assert machine(capsys, "encode", "--as", "escpos", json.dumps(pieces[0])) == (0, {"hex": raw})
    (full,) = decode(PROFILES["escpos"], bytes.fromhex("10 0F 01 00 00 00"), "device")
    assert full.told is not None
    assert full.told["means"] == "full status: out"


def test_a_whole_ticket_is_told_command_by_command() -> None:
    ticket = bytes.fromhex((Path(__file__).resolve().parents[1] / "golden" / "ticket-80mm.hex").read_text())
    pieces = decode(PROFILES["escpos"], ticket, "host")
    assert all(piece.told is not None for piece in pieces)
    assert b"".join(piece.raw for piece in pieces) == ticket
    said = [str(piece.told["means"]) for piece in pieces if piece.told]
    assert all(said)
    assert "picture" in said
    assert said[-2:] == ["cut", "printed so far?"]


MEANINGS = [
    ("jackqchen", "FF 68 04 04 68 07 01 06 0F 1D 16", "key 6 function: no_show"),
    ("hallquefront", "FF 68 04 04 68 07 01 06 0F 1D 16", "key 6 function: call_guard"),
    ("hallquefront", "FF 68 03 03 68 07 01 0C 14 16", "key call: next"),
    ("hallquefront", "FF 68 08 08 68 07 02 0A 0A 0A 00 04 02 2D 16", "show ___042"),
    ("hallquefront", "FF 68 03 03 68 07 02 01 0A 16", "show success"),
    ("hallquefront", "FF 68 02 02 68 07 03 0A 16", "beep"),
    ("ff68-a", "FF 68 03 03 68 87 11 03 9B 16", "rating key 3"),
    ("ff68-a", "FF 68 03 03 68 87 01 03 8B 16", "rating key 3 acknowledged (A)"),
    ("ff68-b", "68 02 02 68 87 01 88 16", "rating acknowledged (B)"),
    ("ff68-a", "FF 68 03 03 68 07 01 0B 13 16", "start the evaluation"),
    ("ff68-a", "FF 68 03 03 68 07 02 05 0E 16", "show 5 stars"),
    ("a090", "A0 90 03 A5 00 08 41 01 30 01 34 01 32 01 D9", "show A042 (green)"),
    ("a090", "A0 90 03 A5 AA", "acknowledged"),
    ("a090-template", "A0 90 03 A5 00 05 C7 EB 00 41 00 CE", "show 请A (colours 00)"),
    ("aaqt", "AA 03 BB 51 54 DC 08 02 99 00 63 41 30 34 32 FF", "board: show A042"),
    ("addrfe", "03 FE 10 01 86 3C 00 05 00 41 30 34 32 00 70 5B", "strip: show A042"),
    ("syn6288", "FD 00 0B 01 79 D3 EE D2 F4 CC EC CF C2 B8", "say 宇音天下 (gbk, music 15)"),
    ("syn6288", "4F", "idle"),
    ("escpos", "1D 56 42 00", "cut"),
    ("escpos", "41 30 34 32 BA C5 0A", "print A042号"),
    ("xfs5152", "FD 00 0A 01 03 D1 79 27 59 AF 8B DE 98", "say 科大讯飞 (utf-16-le)"),
    ("jq8900", "AA 1B 06 30 31 30 32 31 30 EF", "join 01 02 10"),
    ("jq8900", "AA 13 01 14 D2", "volume 20"),
    ("dfplayer", "7E FF 06 12 00 07 CF FE 13 EF", "play /MP3/1999"),
    ("ff68-keypad-template", "FF 68 04 04 68 07 01 05 0F 1C 16", "pressed 5 0F: no_show"),
    *(("bx", raw, meaning) for raw, meaning, _ in vectors_bx.BX),
]


@pytest.mark.parametrize(("profile", "raw", "meaning"), MEANINGS)
def test_a_frame_is_said_in_words(profile: str, raw: str, meaning: str) -> None:
    piece = decode(PROFILES[profile], bytes.fromhex(raw))[0]
    assert piece.told is not None
    assert piece.told["means"] == meaning
    assert meaning in piece.line


FRIENDLY = [
    ("jackqchen", {"address": 7, "digits": "3", "key": "start"}, "FF 68 04 04 68 07 01 03 0A 15 16"),
    ("jackqchen", {"address": 7, "show": "042"}, "FF 68 08 08 68 07 02 0A 0A 0A 00 04 02 2D 16"),
    ("ff68-a", {"address": 7, "level": 3}, "FF 68 03 03 68 07 11 03 1B 16"),
    ("ff68-a", {"address": "0x87", "function": "0x11", "data": "03"}, "FF 68 03 03 68 87 11 03 9B 16"),
    ("a090", {"address": 3, "text": "A042", "colour": "green"}, "A0 90 03 A5 00 08 41 01 30 01 34 01 32 01 D9"),
    ("a090-template", {"address": 3, "text": "请A"}, "A0 90 03 A5 00 05 C7 EB 00 41 00 CE"),
    ("aaqt", {"address": 3, "text": "请A042号"}, "AA 03 BB 51 54 04 01 00 99 00 63 C7 EB 41 30 34 32 BA C5 FF"),
    ("xfs5152", {"text": "请A042号到3号窗口"}, vectors_voice.XFS5152[-1][0]),
    ("syn6288", {"text": "请A042号到3号窗口"}, vectors_voice.SYN6288[-1][0]),
    ("jq8900", {"command": "0x07", "data": "00 08"}, "AA 07 02 00 08 BB"),
    ("addrfe", {"address": 3, "sequence": 1, "text": "A042"}, "03 FE 10 01 86 3C 00 05 00 41 30 34 32 00 70 5B"),
    ("bx", {"text": "请A042号到3号窗口", "width": 64, "counted": "true"}, vectors_bx.CALL),
    ("bx", {"address": 1, "command": "ping"}, vectors_bx.PING),
    ("bx", {"command": "status"}, vectors_bx.STATUS),
    ("bx", {"command": "delete all", "counted": "true"}, vectors_bx.DELETE_ALL),
    ("bx", {"brightness": 12, "counted": "true"}, vectors_bx.BRIGHTNESS_12),
    ("bx", {"time": "2013-01-25 11:17:26", "counted": "true"}, vectors_bx.TIME),
]


@pytest.mark.parametrize(("profile", "values", "raw"), FRIENDLY)
def test_people_write_frames_by_what_they_mean(
    profile: str, values: dict[str, Any], raw: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("encode", "--as", profile, json.dumps(values)) == 0
    assert capsys.readouterr().out.strip() == raw


def test_a_capture_with_noise_and_a_wrong_sum_answers_no(capsys: pytest.CaptureFixture[str]) -> None:
    raw = "00,11 0xFF:68 03 03 68 07 01 0C 15 16\nFF68030368070 10C1416"
    code, pieces = machine(capsys, "decode", "--as", "jackqchen", raw)
    assert code == 1
    assert pieces[0] == {"garbage": "00 11 FF 68 03 03 68 07 01 0C 15 16", "checksums": 1}
    assert pieces[1]["values"]["means"] == "key call: next"
    assert run("decode", "--as", "jackqchen", "00", "11") == 1
    assert "no frame" in capsys.readouterr().out


def test_bytes_come_from_standard_input_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("A0 90 03\nA5 AA\n"))
    assert run("decode", "--as", "a090", "-") == 0
    assert "acknowledged" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["decode", "--as", "a099", "00"], "no profile 'a099'"),
        (["decode", "--as", "a090", "0"], "not whole bytes"),
        (["decode", "--as", "a090", "zz"], "not whole bytes"),
        (["decode", "--as", "a090", " "], "at least one byte"),
        (["encode", "--as", "a090", "{"], "not JSON"),
        (["encode", "--as", "a090", "[]"], "one frame as an object"),
        (["encode", "--as", "a090", '{"wish": 1}'], "A090Frame(address, command, data); A090Ack"),
        (["encode", "--as", "a090", '{"address": 3, "text": "A", "colour": "pink"}'], "no colour 'pink'"),
        (["encode", "--as", "a090", '{"address": 999, "command": 165}'], "no A0 90 frame"),
        (["encode", "--as", "ff68-a", '{"address": 7, "key": "jump"}'], "no key 'jump'"),
        (["encode", "--as", "ff68-a", '{"address": 7, "key": "call", "digits": "x"}'], "digits are 0 to 9"),
        (["encode", "--as", "ff68-a", '{"address": 7, "function": "eleven"}'], "invalid literal"),
        (["encode", "--as", "ff68-a", '{"address": 7, "function": 1, "data": "0"}'], "hex"),
        (["encode", "--as", "bx", '{"brightness": 16}'], "0 to 15"),
        (["encode", "--as", "bx", '{"text": "A", "rows": 9}'], "rows are 1 to 8"),
        (["encode", "--as", "nowhere.toml", "{}"], "nowhere.toml"),
        (["--folder", "{bad}", "profiles"], "bad.toml"),
    ],
)
def test_design_6_wrong_usage_is_2_with_a_sentence(
    words: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    (tmp_path / "bad.toml").write_text("name = 1", encoding="utf-8")
    assert run(*(word.replace("{bad}", str(tmp_path)) for word in words)) == 2
    assert sentence in capsys.readouterr().err


def test_profiles_are_listed_and_a_file_is_checked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, listed = machine(capsys, "profiles")
    assert code == 0
    assert {row["name"] for row in listed} == set(PROFILES)
    docs = Path(__file__).resolve().parents[2]
    assert [row["page"] for row in listed if not (docs / row["page"]).is_file()] == []
    assert run("profiles") == 0
    assert "A0 90 strip or board" in capsys.readouterr().out
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text(GOOD, encoding="utf-8")
    bad.write_text(GOOD.replace("{sum}", "{mus}"), encoding="utf-8")
    assert machine(capsys, "profiles", "--check", str(good))[1]["good"] is True
    code, said = machine(capsys, "profiles", "--check", str(bad))
    assert (code, said["good"]) == (1, False)
    assert "there is no field {mus}" in said["mend"][0]
    assert run("profiles", "--check", str(bad)) == 1
    assert "{mus}" in capsys.readouterr().out
    raw = "AA 03 41 30 34 32 FF D6"
    assert machine(capsys, "encode", "--as", str(good), '{"address": 3, "text": "A042"}') == (0, {"hex": raw})
    assert machine(capsys, "decode", "--as", str(good), raw)[1][0]["from"] == "host"


def test_the_command_is_part_of_yichuang(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["yichuang", "devices", "decode", "--as", "a090", "A0 90 03 A5 AA"])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == 0
    assert "A090Ack: acknowledged" in capsys.readouterr().out


def test_hardware_5_1_personal_data_is_never_shown() -> None:
    """As an ID reader's profile does: function 30 stands for the reply with the record."""
    wording = Wording((Ff68Frame,), personal=lambda frame: frame.function == 0x30)
    reader = dataclasses.replace(PROFILES["ff68-a"], wording=wording, personal=True)
    secret = encode(PROFILES["ff68-a"], {"address": 1, "function": 0x30, "data": b"ZHANGSAN".hex()})
    pieces = decode(reader, secret + secret[:-3] + encode(reader, {"address": 1, "function": 0x20}))
    shown = json.dumps([piece.values for piece in pieces]) + "".join(piece.line for piece in pieces)
    assert "5A 48" not in shown
    assert [piece.values.get("hex", piece.values.get("garbage")) for piece in pieces][:2] == [
        "17 bytes, personal data",
        "14 bytes, personal data",
    ]
    assert pieces[0].values["values"] == {"frame": "Ff68Frame", "means": "personal data"}
    assert pieces[2].values["hex"] == "FF 68 02 02 68 01 20 21 16"


@pytest.mark.parametrize("name", [p.name for p in PROFILES.values() if "printer" not in p.kinds] + ["escpos"])
@settings(max_examples=30)
@given(noise=st.lists(st.binary(max_size=40), max_size=6), data=st.data())
def test_design_8_any_bytes_are_told_without_an_exception_and_none_is_lost(
    name: str, noise: list[bytes], data: st.DataObject
) -> None:
    profile = PROFILES[name]
    literals = [bytes.fromhex(raw) for known, raw in LITERALS if known == name]
    stream = b"".join(noise + (data.draw(st.lists(st.sampled_from(literals), max_size=3)) if literals else []))
    decoder, pieces = Decoder(profile), []
    for start in range(0, len(stream), 5):
        pieces += decoder.feed(stream[start : start + 5])
    pieces += decoder.flush()
    assert sum(piece.length for piece in pieces) == len(stream)
    if not profile.personal:  # of personal data only the length is told
        assert b"".join(piece.raw for piece in pieces) == stream
    assert all(json.dumps(piece.values) and piece.line for piece in pieces)
    for piece in pieces:
        if piece.told is not None:
            assert encode(profile, piece.told) == piece.raw
