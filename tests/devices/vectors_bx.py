"""The frames of BX font cards that are printed in public, as literals with their meaning and source (HARDWARE 2.5)."""

from __future__ import annotations

_PC = "A5 A5 A5 A5 A5 A5 A5 A5 01 00 00 80 00 00 00 00 00 00 FE 02 "
_CARD = "A5 A5 A5 A5 A5 A5 A5 A5 00 80 01 00 00 00 00 00 00 00 FE 02 "
_STM = "a flood-warning display's STM32 program, HARDWARE 2.5 id 17274702215"
_STM2 = "its neighbour, HARDWARE 2.5 id 17579541898"
_CAPTURE = "captured from a BX board, HARDWARE 2.5 id 23694002104"

PING = _PC + "05 00 A2 00 01 00 00 68 F8 5A"
STATUS = _PC + "05 00 A1 02 01 00 00 2D 40 5A"
DELETE_ALL = _PC + "07 00 A3 06 01 02 00 FF 00 67 CC 5A"
BRIGHTNESS_12 = _PC + "07 00 A3 02 01 02 00 01 0C 26 2D 5A"
TIME = _PC + "0D 00 A2 03 01 08 00 13 20 01 25 11 17 26 05 B0 3F 5A"
ACK = _CARD + "05 00 A0 00 00 00 00 64 DC 5A"
_AREA = "01 0A 01 02 00 00 00 00 01 01 01 00 17 02"
TEMPERATURE = (
    f"{_PC}35 00 A3 06 02 00 00 00 01 2C 00 00 00 00 0C 00 40 00 0C 00 {_AREA} 11 00 00 00"
    " 5C 46 4F 30 30 30 54 45 4D 50 45 52 3A 32 31 A1 E6 82 DA 5A"
)
HUMIDITY = (
    f"{_PC}33 00 A3 06 02 00 00 00 01 2A 00 00 00 00 18 00 40 00 0C 00 {_AREA} 0F 00 00 00"
    " 5C 46 4F 30 30 30 48 55 4D 3A 36 36 25 52 48 36 7A 5A"
)
BLANK = (
    f"{_PC}2C 00 A3 06 02 00 00 00 01 23 00 00 00 00 24 00 40 00 0C 00 {_AREA} 08 00 00 00"
    " 5C 46 4F 30 30 30 20 20 DA F6 5A"
)
CALL = (
    f"{_PC}35 00 A3 06 01 30 00 00 01 2C 00 00 00 00 00 00 08 00 10 00 00 00 00 00 00 00 00 00 01 01 01 00 00 0A"
    " 11 00 00 00 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA C3 8F 5A"
)

# What others printed since of the maker's protocol for users (BX-5K and 6K).
_USER = "a car park's header, text index id 9818190508"
EXAMPLE_5K = (
    f"{_PC}32 00 A3 06 01 2D 00 00 01 29 00 00 00 00 00 00 18 00 20 00 00 00 00 02 00 00 00 00 02 02 03 00 04 05"
    " 0E 00 00 00 30 31 32 33 34 35 51 52 53 54 54 56 27 42 A8 7D 5A"
)
EXAMPLE_6K = (
    "A5 A5 A5 A5 A5 A5 A5 A5 FE FF 00 80 00 00 00 00 00 00 FE 02 2C 00 A3 06 01 00 00 00 01 23 00 00 00 80 00 00 80 80"
    " 20 00 00 00 00 0A 00 00 00 00 02 01 01 00 02 0A 08 00 00 00 BB B6 D3 AD B9 E2 C1 D9 3C 49 5A"
)
ACK_TO_EVERY = "A5 A5 A5 A5 A5 A5 A5 A5 A5 00 80 FE FF 00 00 00 00 00 00 FE 02 05 00 A0 00 00 00 00 14 AC 5A"
CLEAR_SCREEN = _PC + "05 00 A3 10 01 00 00 51 F8 5A"
FORMAT = _PC + "05 00 A1 00 01 00 00 2C F8 5A"
LOCK = _PC + "0B 00 A3 04 01 06 00 00 01 50 30 30 30 42 6A 5A"
UNLOCK = _PC + "0B 00 A3 04 01 06 00 00 00 50 30 30 30 7F AA 5A"
BEGIN_FILE = _PC + "0E 00 A1 05 01 00 00 01 50 30 30 30 49 00 00 00 E2 16 5A"

# (hex, what `yichuang devices decode` says of it, source). V-src but the last; of the ACK its source says that it stands in
# for a card.
BX = [
    (PING, "are you there?", _STM),
    (PING, "are you there?", _STM2),
    (STATUS, "how are you?", _STM),
    (DELETE_ALL, "delete every area", _STM),
    (BRIGHTNESS_12, "brightness 12", _STM),
    (TIME, "it is 2013-01-25 11:17:26", _STM),
    (ACK, "taken", _STM),
    (TEMPERATURE, r"show 1: \FO000TEMPER:21℃", _CAPTURE),
    (HUMIDITY, r"show 1: \FO000HUM:66%RH", _CAPTURE),
    (BLANK, "show 1: \\FO000  ", _CAPTURE),
    (EXAMPLE_5K, "show 0: 012345QRSTTV'B", _USER),
    (EXAMPLE_6K, "show 0: 欢迎光临", "the protocol for users at iledev.com, its example for a 6K3"),
    (CLEAR_SCREEN, "clear the screen", "a library for 4K and 5K cards, text index id 2499716438"),
    (FORMAT, "format", "the protocol for users at deanled.cn, page 165"),
    (LOCK, "lock or free a program", _USER),
    (UNLOCK, "lock or free a program", _USER),
    (BEGIN_FILE, "begin a file", _USER),
    (CALL, "show 0: 请A042号到3号窗口", "HARDWARE 2.5, V-self"),
]

# Data of A3 06 without header and sum, as the same program holds it: (hex, deleted, (area, width, y, text) …).
UPDATES = [
    (
        "00 02 38 00 00 00 00 08 00 14 00 48 00 00 00 00 02 00 00 00 00 02 02 01 00 00 0A 1D 00 00 00 5C 46 4F 30 30 31 5C"
        " 43 31 BB B6 D3 AD CA B9 D3 C3 D1 E0 D3 ED D2 A3 B2 E2 C9 E8 B1 B8 24 00 00 00 00 00 00 14 00 08 00 01 00 00 02 00"
        " 00 00 00 02 02 01 00 00 0A 09 00 00 00 5C 46 4F 30 30 31 5C 43 31",
        (),
        [(0, 20, 8, r"\FO001\C1欢迎使用燕禹遥测设备"), (1, 20, 0, r"\FO001\C1")],
    ),
    (
        "FF 01 2F 00 00 00 00 00 00 60 00 10 00 00 00 00 00 00 00 00 00 01 01 02 00 01 02 14 00 00 00 5C 46 4F 30 30 30 C9"
        " E8 B1 B8 B3 F5 CA BC BB AF CD EA B3 C9",
        None,
        [(0, 96, 0, r"\FO000设备初始化完成")],
    ),
]
