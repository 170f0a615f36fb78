"""The outside checker: does what the lines, displays and loudspeakers did agree with what the hall says it did?

Standard library only; it imports nothing of the project, and its decoders of frames and papers are other people's than
the drivers'.
`python check.py --sqlite FILE --key-dir DIR [--lines DIR] [--screens DIR] [--audio DIR] [--dom FILE] [--people FILE] [--json]`
Evidence that is not given is not compared, and has no figure in the report.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "devices")]

from evidence import Database, Event, Line, Row, lines_of, records  # noqa: E402
from sm3 import hmac_sm3  # noqa: E402

SLACK_MS = 50
"""Clocks of one machine, read by several processes."""

PRESS_MS = 3_000
"""From the first frame of a press to its official time: the device repeats it until the agent has it on its disk."""

INVITED_MS = 5_000
FINDINGS_MAX = 200
ENDINGS = {
    "TicketRequeued", "TicketPassed", "TicketVoided", "TicketTransferred", "TicketParked", "ServiceFinished", "StopFinished",
}  # fmt: skip
NOT_SERVED = {"no-show", "transferred", "parked", ""}
NUMBER = re.compile(r"[A-Z]+\d{3,}")
SPOKEN = re.compile(r"(?P<number>[A-Z]*\d{3,})号?到(?P<plate>[^号、]+)号")


class Call(NamedTuple):
    """One time that a number was to be seen and heard."""

    ticket: str
    number: str
    window: str
    times: int
    at: int


class Checker:
    """Holds the evidence, the findings and the figures."""

    def __init__(
        self, database: Database, lines: dict[str, Line] | None, screens: Path | None, audio: Path | None
    ) -> None:
        self.db, self.lines, self.on_lines = database, lines or {}, lines is not None
        self.findings: list[dict[str, str]] = []
        self.windows: dict[str, Row] = {each["id"]: each for each in database.configuration["window"]}
        self.screens = _by_zone(screens)
        self.audio = _by_zone(audio)
        self.levels: dict[str, dict[int, int]] = {
            d["id"]: {int(key): level for key, level in d.get("levels", {}).items()}
            for d in database.configuration.get("device", [])
        }
        self.calls = self._calls()
        self.screen_ms: list[int] = []
        self.strip_ms: list[int] = []
        self.dom_ms: list[int] = []

    def find(self, code: str, detail: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append({"code": code, "detail": detail})

    def plate(self, window: str) -> str:
        return str(self.windows[window].get("plate") or window)

    def _calls(self) -> list[Call]:
        numbers = {e.data["ticket"]: e.data["number"] for e in self.db.of("TicketIssued")}
        found = []
        for event in self.db.of("TicketCalled", "TicketRestored", "TicketRecalled"):
            data = event.data
            number = numbers.get(data["ticket"], "?")
            found.append(Call(data["ticket"], number, data["window"], data.get("times", 1), data["at"]))
        return found

    # --- the journal itself ---

    def chain(self, key_dir: Path) -> bool:
        """Each link is HMAC-SM3 over [previous link, the row without its link] as JSON; heads noted outside agree."""
        key = bytes.fromhex(json.loads((key_dir / "yichuang.keys").read_text())["chain"])
        before, good, links = "", True, {}
        for seq, event in enumerate(self.db.events, 1):
            text = json.dumps([before, *event.raw], ensure_ascii=False, separators=(",", ":"))
            if event.seq != seq:
                self.find("gap", f"row {event.seq} stands where {seq} should")
                good = False
                break
            if hmac_sm3(key, text.encode()) != event.link:
                self.find("link", f"row {seq} ({event.kind}) or its link was changed")
                good = False
            before = event.link
            links[seq] = event.link
        if (self.db.lease["head"], self.db.lease["link"]) != (len(links), before):
            self.find("tail", f"the lease says {self.db.lease['head']}, the journal ends at {len(links)}")
            good = False
        anchors = key_dir / "anchors.jsonl"
        for anchor in records(anchors) if anchors.exists() else []:
            if links.get(anchor["seq"]) != anchor["link"]:
                self.find("anchor", f"the head noted at {anchor['seq']} is not the journal's")
                good = False
        return good

    def tables(self) -> bool:
        """The tables that reports read say what the journal says."""
        before = len(self.findings)
        db = self.db
        self._same("tickets", db.tickets, "TicketIssued", "ticket", ("number", "quantity", "priority", "origin"))
        self._same(
            "ratings", db.ratings, "ServiceRated", "rating", ("service", "level", "channel", "device", "pressed_at")
        )
        begun = {
            e.data["service"]: e
            for e in db.of("TicketCalled", "TicketRestored", "TicketUnparked", "DirectServiceStarted")
        }
        if begun.keys() != db.services.keys():
            self.find("table", f"services: {len(db.services)} rows, {len(begun)} in the journal")
        for name, event in begun.items():
            row = db.services.get(name, {})
            wanted = (event.data["window"], event.data.get("ticket"), event.data["at"])
            if row and wanted != (row["window"], row["ticket"], row["called_at"]):
                self.find("table", f"services {name}: not as the journal's row {event.seq}")
        rated = {e.data["service"]: e.data["rating"] for e in db.of("ServiceRated")}
        for name, row in db.services.items():
            if (row["rating"] or None) != rated.get(name):
                self.find("table", f"services {name}: rating {row['rating']}, the journal has {rated.get(name)}")
        return len(self.findings) == before

    def _same(self, table: str, rows: dict[str, Row], kind: str, key: str, columns: tuple[str, ...]) -> None:
        events = {e.data[key]: e for e in self.db.of(kind)}
        for name in rows.keys() ^ events.keys():
            self.find("table", f"{table} {name}: in the {'table' if name in rows else 'journal'} alone")
        for name in rows.keys() & events.keys():
            for column in columns:
                if rows[name][column] != events[name].data[column]:
                    self.find("table", f"{table} {name}: {column} {rows[name][column]!r} is not the journal's")

    def numbers(self) -> None:
        """RULES 15: never twice on a day."""
        seen = Counter((row["day"], row["number"]) for row in self.db.tickets.values())
        for (day, number), count in seen.items():
            if count > 1:
                self.find("number-twice", f"{number} was given {count} times on {day}")

    def one_place(self) -> None:
        """Nobody at two windows at once, no window with two people."""
        where: dict[str, str] = {}
        who: dict[str, str] = {}
        for event in self.db.events:
            data, ticket = event.data, event.data.get("ticket", "")
            if event.kind in ("TicketCalled", "TicketRestored", "TicketUnparked", "DirectServiceStarted"):
                person = ticket or data["service"]
                if person in where:
                    self.find(
                        "two-windows", f"row {event.seq}: {person} called to {data['window']}, at {where[person]}"
                    )
                if data["window"] in who:
                    self.find("two-people", f"row {event.seq}: window {data['window']} has somebody already")
                where[person], who[data["window"]] = data["window"], person
            elif event.kind in ENDINGS or (event.kind == "TicketCancelled" and data["window"]):
                person = ticket or data["service"]
                who.pop(where.pop(person, ""), None)
            elif event.kind in ("NoShowUndone", "FinishUndone"):
                where[ticket or data["service"]], who[data["window"]] = data["window"], ticket or data["service"]

    # --- paper ---

    def prints(self) -> None:
        """Every number given at a kiosk with a printer lies on exactly one paper, and nothing else does."""
        wanted: Counter[tuple[str, str]] = Counter()
        number_of = {e.data["ticket"]: e.data["number"] for e in self.db.of("TicketIssued")}
        for event in self.db.of("TicketIssued", "ReprintRequested"):
            if event.data["printer"]:
                wanted[event.data["printer"], number_of[event.data["ticket"]]] += 1
        states = {
            (c["target"], number_of.get(c["ref"], "")): c["state"]
            for c in self.db.claims.values()
            if c["kind"] == "print"
        }
        printed: Counter[tuple[str, str]] = Counter()
        for device in self.db.configuration.get("device", []):
            if device["kind"] == "printer":
                line = self.lines.get(device["url"])
                if line is None:
                    self.find("no-log", f"printer {device['id']} has no log")
                    continue
                for text in line.wrong:
                    self.find("paper-unreadable", text)
                printed.update((device["id"], paper.number) for paper in line.papers)
        for key in wanted.keys() | printed.keys():
            if printed[key] > wanted[key]:
                self.find(
                    "printed-twice" if wanted[key] else "printed-unasked",
                    f"{key[1]} at {key[0]}: {printed[key]} papers",
                )
            elif printed[key] < wanted[key] and states.get(key) not in ("dropped", "unknown"):
                self.find("not-printed", f"{key[1]} at {key[0]}: {printed[key]} papers, claim {states.get(key)}")

    # --- displays ---

    def displays(self) -> int:
        """Every call was on its zone's display, and no display showed a call that was not made; how many were shown."""
        shown: dict[tuple[str, str, int, int], int] = {}
        made = {(c.number, c.window, c.times, c.at): c for c in self.calls}
        for zone, rows in self.screens.items():
            for row in rows:
                for call in row.get("documents", {}).get("calls", {}).get("calls", []):
                    key = (call["number"], call["window"], call["times"], call["at"])
                    if key not in shown:
                        shown[key] = row["t"]
                        if key not in made:
                            self.find(
                                "shown-uncalled",
                                f"display {zone} shows {call['number']} at {call['window']}: no such call",
                            )
                        elif self.windows[call["window"]]["zone"] != zone:
                            self.find("wrong-zone", f"display {zone} shows {call['number']} at {call['window']}")
        good = 0
        for key, call in made.items():
            if key not in shown:
                self.find("not-shown", f"call {call.times} of {call.number} to {call.window} was on no display")
            elif shown[key] < call.at - SLACK_MS:
                self.find("shown-early", f"{call.number} was shown before it was committed")
            else:
                good += 1
                self.screen_ms.append(shown[key] - call.at)
        return good

    def dom(self, log: list[Row]) -> int:
        """What stood in the call area of the displays' pages: every number called while a page was open stood there after
        its call and before its next, and no other number ever did; how many calls were seen.

        A row: `t` (ms), `zone`, `numbers` from this moment on. The last row of a zone is when its page was last looked at.
        """
        seen = 0
        for zone in sorted({row["zone"] for row in log}):
            rows = sorted((row for row in log if row["zone"] == zone), key=lambda row: int(row["t"]))
            called: dict[str, list[int]] = defaultdict(list)
            for call in sorted(self.calls, key=lambda call: call.at):
                if self.windows[call.window]["zone"] == zone:
                    called[call.number].append(call.at)
            for number in sorted({number for row in rows for number in row["numbers"]}):
                first = min(row["t"] for row in rows if number in row["numbers"])
                if number not in called or called[number][0] > first + SLACK_MS:
                    self.find("dom-uncalled", f"the page of zone {zone} had {number} at {first}: not called by then")
            until = [row["t"] for row in rows[1:]]
            for number, times in called.items():
                for at, following in zip(times, [*times[1:], 1 << 62], strict=True):
                    if not rows[0]["t"] <= at <= rows[-1]["t"]:
                        continue
                    stood = [
                        row["t"]
                        for row, end in zip(rows, until, strict=False)
                        if number in row["numbers"] and end > at and row["t"] < following
                    ]
                    if stood:
                        seen += 1
                        self.dom_ms.append(max(0, stood[0] - at))
                    else:
                        self.find("dom-missing", f"{number}, called at {at}, never stood on the page of zone {zone}")
        return seen

    def strips(self) -> None:
        """Every first call stood on its window's strip; every number on a strip or board had been called."""
        called: dict[str, list[Call]] = defaultdict(list)
        for call in self.calls:
            called[call.window].append(call)
        begun = {(e.data["number"], e.data["window"]): e.data["at"] for e in self.db.of("TicketUnparked")}
        for device in self.db.configuration.get("device", []):
            if device["kind"] not in ("strip", "board"):
                continue
            line = self.lines.get(device["url"])
            if line is None:
                self.find("no-log", f"{device['kind']} {device['id']} has no log")
                continue
            frames = [
                f for f in line.frames if f.way == "rx" and f.function == 0xA5 and f.address == device.get("address", 0)
            ]
            window = device.get("window", "")
            calls = called[window] if device["kind"] == "strip" else self.calls
            first = {}
            for call in calls:
                first.setdefault(call.number, call.at)
            for frame in frames:
                for number in NUMBER.findall(frame.text):
                    at = min(first.get(number, 1 << 62), begun.get((number, window), 1 << 62))
                    if at > frame.t + SLACK_MS:
                        self.find("strip-uncalled", f"{device['id']} showed {number} at {frame.t}, not called there")
            if device["kind"] == "strip":
                self._on_strip(device["id"], calls, frames)

    def _on_strip(self, name: str, calls: list[Call], frames: list[object]) -> None:
        ordered = [call for call in calls if call.times == 1]
        for index, call in enumerate(ordered):
            until = ordered[index + 1].at if index + 1 < len(ordered) else 1 << 62
            seen = [f.t for f in frames if call.at - SLACK_MS <= f.t <= until + 1000 and call.number in f.text]  # type: ignore[attr-defined]
            if seen:
                self.strip_ms.append(min(seen) - call.at)
            else:
                self.find("not-on-strip", f"{call.number} (called at {call.at}) was never on {name}")

    # --- voice ---

    def voice(self) -> tuple[int, int]:
        """(spoken, dropped): each call once or its loss recorded; nothing is said that was not called."""
        claims = {c["id"]: c for c in self.db.claims.values() if c["kind"] == "speech"}
        heard: Counter[tuple[str, str, str]] = Counter()
        for zone, rows in self.audio.items():
            said = ""
            for row in rows:
                if row["again"]:
                    if row["text"] != said:
                        self.find("repeats-nothing", f"{zone} heard {row['text']!r} again, after {said!r}")
                    continue
                said = row["text"]
                for found in SPOKEN.finditer(row["text"]) if row["outcome"] == "done" else ():
                    heard[zone, found["number"], found["plate"]] += 1
        modules = self._modules()
        for zone, line in modules.items():
            for said in line.said if line else ():
                for found in SPOKEN.finditer(in_figures(said.text)) if said.ended else ():
                    heard[zone, found["number"], found["plate"]] += 1
        if not claims and not heard:
            return 0, 0  # a hall without a voice pack: its displays say so
        done: Counter[tuple[str, str, str]] = Counter()
        open_end: Counter[tuple[str, str, str]] = Counter()
        dropped = 0
        for call in self.calls:
            claim = claims.pop(f"speech:{call.ticket}:{call.at}", None)
            key = (self.windows[call.window]["zone"], call.number, self.plate(call.window))
            match claim and claim["state"]:
                case "done":
                    done[key] += 1
                case "dropped":
                    dropped += 1
                case "unknown":
                    dropped += 1
                    open_end[key] += 1
                case state:
                    self.find("speech-open", f"call {call.times} of {call.number} to {call.window}: claim {state}")
        zones = {window["zone"] for window in self.windows.values()}
        for event in self.db.of("AnnouncementDue"):
            for zone in sorted(zones):
                claim = claims.pop(f"notice:{zone}:{event.data['at']}", None)
                if claim is None or claim["state"] not in ("done", "dropped", "unknown"):
                    self.find("notice-open", f"{event.data['kind']} of {event.data['at']} in {zone}: {claim}")
        for name in claims:
            self.find("speech-uncalled", f"claim {name} belongs to no call")
        for key in done.keys() | heard.keys():
            if heard[key] < done[key]:
                self.find(
                    "not-heard", f"{key[1]} to {key[2]} in {key[0]}: {done[key]} claimed, heard {heard[key]} times"
                )
            elif heard[key] > (done[key] + open_end[key]) * (2 if key[0] in modules else 1):  # a module says it again
                self.find(
                    "spoken-twice", f"{key[1]} to {key[2]} in {key[0]}: heard {heard[key]} times, {done[key]} claimed"
                )
        return sum(done.values()), dropped

    def _modules(self) -> dict[str, Line | None]:
        """The line of the voice module of each zone that has one."""
        found = {}
        for device in self.db.configuration.get("device", []):
            if device["kind"] == "speaker":
                line = found[device["settings"]["zone"]] = self.lines.get(device["url"])
                if line is None:
                    self.find("no-log", f"speaker {device['id']} has no log")
                for text in line.wrong if line else ():
                    self.find("speech-unreadable", text)
        return found

    # --- ratings ---

    def invitations(self) -> None:
        """RULES 36: the end of each service invites, on the window's device where one is usable."""
        undone: dict[str, int] = {e.data["service"]: e.seq for e in self.db.of("FinishUndone")}
        invited: dict[str, Event] = {e.data["service"]: e for e in self.db.of("RatingInvited")}
        for event in self.db.of("ServiceFinished", "StopFinished"):
            name = event.data["service"]
            if undone.get(name, 0) > event.seq or name in invited or self.db.services.get(name, {}).get("rating"):
                continue
            self.find("not-invited", f"service {name} at {event.data['window']} ended without an invitation")
        for event in invited.values() if self.on_lines else ():
            if not event.data["device"]:
                continue
            device = next(d for d in self.db.configuration["device"] if d["id"] == event.data["device"])
            line = self.lines.get(device["url"])
            frames = line.frames if line else []
            at = event.data["at"]
            if not any(
                f.way == "rx" and f.address == device["address"] and (f.function, f.data) == (1, [0x0B])
                and at - SLACK_MS <= f.t <= at + INVITED_MS for f in frames
            ):  # fmt: skip
                self.find("not-asked", f"{device['id']} was never asked for service {event.data['service']}")

    def ratings(self, people: list[Row] | None) -> None:
        """RULES 46, 47: at most one a service, called there before the press, each with a frame or a page behind it."""
        db = self.db
        per_service = Counter(row["service"] for row in db.ratings.values())
        used: set[tuple[str, int, int]] = set()
        pages = [row for row in people or [] if row["do"] == "phone"]
        for name, row in sorted(db.ratings.items(), key=lambda item: int(item[1]["pressed_at"])):
            service = db.services.get(row["service"])
            if service is None:
                self.find("rating-alone", f"rating {name} belongs to no service")
                continue
            if per_service[row["service"]] > 1:
                self.find("rated-twice", f"service {row['service']} has {per_service[row['service']]} ratings")
            if service["called_at"] > row["pressed_at"] + SLACK_MS:
                self.find("rated-before", f"rating {name} was pressed before its citizen was called")
            if row["channel"] == "device":
                if self.on_lines:
                    self._pressed(name, row, service, used)
            elif people is not None and not any(
                p["ticket"] == service["ticket"] and p["level"] == row["level"] for p in pages
            ):
                self.find("rating-unasked", f"rating {name} came from no phone")
        for person in (p for p in people or [] if p["do"] == "press" and p["ticket"]):
            self._whose(person)

    def _pressed(self, name: str, row: Row, service: Row, used: set[tuple[str, int, int]]) -> None:
        device = self.db.device(service["window"], "rating_pad")
        if device is None or device["id"] != row["device"]:
            self.find("rating-elsewhere", f"rating {name} of window {service['window']} was pressed on {row['device']}")
            return
        line = self.lines.get(device["url"])
        for frame in line.frames if line else []:
            key = (device["id"], frame.t, frame.data[0] if frame.data else -1)
            if (
                frame.way == "tx" and frame.address == device["address"] and frame.function == 0x11
                and self.levels[device["id"]].get(key[2]) == row["level"] and key not in used
                and row["pressed_at"] - PRESS_MS <= frame.t <= row["pressed_at"] + SLACK_MS
            ):  # fmt: skip
                used.add(key)
                return
        self.find("rating-unpressed", f"rating {name} ({row['level']}) at {device['id']}: no such key on the line")

    def _whose(self, person: Row) -> None:
        """A citizen's own press is joined to that citizen's own service, or to none."""
        device = self.db.device(person["window"], "rating_pad")
        for row in self.db.ratings.values():
            near = device is not None and row["device"] == device["id"] and abs(row["pressed_at"] - person["t"]) <= 400
            if near and row["level"] == person["level"]:
                service = self.db.services.get(row["service"], {})
                if service.get("ticket") != person["ticket"]:
                    self.find(
                        "rating-of-another",
                        f"{person['number']} pressed {person['level']} at {person['window']}: joined to another",
                    )
                return

    # --- figures ---

    def totals(self, speed: float) -> dict[str, object]:
        """From the tables alone; waits in simulated seconds."""
        db = self.db
        first: dict[str, int] = {}
        for row in db.services.values():
            if row["ticket"] and row["called_at"] is not None:
                first[row["ticket"]] = min(first.get(row["ticket"], row["called_at"]), row["called_at"])
        waits = [
            (at - db.tickets[name]["issued_at"]) / 1000 * speed for name, at in first.items() if name in db.tickets
        ]
        done = [row for row in db.services.values() if row["finished_at"] and (row["outcome"] or "") not in NOT_SERVED]
        return {
            "issued": len(db.tickets),
            "called": len(db.of("TicketCalled", "TicketRestored")),
            "recalled": len(db.of("TicketRecalled")),
            "served": len(done),
            "served_direct": sum(bool(row["direct"]) for row in db.services.values()),
            "no_shows": sum(row["outcome"] == "no-show" for row in db.services.values()),
            "cancelled": sum(row["state"] == "cancelled" for row in db.tickets.values()),
            "uncalled": sum(row["state"] == "uncalled" for row in db.tickets.values()),
            "invited": sum(row["invited_at"] is not None for row in db.services.values()),
            "ratings": len(db.ratings),
            "printed": sum(len(line.papers) for line in self.lines.values()),
            "mean_wait_s": round(statistics.fmean(waits), 1) if waits else 0.0,
            "longest_wait_s": round(max(waits, default=0.0), 1),
        }


DIGITS = str.maketrans("零一二三四五六七八九幺", "01234567891")


def in_figures(text: str) -> str:
    """Numbers as they are read out (请A零一二号到十二号窗口) in figures."""
    counted = re.sub(
        "([一二三四五六七八九]?)十([一二三四五六七八九]?)", lambda m: (m[1] or "一") + (m[2] or "零"), text
    )
    return counted.translate(DIGITS)


def spread(values: list[int]) -> dict[str, int]:
    """Median, 99th percentile and greatest, ms."""
    if not values:
        return {}
    ordered = sorted(values)
    return {"p50": ordered[len(ordered) // 2], "p99": ordered[int(len(ordered) * 0.99)], "max": ordered[-1]}


def _by_zone(folder: Path | None) -> dict[str, list[Row]]:
    return {file.stem: records(file) for file in sorted(folder.glob("*.jsonl"))} if folder else {}


def examine(arguments: argparse.Namespace) -> dict[str, object]:
    """The whole report."""
    database = Database(arguments.sqlite)
    lines = lines_of(arguments.lines, database.configuration) if arguments.lines else None
    checker = Checker(database, lines, arguments.screens, arguments.audio)
    people = records(arguments.people) if arguments.people else None
    chain_ok = checker.chain(arguments.key_dir)
    tables_ok = checker.tables()
    checker.numbers()
    checker.one_place()
    checker.invitations()
    checker.ratings(people)
    totals = checker.totals(arguments.speed)
    if arguments.lines:
        checker.prints()
        checker.strips()
        totals["strip_ms"] = spread(checker.strip_ms)
    if arguments.screens:
        totals["calls_shown"] = checker.displays()
        totals["screen_ms"] = spread(checker.screen_ms)
    if arguments.audio:
        totals["calls_spoken"], totals["calls_dropped"] = checker.voice()
    if arguments.dom:
        totals["calls_on_page"] = checker.dom(records(arguments.dom))
        totals["dom_ms"] = spread(checker.dom_ms)
    totals["journal_ok"] = chain_ok and tables_ok
    return {"ok": not checker.findings, "totals": totals, "findings": checker.findings}


def main(argv: list[str] | None = None) -> int:
    """0: everything agrees; 1: findings; 2: wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sqlite", type=Path, required=True)
    parser.add_argument("--key-dir", type=Path, required=True)
    for name, text in (
        ("lines", "every byte on the devices' side"),
        ("screens", "documents"),
        ("audio", "announcements"),
    ):
        parser.add_argument(f"--{name}", type=Path, help=f"folder of JSON lines: {text}")
    parser.add_argument(
        "--dom", type=Path, help="JSON lines: which numbers stood on the displays' pages, and since when"
    )
    parser.add_argument("--people", type=Path, help="JSON lines: who pressed what, by their own word")
    parser.add_argument("--speed", type=float, default=1.0, help="waits are given in simulated seconds")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    report = examine(arguments)
    if arguments.json:
        print(json.dumps(report, ensure_ascii=False))
    else:
        for name, value in report["totals"].items():  # type: ignore[attr-defined]
            print(f"{name:16} {value}")
        for finding in report["findings"]:  # type: ignore[attr-defined]
            print(f"{finding['code']}: {finding['detail']}")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
