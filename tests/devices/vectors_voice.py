"""The frames that makers of voice modules print, as literals with what they mean and where they come from."""

from __future__ import annotations

_SYN = "SYN6288 data sheet 2016-03-09 (libdriver/syn6288 a23bca6, datasheet/syn6288_datasheet.pdf)"
_XFS = "XFS5152CE guide (mannbro/PiPicoXFS5152CE 5e7bc4b, Documentation/XFS5152CE_en.pdf)"
_DF = "FN-M16P data sheet (DFRobot/DFRobotDFPlayerMini 47c0149, doc/)"
_DF3 = f"HARDWARE 3.3, of the {_DF}"
_JQ = "HARDWARE 3.4 (9004115549, 36341881345, 9132964711: uae-1208/shuangchuang_pet_feeder, OasisFang/5518Project)"

# (hex, command, data, text or "", source). V-src: all 15 examples of the data sheet's section 4.4.
SYN6288 = [
    ("FD 00 0B 01 00 D3 EE D2 F4 CC EC CF C2 C1", 0x01, "00 D3 EE D2 F4 CC EC CF C2", "宇音天下", f"{_SYN} GB2312"),
    ("FD 00 0B 01 01 D3 EE D2 F4 CC EC CF C2 C0", 0x01, "01 D3 EE D2 F4 CC EC CF C2", "宇音天下", f"{_SYN} GBK"),
    ("FD 00 0B 01 02 A6 74 AD B5 A4 D1 A4 55 BB", 0x01, "02 A6 74 AD B5 A4 D1 A4 55", "宇音天下", f"{_SYN} BIG5"),
    # An erratum of the data sheet: it says 宇, the bytes are 语. The sum is right for the bytes.
    ("FD 00 0B 01 03 8B ED 97 F3 59 29 4E 0B C3", 0x01, "03 8B ED 97 F3 59 29 4E 0B", "语音天下", f"{_SYN} Unicode"),
    ("FD 00 0B 01 09 D3 EE D2 F4 CC EC CF C2 C8", 0x01, "09 D3 EE D2 F4 CC EC CF C2", "宇音天下", f"{_SYN} music 1"),
    ("FD 00 0B 01 79 D3 EE D2 F4 CC EC CF C2 B8", 0x01, "79 D3 EE D2 F4 CC EC CF C2", "宇音天下", f"{_SYN} music 15"),
    ("FD 00 08 01 01 5B 76 31 31 5D 85", 0x01, "01 5B 76 31 31 5D", "[v11]", f"{_SYN} volume 11"),
    ("FD 00 03 31 00 CF", 0x31, "00", "", f"{_SYN} 9600 baud"),
    ("FD 00 03 31 01 CE", 0x31, "01", "", f"{_SYN} 19200 baud"),
    ("FD 00 03 31 02 CD", 0x31, "02", "", f"{_SYN} 38400 baud"),
    ("FD 00 02 02 FD", 0x02, "", "", f"{_SYN} stop"),
    ("FD 00 02 03 FC", 0x03, "", "", f"{_SYN} pause"),
    ("FD 00 02 04 FB", 0x04, "", "", f"{_SYN} resume"),
    ("FD 00 02 21 DE", 0x21, "", "", f"{_SYN} status"),
    ("FD 00 02 88 77", 0x88, "", "", f"{_SYN} power down"),
    (
        "FD 00 14 01 01 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA E8",
        0x01,
        "01 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA",
        "请A042号到3号窗口",
        "HARDWARE 3.1, V-self",
    ),
]
TEXT_CODECS = {0: "gb2312", 1: "gbk", 2: "big5", 3: "utf-16-be"}

# The same without a sum; Unicode is little-endian here.
XFS5152 = [
    ("FD 00 0A 01 00 BF C6 B4 F3 D1 B6 B7 C9", 0x01, "00 BF C6 B4 F3 D1 B6 B7 C9", "科大讯飞", f"{_XFS} GB2312"),
    ("FD 00 0A 01 01 BF C6 B4 F3 D3 8D EF 77", 0x01, "01 BF C6 B4 F3 D3 8D EF 77", "科大訊飛", f"{_XFS} GBK"),
    ("FD 00 0A 01 02 AC EC A4 6A B0 54 AD B8", 0x01, "02 AC EC A4 6A B0 54 AD B8", "科大訊飛", f"{_XFS} BIG5"),
    ("FD 00 0A 01 03 D1 79 27 59 AF 8B DE 98", 0x01, "03 D1 79 27 59 AF 8B DE 98", "科大讯飞", f"{_XFS} Unicode"),
    ("FD 00 01 02", 0x02, "", "", f"{_XFS} stop"),
    ("FD 00 01 03", 0x03, "", "", f"{_XFS} pause"),
    ("FD 00 01 04", 0x04, "", "", f"{_XFS} resume"),
    ("FD 00 01 21", 0x21, "", "", f"{_XFS} status"),
    (
        "FD 00 13 01 01 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA",
        0x01,
        "01 C7 EB 41 30 34 32 BA C5 B5 BD 33 BA C5 B4 B0 BF DA",
        "请A042号到3号窗口",
        "HARDWARE 3.2, V-self",
    ),
]
XFS_CODECS = TEXT_CODECS | {3: "utf-16-le"}

# (hex, command, value, what, source). V-src: each frame of the data sheet whose sum it prints, once; it prints 86, three wrongly.
DFPLAYER = [
    ("7E FF 06 01 00 00 00 FE FA EF", 0x01, 0, "next", _DF),
    ("7E FF 06 02 00 00 00 FE F9 EF", 0x02, 0, "previous", _DF),
    ("7E FF 06 03 00 00 01 FE F7 EF", 0x03, 1, "track 1", _DF),
    ("7E FF 06 03 00 00 02 FE F6 EF", 0x03, 2, "track 2", _DF),
    ("7E FF 06 03 00 00 0A FE EE EF", 0x03, 10, "track 10", _DF),
    ("7E FF 06 06 00 00 1E FE D7 EF", 0x06, 30, "volume 30", _DF),
    ("7E FF 06 06 00 00 14 FE E1 EF", 0x06, 20, "volume 20", _DF3),
    ("7E FF 06 09 00 00 02 FE F0 EF", 0x09, 2, "card", _DF),
    ("7E FF 06 0C 00 00 00 FE EF EF", 0x0C, 0, "reset", _DF),
    ("7E FF 06 0D 00 00 00 FE EE EF", 0x0D, 0, "play", _DF),
    ("7E FF 06 0E 00 00 00 FE ED EF", 0x0E, 0, "pause", _DF),
    ("7E FF 06 0F 00 01 01 FE EA EF", 0x0F, 0x0101, "folder 1 track 1", _DF),
    ("7E FF 06 12 00 00 01 FE E8 EF", 0x12, 1, "/MP3/0001", _DF),
    ("7E FF 06 12 00 00 FF FD EA EF", 0x12, 255, "/MP3/0255", _DF),
    ("7E FF 06 12 00 07 CF FE 13 EF", 0x12, 1999, "/MP3/1999", _DF),
    ("7E FF 06 12 00 0B B8 FE 26 EF", 0x12, 3000, "/MP3/3000", _DF),
    ("7E FF 06 16 00 00 00 FE E5 EF", 0x16, 0, "stop", _DF),
    ("7E FF 06 42 00 00 00 FE B9 EF", 0x42, 0, "status", _DF),
    ("7E FF 06 43 00 00 00 FE B8 EF", 0x43, 0, "volume?", _DF),
    ("7E FF 06 48 00 00 00 FE B3 EF", 0x48, 0, "tracks on the card?", _DF),
    ("7E FF 06 07 00 00 01 FE F3 EF", 0x07, 1, "pop", _DF),
    ("7E FF 06 08 00 00 01 FE F2 EF", 0x08, 1, "track 1 again and again", _DF),
    ("7E FF 06 08 00 00 02 FE F1 EF", 0x08, 2, "track 2 again and again", _DF),
    ("7E FF 06 08 00 00 0A FE E9 EF", 0x08, 10, "track 10 again and again", _DF),
    ("7E FF 06 09 00 00 01 FE F1 EF", 0x09, 1, "USB stick", _DF),
    ("7E FF 06 0A 00 00 00 FE F1 EF", 0x0A, 0, "sleep", _DF),
    ("7E FF 06 0F 00 01 02 FE E9 EF", 0x0F, 0x0102, "folder 1 track 2", _DF),
    ("7E FF 06 11 00 00 01 FE E9 EF", 0x11, 1, "everything again and again", _DF),
    ("7E FF 06 12 00 00 02 FE E7 EF", 0x12, 2, "/MP3/0002", _DF),
    ("7E FF 06 13 00 00 01 FE E7 EF", 0x13, 1, "/ADVERT/0001", _DF),
    ("7E FF 06 13 00 00 02 FE E6 EF", 0x13, 2, "/ADVERT/0002", _DF),
    ("7E FF 06 13 00 00 FF FD E9 EF", 0x13, 255, "/ADVERT/0255", _DF),
    ("7E FF 06 13 00 07 CF FE 12 EF", 0x13, 1999, "/ADVERT/1999", _DF),
    ("7E FF 06 13 00 0B B8 FE 25 EF", 0x13, 3000, "/ADVERT/3000", _DF),
    ("7E FF 06 14 00 10 FF FD D8 EF", 0x14, 0x10FF, "folder 1 track 255 of many", _DF),
    ("7E FF 06 14 00 17 CF FE 01 EF", 0x14, 0x17CF, "folder 1 track 1999", _DF),
    ("7E FF 06 14 00 C0 01 FE 26 EF", 0x14, 0xC001, "folder 12 track 1 of many", _DF),
    ("7E FF 06 14 00 C0 FF FD 28 EF", 0x14, 0xC0FF, "folder 12 track 255 of many", _DF),
    ("7E FF 06 14 00 C7 CF FD 51 EF", 0x14, 0xC7CF, "folder 12 track 1999", _DF),
    ("7E FF 06 15 00 00 00 FE E6 EF", 0x15, 0, "end of the advertisement", _DF),
    ("7E FF 06 17 00 00 02 FE E2 EF", 0x17, 2, "folder 2 again and again", _DF),
    ("7E FF 06 17 00 00 01 FE E3 EF", 0x17, 1, "folder 1 again and again", _DF),
    ("7E FF 06 18 00 00 00 FE E3 EF", 0x18, 0, "shuffle", _DF),
    ("7E FF 06 19 00 00 00 FE E2 EF", 0x19, 0, "this track again and again", _DF),
    ("7E FF 06 19 00 00 01 FE E1 EF", 0x19, 1, "this track once", _DF),
    ("7E FF 06 1A 00 00 00 FE E1 EF", 0x1A, 0, "sound on", _DF),
    ("7E FF 06 1A 00 00 01 FE E0 EF", 0x1A, 1, "sound off", _DF),
    ("7E FF 06 3F 00 00 00 FE BC EF", 0x3F, 0, "what is plugged in?", _DF),
    ("7E FF 06 44 00 00 00 FE B7 EF", 0x44, 0, "tone?", _DF),
    ("7E FF 06 47 00 00 00 FE B4 EF", 0x47, 0, "tracks on the USB stick?", _DF),
    ("7E FF 06 4B 00 00 00 FE B0 EF", 0x4B, 0, "track of the USB stick?", _DF),
    ("7E FF 06 4C 00 00 00 FE AF EF", 0x4C, 0, "track of the card?", _DF),
    ("7E FF 06 4E 00 00 01 FE AC EF", 0x4E, 1, "tracks in folder 1?", _DF),
    ("7E FF 06 4E 00 00 0B FE A2 EF", 0x4E, 11, "tracks in folder 11?", _DF),
    ("7E FF 06 4F 00 00 00 FE AC EF", 0x4F, 0, "folders?", _DF),
]
DFPLAYER_MISPRINTS = [
    ("7E FF 06 09 00 00 02 FF F0 EF", f"{_DF} section 3.1: FE F0 is right"),
    ("7E FF 06 03 00 00 01 FF E7 EF", f"{_DF} section 3.6.1: FE F7 is right"),
    ("7E FF 06 06 00 00 0F FF D5 EF", f"{_DF} section 3.6.2: FE E6 is right"),
]

# (hex, command, data, what, source)
JQ8900 = [
    ("AA 02 00 AC", 0x02, "", "play", _JQ),
    ("AA 04 00 AE", 0x04, "", "stop", _JQ),
    ("AA 07 02 00 02 B5", 0x07, "00 02", "track 2", _JQ),
    ("AA 07 02 00 08 BB", 0x07, "00 08", "track 8", "wiki.dfrobot.com/dfr0534, V-src"),
    ("AA 13 01 14 D2", 0x13, "14", "volume 20", _JQ),
    ("AA 01 00 AB", 0x01, "", "status", "wiki.dfrobot.com/dfr0534, V-src"),
    ("AA 0C 00 B6", 0x0C, "", "how many tracks", "wiki.dfrobot.com/dfr0534, V-src"),
    ("AA 0D 00 B7", 0x0D, "", "which track", "wiki.dfrobot.com/dfr0534, V-src"),
    ("AA 1B 06 30 31 30 32 31 30 EF", 0x1B, "30 31 30 32 31 30", "combined 01 02 10", _JQ),
    ("AA 1C 00 C6", 0x1C, "", "end combined", _JQ),
]
JQ8900_MISPRINT = "AA 0A 00 84"  # the wiki's; B4 is right
