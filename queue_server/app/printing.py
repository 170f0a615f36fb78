"""Print jobs: claimed with what causes them, on their way for ten seconds, and ended with what is known of the paper (law 7)."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass

import msgspec
import structlog

from queue_server.app.hub import Hub
from queue_server.app.papers import Papers
from queue_server.domain import commands as c
from queue_server.domain import events as e
from queue_server.domain.errors import Rejected, Unavailable
from queue_server.domain.model import Hall
from queue_server.store.port import Claim, Settled, StoreError, StorePort
from queue_server.wire.agent import Printed, PrintJob
from queue_server.wire.common import PrintState

log = structlog.get_logger()

EXPIRES_MS = 10_000
"""Law 7: a print job that has not reached paper by then is dropped."""

Printing = e.TicketIssued | e.ReprintRequested | e.SlipRequested
"""What asks for paper; each has a printer, "" for none."""

PRINTING = (e.TicketIssued, e.ReprintRequested, e.SlipRequested)
"""The same for `isinstance`, which is slow with a union."""

Send = Callable[[Hall, str, PrintJob], bool]
"""To the agent of a printer; False when nobody is there to take it."""


@dataclass(slots=True)
class _Job:
    """A print job that was claimed and not yet settled."""

    ticket: str
    device: str
    deadline: float
    ended: Printed | None = None


def job_of(event: Printing) -> str:
    """The claim's id of a print job: one for each time a slip is asked for."""
    return f"print:{event.ticket}:{event.at}"


def claims(events: list[e.Event]) -> list[Claim]:
    """One for each paper that the events ask for."""
    return [
        Claim(
            id=job_of(event),
            kind="print",
            target=event.printer,
            ref=event.ticket,
            payload="",
            at=event.at,
            expires_at=event.at + EXPIRES_MS,
        )
        for event in events
        if isinstance(event, PRINTING) and event.printer
    ]


class PrintJobs:
    """The jobs under way; `send` hands one to its agent."""

    def __init__(self, hub: Hub, store: StorePort, papers: Papers, send: Send) -> None:
        self._hub = hub
        self._store = store
        self._papers = papers
        self._send = send
        self._jobs: dict[str, _Job] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, hall: Hall, event: Printing) -> None:
        """Send the paper of a committed event."""
        job = job_of(event)
        ticket = hall.tickets[event.ticket]
        if isinstance(event, e.SlipRequested):
            paper = self._papers.uncalled(hall, ticket, event.valid_on)
        else:
            paper = self._papers.ticket(hall, ticket, again=isinstance(event, e.ReprintRequested))
        deadline = asyncio.get_running_loop().time() + EXPIRES_MS / 1000 + 2
        self._jobs[job] = _Job(event.ticket, event.printer, deadline)
        if not self._send(hall, event.printer, self._message(job, event.printer, paper)):
            self._later(self.end(Printed(job=job, outcome="failed", reason="agent not connected")))

    def _message(self, job: str, printer: str, paper: bytes) -> PrintJob:
        return PrintJob(
            epoch=self._hub.lease.epoch,
            job=job,
            device=printer,
            expires_in_ms=EXPIRES_MS,
            paper=msgspec.Raw(paper),
        )

    def busy(self, printer: str) -> bool:
        """Whether a citizen's paper is on its way to it."""
        return any(job.device == printer and job.ended is None for job in self._jobs.values())

    async def test(self, kiosk: str) -> bool:
        """A test page at the kiosk's printer; False when nobody is there to print it."""

        def send(hall: Hall) -> bool:
            printer = next((each.printer for each in hall.configuration.kiosk if each.id == kiosk), "")
            job = f"test:{printer}:{self._hub.clock.now()}"
            return self._send(hall, printer, self._message(job, printer, self._papers.test(hall, printer)))

        return await self._hub.read(send)

    async def end(self, printed: Printed) -> None:
        """Once for each job; what the store cannot take now is tried again, for the paper is out or it is not."""
        job = self._jobs.get(printed.job)
        if job is None or job.ended is not None:
            return
        job.ended = printed
        await self._record(job, printed)

    async def _record(self, job: _Job, printed: Printed) -> None:
        states = {"printed": ("done", PrintState.PRINTED), "failed": ("dropped", PrintState.FAILED)}
        claim_state, print_state = states.get(printed.outcome, ("unknown", PrintState.UNKNOWN))
        now = self._hub.clock.now()
        command = c.RecordPrint(ticket=job.ticket, state=print_state, reason=printed.reason)
        try:
            with contextlib.suppress(Rejected):  # a ticket of another day
                await self._hub.tell(command, f"printer:{job.device}")
            settled = Settled(id=printed.job, state=claim_state, reason=printed.reason, at=now)  # type: ignore[arg-type]
            await self._store.settle(self._hub.lease, settled)
        except (Unavailable, StoreError) as error:
            log.warning("print outcome not recorded yet", job=printed.job, error=str(error))
        else:
            self._jobs.pop(printed.job, None)

    async def end_late(self, time: float) -> None:
        """Jobs that nobody answered for by `time` (the loop's, s) are unknown; outcomes not recorded yet are tried again."""
        for name, job in list(self._jobs.items()):
            if job.ended is None and time > job.deadline:
                await self.end(Printed(job=name, outcome="unknown", reason="no answer from the agent"))
            elif job.ended is not None and time > job.deadline:
                job.deadline = time + EXPIRES_MS / 1000
                await self._record(job, job.ended)

    async def take_up(self) -> None:
        """Slips that were on their way when a process died: nobody knows, and nothing is repeated (law 7)."""
        pending = [claim.id for claim in await self._store.pending_claims(self._hub.name) if claim.kind == "print"]

        def look(hall: Hall) -> tuple[list[str], list[str]]:
            known = {job.ticket for job in self._jobs.values()}
            claimed = [t.id for t in hall.tickets.values() if t.print_state is PrintState.CLAIMED]
            return [x for x in claimed if x not in known], [x for x in pending if x not in self._jobs]

        tickets, claims = await self._hub.read(look)
        for name in tickets:
            await self._hub.tell(c.RecordPrint(ticket=name, state=PrintState.UNKNOWN, reason="restart"), "restart")
        for name in claims:
            settled = Settled(id=name, state="unknown", reason="restart", at=self._hub.clock.now())
            await self._store.settle(self._hub.lease, settled)

    def _later(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
