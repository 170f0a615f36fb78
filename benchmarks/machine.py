"""The machine that a figure was measured on, and the processes that measure."""

import asyncio
import os
import platform
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def described() -> dict[str, object]:
    """Cores, processor and versions."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load() -> list[float]:
    """Load averages over 1, 5 and 15 minutes: on a shared machine, what the figures must be read with."""
    return [round(each, 2) for each in os.getloadavg()]


def family(pid: int) -> list[int]:
    """A process and those that it has begun: a server with the one that writes for it."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text(encoding="utf-8").split()]
    return [pid, *children]


def cpu_s(pid: int) -> float:
    """Processor seconds that a process and its children have used: less shaken by other work than any clock."""
    found = 0
    for each in family(pid):
        fields = Path(f"/proc/{each}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        found += int(fields[11]) + int(fields[12])
    return found / os.sysconf("SC_CLK_TCK")


def median(values: list[float]) -> float:
    return statistics.median(values)


async def process(module: str, *arguments: str, said: bytes | None = None) -> asyncio.subprocess.Process:
    """`python -m benchmarks.MODULE` from the project's folder; with `said` as its whole input."""
    made = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"benchmarks.{module}",
        *arguments,
        stdin=asyncio.subprocess.PIPE if said is not None else None,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        limit=2**26,
    )
    if said is not None:
        assert made.stdin is not None
        made.stdin.write(said)
        made.stdin.close()
    return made


async def answer_of(module: str, said: bytes) -> bytes:
    """What `python -m benchmarks.MODULE` prints when it is told `said`."""
    made = await process(module, said=said)
    assert made.stdout is not None
    out = await made.stdout.read()
    if await made.wait() != 0:
        raise RuntimeError(f"benchmarks.{module} failed")
    return out
