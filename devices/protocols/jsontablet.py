"""The conversation with a rating tablet that calls by websocket and speaks JSON (HARDWARE 1.2b)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Literal

from devices.framing.tablets import JsonObject
from devices.protocols.base import Ignored, Send
from devices.protocols.rating import Press, RatingOutput, RatingSettings, RatingTalk

OK: Final = "0"
UNKNOWN: Final = "999"
BAD_WINDOW: Final = "1002"
FAILED: Final = "1003"
SCORES: Final = ("attitude", "quality", "efficiency", "honest")
_LISTS: Final = frozenset(("GetWindowList", "GetUserList", "GetItemList"))
_NOTHING: Final = frozenset(("GetUserPhoto", "GetUpdateInfo"))

Score = Literal["attitude", "quality", "efficiency", "honest"]


def _object(**values: object) -> JsonObject:
    return JsonObject(json.dumps(values, ensure_ascii=False, separators=(",", ":")))


def _reply(method: str, code: str, result: object = None) -> JsonObject:
    return _object(request=method, code=code, result=result)


class JsonTablet(RatingTalk[JsonObject]):
    """One tablet. Each invitation has an id; a rating is taken for the present one only, and once.

    `score`: which of the tablet's four scores is the rating. `number`: the window number it must log in with, any if empty.
    """

    def __init__(self, settings: RatingSettings, score: Score, number: str) -> None:
        super().__init__(0, settings)
        self._score = score
        self._number = number
        self._rate = 0
        self._rated: dict[int, str] = {}
        """The invitation that each press not yet stored is for."""
        self._stored = ""

    @property
    def _present(self) -> str:
        return str(self._rate)

    def key(self, frame: JsonObject) -> int | None:
        method, given = _taken_apart(frame)
        value = given.get(self._score) if method == "RateSubmit" else None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
            return int(value)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def starter(self) -> JsonObject:
        asked = {"rateId": self._present, "transactor": "", "item": "", "date": "", "reserveSeq": ""}
        return _object(method="RateQuest", param=asked)

    def invite(self, until_ms: int) -> list[Send[JsonObject]]:
        self._rate += 1
        return super().invite(until_ms)

    def logged_in(self, now_ms: int) -> list[Send[JsonObject]]:
        """A tablet that calls again has lost what was asked of it."""
        return super().line_up(now_ms)

    def line_up(self, now_ms: int) -> list[Send[JsonObject]]:
        return []  # it logs in first

    def receive(self, frame: JsonObject, now_ms: int) -> list[RatingOutput[JsonObject]]:
        method, given = _taken_apart(frame)
        match method:
            case "Login":
                if self._number and str(given.get("winNum", "")) != self._number:
                    return [
                        Send(_reply(method, BAD_WINDOW)),
                        Ignored("the tablet logs in with another window's number"),
                    ]
                return [Send(_reply(method, OK)), *self.logged_in(now_ms)]
            case "RateSubmit":
                return self._submitted(frame, given, now_ms)
            case _ if method in _LISTS:
                return [Send(_reply(method, OK, []))]
            case _ if method in _NOTHING:
                return [Send(_reply(method, OK))]
            case "":
                return []  # its answer to something of ours
            case _:
                return [Send(_reply(method, UNKNOWN))]

    def _submitted(self, frame: JsonObject, given: Mapping[str, object], now_ms: int) -> list[RatingOutput[JsonObject]]:
        rate = str(given.get("rateId", ""))
        if rate and rate == self._stored:
            return [Send(_reply("RateSubmit", OK))]  # it did not hear the answer
        if rate in self._rated.values():
            return []  # the disk is at it
        if rate != self._present or not self._rate:
            return [Send(_reply("RateSubmit", FAILED)), Ignored("a rating for no present invitation")]
        found = super().receive(frame, now_ms)
        if self.key(frame) is None:
            return [Send(_reply("RateSubmit", FAILED)), Ignored(f"a rating without {self._score}")]
        for output in found:
            if isinstance(output, Press):
                self._rated[output.token] = rate
        return found

    def echo(self, frame: JsonObject) -> JsonObject:
        return _reply("RateSubmit", OK)

    def stored(self, token: int) -> list[Send[JsonObject]]:
        self._stored = self._rated.pop(token, self._stored)
        return super().stored(token)

    def lost(self, token: int) -> None:
        super().lost(token)
        self._rated.pop(token, None)


def _taken_apart(frame: JsonObject) -> tuple[str, Mapping[str, object]]:
    """Method and parameters; an empty method for what has none."""
    said = json.loads(frame.text)
    method, given = said.get("method"), said.get("param")
    return (method if isinstance(method, str) else ""), (given if isinstance(given, dict) else {})
