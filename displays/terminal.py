"""In which language the commands speak to the person at the terminal."""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping


def chinese(environment: Mapping[str, str] = os.environ) -> bool:
    """Chinese, unless the system is set to another language; `C` and `POSIX` are no language."""
    said = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    if not said and os.name == "nt":
        said = locale.getlocale()[0] or ""
    name = said.split(".")[0].lower()
    return name in ("", "c", "posix") or name.startswith(("zh", "chinese"))
