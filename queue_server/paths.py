"""Where the project's data lies, in a checkout and in an installed wheel alike."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def config_dir() -> Path:
    """The sample halls, catalogues and service files that ship with the project.

    In a checkout they are `config/` beside the packages; a wheel carries the same tree inside the package, because
    a top-level `config` would not be ours to claim among other people's installed packages.
    """
    inside = _PACKAGE / "_config"
    return inside if inside.is_dir() else _PACKAGE.parent / "config"


def screens_dir() -> Path:
    """The built screens (`*.html`, `assets/`, `.vite/manifest.json`); absent in a checkout until they were built."""
    return _PACKAGE.parent / "displays" / "web" / "dist"


def checker_dir() -> Path:
    """The outside checker, which imports nothing of ours: `tests/checker/` in a checkout, a copy in a wheel."""
    inside = _PACKAGE / "_checker"
    return inside if inside.is_dir() else _PACKAGE.parent / "tests" / "checker"
