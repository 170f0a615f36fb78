"""UX 12, shipping the front end in a wheel: it holds every built screen, no source of them, and needs no Node."""

import importlib.util
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "displays" / "web"
SHIPPED = """
import sys
from pathlib import Path
from queue_server import paths
from queue_server.paths import config_dir, screens_dir
root = Path(sys.argv[1])
assert root in Path(paths.__file__).parents, paths.__file__
assert root in config_dir().parents and (config_dir() / "systemd").is_dir(), config_dir()
assert root in screens_dir().parents, screens_dir()
print(*sorted(page.name for page in screens_dir().glob("*.html")))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the source archive of this tree; the screens are built first where they are not."""
    out = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(out), cwd=ROOT)
    return out


def run(*command: str, cwd: Path, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def screens() -> list[str]:
    return sorted(f"{name}.html" for name in json.loads((WEB / "entries.json").read_text()))


@pytest.mark.timeout(600)
def test_the_wheel_holds_every_screen_and_none_of_their_sources(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    web = [name for name in names if name.startswith("displays/web/")]
    assert [name for name in web if not name.startswith("displays/web/dist/")] == []
    assert sorted(Path(name).name for name in web if name.endswith(".html")) == screens()
    assert "displays/web/dist/.vite/manifest.json" in web
    assert any(name.startswith("queue_server/_config/systemd/") for name in names)
    strangers = {name.split("/")[0] for name in names} - {"queue_server", "devices", "displays"}
    assert all(name.endswith(".dist-info") for name in strangers), strangers


@pytest.mark.timeout(600)
def test_an_installed_wheel_runs_without_node(built: Path, tmp_path: Path) -> None:
    wheel = next(built.glob("*.whl"))
    site = tmp_path / "site"
    run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(site), str(wheel), cwd=tmp_path)
    # The environment's own packages serve as dependencies; what is on PYTHONPATH wins over the editable install.
    bare = {"PATH": os.devnull, "PYTHONPATH": str(site), "LANG": "C.UTF-8"}
    pages = run(sys.executable, "-c", SHIPPED, str(site), cwd=tmp_path, environment=bare)
    assert pages.split() == screens()
    # What the demo's totals come from (`-I`: nothing of this tree, and not the working directory).
    checker = site / "queue_server" / "_checker" / "check.py"
    assert "usage:" in run(sys.executable, "-I", str(checker), "--help", cwd=tmp_path, environment=bare)


@pytest.mark.timeout(600)
def test_the_source_archive_makes_the_same_wheel_without_node(built: Path, tmp_path: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    source = next(tmp_path.iterdir())
    assert (source / "displays/web/package-lock.json").is_file()
    bare = {"PATH": os.devnull, "LANG": "C.UTF-8", "HOME": str(tmp_path)}
    out = tmp_path / "out"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out), cwd=source, environment=bare)
    with zipfile.ZipFile(next(built.glob("*.whl"))) as one, zipfile.ZipFile(next(out.glob("*.whl"))) as other:
        assert sorted((file.filename, file.CRC) for file in one.infolist() if "RECORD" not in file.filename) == sorted(
            (file.filename, file.CRC) for file in other.infolist() if "RECORD" not in file.filename
        )
    # Nothing was rebuilt: with the stamp there, Node is never asked for.
    assert not (source / "displays/web/node_modules").exists()


def test_the_lock_of_the_screens_names_no_registry() -> None:
    lock = json.loads((ROOT / "displays/web/package-lock.json").read_text())
    assert len(lock["packages"]) > 1
    for path, package in lock["packages"].items():
        assert "resolved" not in package, path
        assert not path or "integrity" in package, path


def test_npm_trusts_what_the_machine_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind a proxy that inspects TLS pip works by itself and Node does not; a person's own setting wins."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    bundle = tmp_path / "ca.crt"
    monkeypatch.setattr(build, "CERTIFICATES", ("", str(tmp_path / "none"), str(bundle)))
    assert build.certificates() == {}
    bundle.touch()
    assert build.certificates() == {"NODE_EXTRA_CA_CERTS": str(bundle)}
    ran: list[dict[str, str]] = []
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(build, "find_node", lambda: Path("/node/bin/node"))
    monkeypatch.setattr(build.subprocess, "run", lambda *_, env, **__: ran.append(env) or done)
    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/own.crt")
    build.npm(tmp_path, "ci")
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS")
    build.npm(tmp_path, "ci")
    assert [env["NODE_EXTRA_CA_CERTS"] for env in ran] == ["/own.crt", str(bundle)]
