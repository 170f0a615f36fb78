"""What the commands say at a terminal: in English in the code, in Chinese from one catalogue, as the person there reads."""

import argparse
import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from importlib.resources import files

import msgspec
from rich.cells import cell_len

from displays.terminal import chinese

_CHINESE: dict[str, str] = msgspec.json.decode(
    (files("queue_server") / "texts" / "commands.json").read_bytes(), type=dict[str, str]
)


def own(english: str, **values: object) -> str:
    """A sentence in the language of the person at the terminal, with its values; English where the catalogue has no other."""
    sentence = _CHINESE.get(english, english) if chinese() else english
    return sentence.format(**values) if values else sentence


@contextlib.contextmanager
def own_language(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The help of a command and of all its parts in that language, and what argparse itself says while it reads with it."""
    if not chinese():
        yield parser
        return
    for each in every_parser(parser):
        each.formatter_class = _WideFormatter
        each.description = own(each.description) if each.description else None
        for group in each._action_groups:
            group.title = own(group.title) if group.title else None
        for action in shown_actions(each):
            action.help = own(action.help) if action.help else None
    # argparse asks gettext by this name, which would want a compiled catalogue of its own on the disk.
    gettext = vars(argparse)["_"]
    vars(argparse)["_"] = own
    try:
        yield parser
    finally:
        vars(argparse)["_"] = gettext


def every_parser(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser, and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in dict.fromkeys(action.choices.values()):
                yield from every_parser(command)


def shown_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Its options, its arguments, and its commands as its help lists them."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            yield from action._choices_actions


class _WideFormatter(argparse.HelpFormatter):
    """Wraps by the cells of a terminal: a Chinese character has two, and a line may end behind any."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines = [""]
        for word in _pieces(text):
            if cell_len(lines[-1] + word.rstrip()) > width and lines[-1]:
                lines.append("")
            lines[-1] += word
        return [line.strip() for line in lines]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return textwrap.indent("\n".join(self._split_lines(text, width - len(indent))), indent)


def _pieces(text: str) -> Sequence[str]:
    """What must stay on one line: Latin words with the space behind them, single characters otherwise."""
    found = [""]
    for letter in " ".join(text.split()):
        word = letter.isascii() and found[-1][-1:].isascii() and not found[-1].endswith(" ")
        closes = letter in "，。；：、）”？！》"  # never at the beginning of a line
        if word or closes:
            found[-1] += letter
        else:
            found.append(letter)
    return [piece for piece in found if piece]
