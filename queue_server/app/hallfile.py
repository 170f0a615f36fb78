"""Hall files: TOML text to a configuration and back, with every mistake found and said in two languages."""

import difflib
import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from queue_server.domain.checks import Finding, Level, error
from queue_server.domain.configuration import Configuration


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
