"""Writes src/core/wire.ts, the TypeScript types of every message a screen sends or receives, from queue_server.wire.

Run `python scripts/wire_types.py` after a change of the wire; `--check` exits 1 when the file is stale.
"""

import enum
import sys
import types
import typing
from pathlib import Path

import msgspec

from queue_server.wire import api, common, documents, live

TARGET = Path(__file__).parent.parent / "src" / "core" / "wire.ts"
PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null", msgspec.Raw: "unknown"}


def typescript(kind: object) -> str:
    """The TypeScript of one annotation."""
    if kind in PLAIN:
        return PLAIN[kind]
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return typescript(parts[0])
    if origin is list:
        inner = typescript(parts[0])
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if origin is dict:
        return f"Record<string, {typescript(parts[1])}>"
    if origin in (typing.Union, types.UnionType):
        return " | ".join(typescript(part) for part in parts)
    if isinstance(kind, type):
        return kind.__name__
    raise TypeError(f"no TypeScript for {kind!r}")


def interface(struct: type[msgspec.Struct]) -> str:
    """One struct; a field with a default may be left out of what a client sends."""
    info = msgspec.structs.fields(struct)
    tag = struct.__struct_config__.tag
    sends = struct.__struct_config__.forbid_unknown_fields
    lines = [f"export interface {struct.__name__} {{"]
    if tag is not None:
        lines.append(f"  type: '{tag}'")
    for field in info:
        optional = "?" if sends and not field.required else ""
        lines.append(f"  {field.encode_name}{optional}: {typescript(field.type)}")
    return "\n".join([*lines, "}"])


def module(source: types.ModuleType) -> list[str]:
    """Every enum, struct and union that a module defines, in its order."""
    parts = []
    for name, value in vars(source).items():
        if isinstance(value, type) and value.__module__ == source.__name__:
            if issubclass(value, enum.Enum):
                parts.append(f"export type {name} = " + " | ".join(f"'{member.value}'" for member in value))
            elif issubclass(value, msgspec.Struct) and name not in ("Message", "Incoming"):
                parts.append(interface(value))
        elif isinstance(value, types.UnionType):
            parts.append(f"export type {name} = {typescript(value)}")
    return parts


def main() -> int:
    head = "// Made by scripts/wire_types.py from queue_server.wire: do not edit."
    text = "\n\n".join([head, *(part for source in (common, documents, live, api) for part in module(source))]) + "\n"
    if "--check" in sys.argv:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
