"""Templates that nobody thought of: what is accepted is read back as it was written, under any chunking (issue 3)."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from devices.framing.checksums import CHECKSUMS
from devices.framing.stream import Framer, Garbage, Match, Miss
from devices.framing.template import SINGLE, Template, TemplateFrame, parse_template

PIECES = [
    *("AA", "BB", "00", "FF", "7E", "{address}", "{key}", "{sequence}", "{text}", "{digits}", "{cells}", "{extra}"),
    *("{address:HEX}", "{key:hex}", "{sequence:3dec}", "{key:2dec}", "{sum:HEX}", "{sum:lehex}"),
    *("{length}", "{length:2}", "{length:2le}", "{sum}", "{sum:le}", "<", ">", "(", ")"),
]
lines = st.lists(st.sampled_from(PIECES), min_size=1, max_size=12).map(" ".join)
likely = st.tuples(
    st.sampled_from(["AA {address}", "{address} FE", "7E", "FF 68 {key}", "24 {address:2dec}"]),
    st.sampled_from(
        [
            "( {text} )",
            "( < {text} > )",
            "< {digits} FF >",
            "< {digits} {key:HEX} 2A >",
            "( {address} {extra} )",
            "< {key} >",
        ]
    ),
    st.sampled_from(["", "{sum}", "{sum:le} 16", "FF", "{sum:HEX} 0D"]),
    st.sampled_from(["", "{length}", "{length:2}", "{length:2le} 68", "{sequence}"]),
).map(lambda p: f"{p[0]} {p[3]} {p[1]} {p[2]}")
sums = st.sampled_from(["", *CHECKSUMS])


def accepted(text: str, checksum: str) -> Template | None:
    said = ""
    try:
        return parse_template("frame", text, checksum, 6)
    except ValueError as error:
        said = str(error)
    assert said.startswith("frame: ")
    return None


@settings(max_examples=300)
@given(likely | likely | likely | lines, sums, st.binary(min_size=6, max_size=6), st.integers(0, 255), st.data())
def test_an_accepted_template_reads_what_it_writes(
    text: str, checksum: str, body: bytes, number: int, data: st.DataObject
) -> None:
    template = accepted(text, checksum)
    assume(template is not None)
    assert template is not None
    body = body if template.longest_body else b""
    if template.terminator is not None:
        body = body.replace(bytes((template.terminator,)), bytes(((template.terminator + 1) & 0xFF,)))
    number %= 100 if "2dec" in text else 256
    given_ = TemplateFrame("frame", number, body, number, number)
    end = template.terminator
    if end is not None and end in b"".join(part.written(number) for part in template.parts if part.field in SINGLE):
        assume(False)  # the key would end the digits before it
    raw = template.encode(given_)
    assert len(raw) <= template.longest
    whole: Framer[TemplateFrame] = Framer((template,))
    (frame,) = whole.feed(raw) + whole.flush()
    assert isinstance(frame, TemplateFrame)
    assert template.encode(frame) == raw
    assert frame.body == body
    noise = data.draw(st.binary(max_size=8))
    bytewise: Framer[TemplateFrame] = Framer((template,))
    found = [item for byte in noise + raw + noise for item in bytewise.feed(bytes((byte,)))]
    assert bytewise.held < template.longest
    found += bytewise.flush()
    kept = b"".join(item.data if isinstance(item, Garbage) else template.encode(item) for item in found)
    assert kept == noise + raw + noise


@settings(max_examples=300)
@given(
    st.sampled_from(["AA {address} {digits} {key} 0D", "02 {address} {text} {key:HEX} {sequence} 03", "7E {digits} 0D"])
    | likely,
    sums,
    st.lists(st.sampled_from(b"\xaa\x55\x01\x02\x03\x0d\x7e\x30\x41\xff\xfe"), max_size=40).map(bytes)
    | st.binary(max_size=40),
)
def test_whatever_is_read_in_noise_is_written_as_the_same_bytes(text: str, checksum: str, noise: bytes) -> None:
    """A bus tells its own echo by writing what it read: a frame that could not be written would end the line."""
    template = accepted(text, checksum)
    assume(template is not None)
    assert template is not None
    for at in range(len(noise)):
        if isinstance(found := template.scan(noise, at), Match):
            assert template.encode(found.frame) == noise[at : at + found.length]


def test_the_byte_that_ends_a_frame_is_no_digit_and_no_key_of_it() -> None:
    template = parse_template("pressed", "AA 55 {address} {digits} {key} 0D", longest_body=16)
    assert template.scan(bytes.fromhex("AA55010D410D"), 0) == Miss.NOISE
    assert template.scan(bytes.fromhex("AA5501350D0D"), 0) == Match(TemplateFrame("pressed", 1, b"", 0x35), 5)
    assert template.scan(bytes.fromhex("AA5501"), 0) == template.scan(bytes.fromhex("AA550141"), 0) == Miss.MORE


@settings(max_examples=200)
@given(st.text(alphabet="AF09{}<>() :leadrsumtxngh2k", max_size=40), sums)
def test_any_line_of_text_is_a_template_or_a_sentence(text: str, checksum: str) -> None:
    template = accepted(text, checksum)
    assert template is None or template.parts


def test_numbers_in_characters_and_digits_before_a_key() -> None:
    template = parse_template("pressed", "24 < {address:2dec} 2C {digits} {key:HEX} > 2A {sum:hex} 0D 0A", "xor8", 16)
    frame = TemplateFrame("pressed", 7, b"42", 0x0C)
    raw = template.encode(frame)
    assert raw.startswith(b"$07,420C*")
    assert Framer((template,)).feed(raw) == [frame]
    assert Framer((template,)).feed(raw.upper()) != [frame]
    for wrong in ("{sum:dec}", "{address:4dec}", "{key:2}", "{length:HEX}"):
        with pytest.raises(ValueError, match="cannot be written so"):
            parse_template("pressed", f"AA < {{key}} > {wrong}", "xor8")
    with pytest.raises(ValueError, match="is a byte, not 100"):
        template.encode(TemplateFrame("pressed", 100, b"", 1))
    with pytest.raises(ValueError, match="would end the frame"):
        template.encode(TemplateFrame("pressed", 7, b"*", 1))
