"""The frames printed in HARDWARE 1.1, 2.1 and 2.2, as literals with what they mean and where they come from."""

from __future__ import annotations

# (hex, address, function, data, source). V-self: computed from the documented rule, not captured from a device.
FF68 = [
    ("FF 68 03 03 68 07 11 00 18 16", 0x07, 0x11, "00", "HARDWARE 1.1 rating level 0, V-self"),
    ("FF 68 03 03 68 07 01 00 08 16", 0x07, 0x01, "00", "HARDWARE 1.1 ack A level 0, V-self"),
    ("FF 68 03 03 68 07 11 01 19 16", 0x07, 0x11, "01", "HARDWARE 1.1 rating level 1, V-self"),
    ("FF 68 03 03 68 07 01 01 09 16", 0x07, 0x01, "01", "HARDWARE 1.1 ack A level 1, V-self"),
    ("FF 68 03 03 68 07 11 03 1B 16", 0x07, 0x11, "03", "HARDWARE 1.1 rating level 3, V-self"),
    ("FF 68 03 03 68 07 01 03 0B 16", 0x07, 0x01, "03", "HARDWARE 1.1 ack A level 3, V-self"),
    ("FF 68 03 03 68 87 11 03 9B 16", 0x87, 0x11, "03", "HARDWARE 1.1 rating level 3 from 87, V-self"),
    ("FF 68 03 03 68 87 01 03 8B 16", 0x87, 0x01, "03", "HARDWARE 1.1 ack A from 87, V-self"),
    ("68 02 02 68 87 01 88 16", 0x87, 0x01, "", "HARDWARE 1.1 ack B from 87, V-self"),
    ("FF 68 03 03 68 07 02 05 0E 16", 0x07, 0x02, "05", "HARDWARE 1.1 show 5 stars, V-self"),
    ("FF 68 03 03 68 07 01 0B 13 16", 0x07, 0x01, "0B", "HARDWARE 1.1 start evaluation, V-self"),
    ("FF 68 03 03 68 07 01 0C 14 16", 0x07, 0x01, "0C", "HARDWARE 2.1 next, V-self"),
    ("FF 68 03 03 68 07 01 0D 15 16", 0x07, 0x01, "0D", "HARDWARE 2.1 recall, V-self"),
    ("FF 68 03 03 68 07 01 12 1A 16", 0x07, 0x01, "12", "HARDWARE 2.1 pause, V-self"),
    ("FF 68 03 03 68 07 01 13 1B 16", 0x07, 0x01, "13", "HARDWARE 2.1 transfer, V-self"),
    ("FF 68 04 04 68 07 01 03 0A 15 16", 0x07, 0x01, "03 0A", "HARDWARE 2.1 transfer to 3, V-self"),
    ("FF 68 04 04 68 07 01 06 0F 1D 16", 0x07, 0x01, "06 0F", "HARDWARE 2.1 abandon, V-self"),
    ("FF 68 04 04 68 07 01 00 0F 17 16", 0x07, 0x01, "00 0F", "HARDWARE 2.1 hang, V-self"),
    ("FF 68 04 04 68 07 01 03 0F 1A 16", 0x07, 0x01, "03 0F", "HARDWARE 2.1 call back, V-self"),
    ("FF 68 04 04 68 07 01 05 0F 1C 16", 0x07, 0x01, "05 0F", "HARDWARE 2.1 no-show, V-self"),
    (
        "FF 68 08 08 68 07 02 0A 0A 0A 00 04 02 2D 16",
        0x07,
        0x02,
        "0A 0A 0A 00 04 02",
        "2.1 ticket 042, V-self",
    ),
    (
        "FF 68 08 08 68 07 02 00 01 05 0A 0A 0A 2D 16",
        0x07,
        0x02,
        "00 01 05 0A 0A 0A",
        "2.1 waiting 15, V-self",
    ),
    ("FF 68 03 03 68 07 02 01 0A 16", 0x07, 0x02, "01", "HARDWARE 2.1 success, V-self"),
    ("FF 68 03 03 68 07 02 00 09 16", 0x07, 0x02, "00", "HARDWARE 2.1 fail, V-self"),
    ("FF 68 02 02 68 07 03 0A 16", 0x07, 0x03, "", "HARDWARE 2.1 beep, V-self"),
]

# (hex, address, command, data, text, colours, source)
A090 = [
    ("A0 90 03 A5 00 08 41 00 30 00 34 00 32 00 D9", 3, 0xA5, "41 00 30 00 34 00 32 00", "A042", "0000", "2.2 A042"),
    ("A0 90 03 A5 00 05 C7 EB 00 41 00 CE", 3, 0xA5, "C7 EB 00 41 00", "请A", "00", "2.2 请A"),
    ("A0 90 03 A5 00 08 41 01 30 01 34 01 32 01 D9", 3, 0xA5, "41 01 30 01 34 01 32 01", "A042", "1111", "2.2 green"),
    ("A0 90 03 A1 00 00 A2", 3, 0xA1, "", "", "", "HARDWARE 2.2 show ROM"),
]
A090_ACK = "A0 90 03 A5 AA"  # HARDWARE 2.2 ack, short form
