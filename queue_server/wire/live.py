"""The messages of the websocket `/api/v1/live` between the server and every screen."""

from typing import Annotated

import msgspec

from queue_server.wire.common import Version, Words

LOOK_MAX = 16_000
"""Characters of a page's text, within what a websocket's message may hold."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello", forbid_unknown_fields=True):
    """First message of a screen. `token` is the screen's or ticket's token; staff pages use their cookie instead."""

    token: str = ""
    build: str = ""


class Subscribe(msgspec.Struct, frozen=True, kw_only=True, tag="subscribe", forbid_unknown_fields=True):
    """Ask for a view; answered by a snapshot, then changes. Subscribing again sends the snapshot again."""

    view: str
    of: str = ""


class Unsubscribe(msgspec.Struct, frozen=True, kw_only=True, tag="unsubscribe", forbid_unknown_fields=True):
    view: str
    of: str = ""


class PlayerReady(msgspec.Struct, frozen=True, kw_only=True, tag="player", forbid_unknown_fields=True):
    """This page can (or can no longer) sound in the zone; the server lets exactly one player a zone speak."""

    zone: str
    ready: bool


class Say(msgspec.Struct, frozen=True, kw_only=True, tag="say", forbid_unknown_fields=True):
    """A kiosk asks for one of its sentences (UX K-06), after the number just taken where `number` is given; answered by play.

    `phrase` is a name of `displays.speech.guidance.SENTENCES`, `language` zh or en; `ahead` -1 is not said.
    """

    phrase: str
    language: str = "zh"
    number: str = ""
    ahead: int = -1


class Began(msgspec.Struct, frozen=True, kw_only=True, tag="began", forbid_unknown_fields=True):
    """The first sound of one announcement (UX V-07)."""

    id: str


class Played(msgspec.Struct, frozen=True, kw_only=True, tag="played", forbid_unknown_fields=True):
    """The end of one announcement: outcome is done or failed."""

    id: str
    outcome: str
    reason: str = ""


class Alive(msgspec.Struct, frozen=True, kw_only=True, tag="alive", forbid_unknown_fields=True):
    """A page's own sign of life, every 20 s, with what it needs the manager to know."""

    sound: str = ""


class ReadingHeard(msgspec.Struct, frozen=True, kw_only=True, tag="heard", forbid_unknown_fields=True):
    """A kiosk's answer to a reading, within 3 s: whether its present step wanted it."""

    id: str
    used: bool


class CardGone(msgspec.Struct, frozen=True, kw_only=True, tag="card_gone", forbid_unknown_fields=True):
    """A kiosk has left the person whose card was laid on (UX K-10): the server forgets it too."""


class PageSize(msgspec.Struct, frozen=True, kw_only=True, tag="page", forbid_unknown_fields=True):
    """How large a paired screen's page is: CSS pixels, and device pixels to one of them. After each welcome and each change."""

    width: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    height: Annotated[int, msgspec.Meta(ge=0, le=100_000)]
    ratio: Annotated[float, msgspec.Meta(ge=0, le=100)]


class PatternEnded(msgspec.Struct, frozen=True, kw_only=True, tag="pattern_ended", forbid_unknown_fields=True):
    """A page's one answer to a pattern: done (it stands, `reason` "sounded" when its tone did too), busy (a citizen uses the
    page, or came before it stood) or failed, with the reason."""

    id: str
    outcome: str
    reason: str = ""


class ErrandDone(msgspec.Struct, frozen=True, kw_only=True, tag="errand_done", forbid_unknown_fields=True):
    """A page's one answer to an errand: done, busy (somebody uses the page, or it speaks) or failed, with the reason.

    Of `look` what it shows: its text as people read it, and its size as in `page`.
    """

    id: str
    outcome: str
    reason: Annotated[str, msgspec.Meta(max_length=200)] = ""
    text: Annotated[str, msgspec.Meta(max_length=LOOK_MAX)] = ""
    width: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    height: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    ratio: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.0


FromScreen = (
    Hello
    | Subscribe
    | Unsubscribe
    | PlayerReady
    | Say
    | Began
    | Played
    | ErrandDone
    | Alive
    | ReadingHeard
    | CardGone
    | PageSize
    | PatternEnded
)


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome"):
    """Answer to hello: `start` changes with each server start, `build` with each release, `at` is ms UTC.

    `view` and `of` are what the token is for (a paired screen learns here what it is); `name` is what the staff call it, and
    `address` where the server sees it (UX D-15).
    """

    at: int
    start: str
    build: str
    hall: str
    view: str
    of: str
    device: str
    name: str = ""
    address: str = ""


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, tag="snapshot"):
    """The whole map of a view."""

    view: str
    of: str
    version: Version
    documents: dict[str, msgspec.Raw]


class Change(msgspec.Struct, frozen=True, kw_only=True, tag="change"):
    """The keys that changed, each complete."""

    view: str
    of: str
    version: Version
    documents: dict[str, msgspec.Raw]


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, tag="heartbeat"):
    """Every second; `at` is ms UTC."""

    at: int
    epoch: int
    start: str
    build: str


class Play(msgspec.Struct, frozen=True, kw_only=True, tag="play"):
    """Play one file now, once; answer with played. Stop after `duration_ms` + 3000 (UX V-08).

    `again` says once more what has just been said (a repetition, the second language): no new call.
    """

    id: str
    epoch: int
    zone: str
    url: str
    duration_ms: int
    text: Words
    volume: int
    again: bool


class Reading(msgspec.Struct, frozen=True, kw_only=True, tag="reading"):
    """What a reader or scanner of this kiosk read just now; answer with heard. Nothing of it is personal (law 10).

    kind: card (`token` stands for its holder at this page until card_gone or ten minutes have passed; `number` is a ticket
    they hold today, or "", `passed` whether its call was missed), ticket (`token` is the ticket's), or said (`text` says why
    what was read is of no use).
    """

    id: str
    epoch: int
    kind: str
    token: str = ""
    number: str = ""
    passed: bool = False
    text: Words = Words(zh="", en="")


class Pattern(msgspec.Struct, frozen=True, kw_only=True, tag="pattern"):
    """Show a test pattern for `for_ms` over everything, once; answer with pattern_ended as soon as it stands.

    It ends earlier for anything that a citizen needs of the page. `name` is what the staff call the screen, `place` where it
    belongs; one tone sounds with it at `volume` (0 to 100; 0: none).
    """

    id: str
    epoch: int
    for_ms: int
    name: str
    place: Words
    volume: int


class Errand(msgspec.Struct, frozen=True, kw_only=True, tag="errand"):
    """The office asks a paired screen's page for something, once; answer with errand_done (UX D-15).

    what: identify (show the device page for ten seconds), reload (after the answer) or look (answer with what it shows).
    `name` and `place` are as in pattern.
    """

    id: str
    epoch: int
    what: str
    name: str
    place: Words


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """A message that was not carried out: code as in problem+json; `of` names what was asked."""

    code: str
    view: str
    of: str
    text: Words


ToScreen = Welcome | Snapshot | Change | Heartbeat | Play | Reading | Pattern | Errand | Refused
