"""Citizens: from the kiosk to the rating, through what a person can touch, see and hear."""

import asyncio
from random import Random
from typing import Any, Final

from queue_server.demo.api import Api
from queue_server.demo.visits import Visit
from queue_server.demo.world import Citizen, World

WALK_S: Final = 30.0
"""From the seat to the window."""

TAGS: Final = {1: "108", 2: "207"}
INVITED_WITHIN_S: Final = 3.0
PHONE_TRIES: Final = 10


class Entrance:
    """The kiosks, each with one person at a time."""

    def __init__(self, api: Api, tokens: list[dict[str, str]]) -> None:
        self._api = api
        self._free: asyncio.Queue[dict[str, str]] = asyncio.Queue()
        for token in tokens:
            self._free.put_nowait(token)

    async def take(self, visit: Visit) -> tuple[int, dict[str, Any]]:
        """(status, TicketTaken or problem)."""
        body: dict[str, object] = {
            "matters": list(visit.matters),
            "bundle": visit.bundle,
            "quantity": visit.quantity,
            "priority": visit.priority,
            "language": visit.language,
        }
        if visit.identity:
            body["identity"] = {"kind": "id_card", "number": visit.identity}
        kiosk = await self._free.get()
        try:
            return await self._api.ask("POST", "tickets", body, kiosk)
        finally:
            self._free.put_nowait(kiosk)


async def live(world: World, api: Api, entrance: Entrance, visit: Visit, random: Random) -> None:
    """One visit."""
    if visit.direct and await _walk_up(world, visit):
        return
    status, taken = await entrance.take(visit)
    if status >= 400:
        world.counts[f"refused:{taken.get('code')}"] += 1
        return
    ticket = taken["ticket"]
    if not taken["created"]:
        world.counts["standing"] += 1
        return
    world.counts["issued"] += 1
    citizen = Citizen(visit, ticket["number"], ticket["id"], taken["token"])
    world.citizens[citizen.number] = citizen
    if not world.window_of(citizen.number):
        world.wait_at(citizen.number, _windows(world, visit))
    await _queue(world, api, citizen, random)


def _windows(world: World, visit: Visit) -> tuple[str, ...]:
    """Those that may call the ticket's first stop."""
    if visit.bundle:
        return world.serving.windows_for_bundle(visit.bundle)
    return world.serving.windows_for(world.serving.route(visit.matters)[0])


async def _walk_up(world: World, visit: Visit) -> bool:
    """To a window where a clerk with a console sits; False when there is none for this errand."""
    able = [w for w in world.serving.windows_for(visit.matters) if w in world.desks and w in world.consoles]
    if len(visit.matters) != 1 or not able:
        return False
    window = min(able, key=lambda name: len(world.desks[name].walkups))
    citizen = Citizen(visit)
    citizen.left = asyncio.get_running_loop().create_future()
    pad = world.lines.pads.get(window)
    invitations = pad.node.invitations if pad else 0
    world.desks[window].walkups.append(citizen)
    world.tell()
    if await citizen.left == "done" and visit.rates and pad is not None:
        await _press(world, window, citizen, invitations)
    return True


async def _queue(world: World, api: Api, citizen: Citizen, random: Random) -> None:
    """Wait, be called, go, be served; again after a transfer, a second stop or a missed call."""
    visit, missed = citizen.visit, 0
    stops = 1 if visit.bundle else len(world.serving.route(visit.matters))
    while True:
        if not await _called(world, api, citizen):
            return
        window = world.window_of(citizen.number)
        if not visit.comes:
            visit.comes = visit.returns
            missed += 1
            await _until_not_called(world, citizen)
            if missed >= world.configuration.policy.no_show_void_after:
                return  # the number is void
            citizen.called.clear()
            world.wait_at(citizen.number, _windows(world, visit))
            continue
        await world.pace.sleep(WALK_S * random.uniform(0.5, 1.5))
        if world.window_of(citizen.number) != window or not window:
            citizen.called.clear()
            continue
        pad = world.lines.pads.get(window)
        invitations = pad.node.invitations if pad else 0
        citizen.left = asyncio.get_running_loop().create_future()
        world.desks[window].sitting = citizen
        world.tell()
        how = await citizen.left
        citizen.called.clear()
        if how == "done":
            if visit.rates:
                await _rate(world, api, citizen, window, invitations, last=stops <= 1)
            stops -= 1
            if stops <= 0:
                return
            world.wait_at(citizen.number, world.serving.windows_for(world.serving.route(visit.matters)[-stops]))


async def _called(world: World, api: Api, citizen: Citizen) -> bool:
    """Wait for the own number on a display; False when patience ended first and the phone said goodbye."""
    leaves_s = citizen.visit.leaves_after_s
    try:
        await asyncio.wait_for(citizen.called.wait(), leaves_s / world.pace.speed if leaves_s is not None else None)
    except TimeoutError:
        citizen.visit.leaves_after_s = None
        status, _ = await api.ask("POST", f"phone/{citizen.token}/cancel", {})
        if status < 400:
            world.waiting.pop(citizen.number, None)
            world.counts["cancelled"] += 1
            world.tell()
            return False
        await citizen.called.wait()
    return True


async def _until_not_called(world: World, citizen: Citizen) -> None:
    """Somewhere else until the displays have stopped calling."""
    while world.window_of(citizen.number):
        await world.news(1.0)


async def _rate(world: World, api: Api, citizen: Citizen, window: str, invitations: int, *, last: bool) -> None:
    if window in world.lines.pads and not (citizen.visit.by_phone and last):
        await _press(world, window, citizen, invitations)
    elif last:
        await _by_phone(world, api, citizen, window)


async def _press(world: World, window: str, citizen: Citizen, invitations: int) -> None:
    """Answer the pad's invitation, which came after sitting down; who is not asked does not press."""
    pad = world.lines.pads[window]
    try:
        await pad.line.until(lambda: pad.node.invitations > invitations, INVITED_WITHIN_S)
    except TimeoutError:
        world.counts["not_asked"] += 1
        return
    await world.pace.sleep(4)
    number = citizen.number
    world.truth.write(do="press", window=window, number=number, ticket=citizen.ticket, level=citizen.visit.level)
    if await pad.node.rate(pad.bytes_of[citizen.visit.level]):
        world.counts["ratings"] += 1


async def _by_phone(world: World, api: Api, citizen: Citizen, window: str) -> None:
    """The phone page says which service may be rated."""
    for _ in range(PHONE_TRIES):
        status, view = await api.ask("GET", f"phone/{citizen.token}")
        if status == 200 and view["rate_service"]:
            break
        await asyncio.sleep(0.1)
    else:
        world.counts["not_asked"] += 1
        return
    level = citizen.visit.level
    body = {
        "token": citizen.token,
        "service": view["rate_service"],
        "level": level,
        "tags": [TAGS[level]] if level in TAGS else [],
    }
    world.truth.write(do="phone", window=window, number=citizen.number, ticket=citizen.ticket, level=level)
    status, _ = await api.ask("POST", "ratings", body)
    if status < 400:
        world.counts["ratings"] += 1
