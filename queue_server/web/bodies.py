"""Bytes into typed bodies, with the field and reason of what is malformed."""

import re
from typing import Any, TypeVar

import msgspec

from queue_server.domain.errors import Malformed

T = TypeVar("T")

_PATH = re.compile(r" - at `\$\.?(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"unknown field `(?P<field>[^`]+)`")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")


_DECODERS: dict[type, msgspec.json.Decoder[Any]] = {}


def parse(data: bytes, kind: type[T]) -> T:
    """The body; raises Malformed naming the field."""
    try:
        decoder = _DECODERS.get(kind)
        if decoder is None:
            decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
        found: T = decoder.decode(data or b"{}")
        return found
    except msgspec.ValidationError as error:
        text = str(error)
        named = _UNKNOWN.search(text) or _MISSING.search(text)
        path = _PATH.search(text)
        where = path.group("path") if path else ""
        field = f"{where}.{named.group('field')}".strip(".") if named else where
        raise Malformed(field or "body", _PATH.sub("", text)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("body", str(error)) from None
