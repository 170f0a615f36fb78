"""What a text says, as tokens with weights: its characters, its sounds, and the concepts of synonyms.toml."""

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from typing import TypeVar

import msgspec

from queue_server.app.pinyin import blur, initials_of, plain, sounds_of, spelling_of

# How much a token of each kind says: one character, two in a row, the same in pinyin, a concept of synonyms.toml.
CHARACTER, PAIR, SYLLABLE, SYLLABLES, CONCEPT = 0.25, 1.0, 0.12, 0.7, 1.6
# A word that stands for a concept also counts as itself, but less; so does what a lead leads to, or what only sounds alike.
IN_CONCEPT, LED, HEARD = 0.5, 0.7, 0.7
# Of a question in pinyin: two syllables as they are spelled, beside the same blurred; what only sounds alike when blurred;
# a character that sounds so and is a concept by itself; what a lead leads to.
SPELLED, ALIKE, ALONE, LED_BY_SOUND = 0.5, 0.6, 0.35, 0.5
# Syllables of a question that say nothing: 的, 了.
_FILLERS = frozenset({("de",), ("le",)})

Tokens = dict[str, float]
Sounds = tuple[str, ...]
K = TypeVar("K", str, Sounds)


class Vocabulary(msgspec.Struct, frozen=True):
    """synonyms.toml: concepts and leads by word, by sound and by initials; `longest` counts characters of a word."""

    concepts: dict[str, tuple[str, ...]]
    leads: dict[str, tuple[str, ...]]
    dropped: frozenset[str]
    longest: int
    heard: dict[Sounds, tuple[str, ...]]
    """Words of two characters or more, blurred, → concepts."""
    spelled: dict[Sounds, tuple[str, ...]]
    """The same, not blurred."""
    alone: dict[Sounds, tuple[str, ...]]
    """Words of one character → concepts."""
    spelled_leads: dict[Sounds, tuple[str, ...]]
    spelled_dropped: frozenset[Sounds]
    initials: dict[str, tuple[str, ...]]
    """Of words of two characters or more → concepts."""


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    text = resources.files("queue_server.app").joinpath("synonyms.toml").read_text("utf-8")
    data = tomllib.loads(text)
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for words in data["same"]:
        for word in words:
            found[word] += (words[0],)
    concepts, dropped = dict(found), frozenset(data["drop"])
    leads = {word: tuple(texts) for word, texts in data["lead"].items()}
    longer = {word: meant for word, meant in concepts.items() if len(word) > 1}
    return Vocabulary(
        concepts=concepts,
        leads=leads,
        dropped=dropped,
        longest=max(len(word) for word in (*concepts, *leads, *dropped)),
        heard=_together((sounds_of(word), meant) for word, meant in longer.items()),
        spelled=_together((spelling_of(word), meant) for word, meant in longer.items()),
        alone=_together((spelling_of(word), meant) for word, meant in concepts.items() if len(word) == 1),
        spelled_leads=_together((spelling_of(word), texts) for word, texts in leads.items() if len(word) > 1),
        spelled_dropped=frozenset(spelling_of(word) for word in dropped if len(word) > 1) | _FILLERS,
        initials=_together((initials_of(word), meant) for word, meant in longer.items()),
    )


def bag(text: str) -> Tokens:
    """The tokens of a text of the catalogue."""
    return tokens(spans(plain(text), asked=False), asked=False)


def spans(text: str, asked: bool) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """The text cut at known words, longest first: (word, weight of its characters, its concepts)."""
    words = vocabulary()
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + words.longest), at, -1):
            word = text[at:end]
            if word in words.concepts:
                yield word, IN_CONCEPT, words.concepts[word]
            elif asked and word in words.leads:
                yield word, IN_CONCEPT, ()
            elif not (asked and word in words.dropped):
                continue
            at = end
            break
        else:
            yield text[at], 1.0, ()
            at += 1


def tokens(parts: Iterable[tuple[str, float, tuple[str, ...]]], asked: bool) -> Tokens:
    """Of the catalogue, two syllables stand also as they are spelled where Henan speech blurs them."""
    found: Tokens = {}
    text = ""
    weights: list[float] = []
    for word, weight, meant in parts:
        text += word
        weights += [weight] * len(word)
        merge(found, concepts(meant))
    sounds, spelling = sounds_of(text), spelling_of(text)
    for n, (character, weight) in enumerate(zip(text, weights, strict=True)):
        merge(found, {character: CHARACTER * weight, f"~{sounds[n]}": SYLLABLE * weight})
        if n:
            both = min(weight, weights[n - 1])
            merge(found, {text[n - 1 : n + 1]: PAIR * both, f"~{sounds[n - 1]} {sounds[n]}": SYLLABLES * both})
            if not asked and spelling[n - 1 : n + 1] != sounds[n - 1 : n + 1]:
                merge(found, {f"={spelling[n - 1]} {spelling[n]}": SYLLABLES * both})
    return found


def heard(sounds: Sounds) -> Tokens:
    """The concepts whose words sound, blurred, like a part of this: wrong characters are mostly homophones."""
    return concepts(_known(sounds, vocabulary().heard))


def spoken(syllables: Sounds) -> Tokens:
    """The tokens of a question in pinyin, as of one in characters: fillers are left out, what words lead to is added."""
    words = vocabulary()
    said = _kept(syllables)
    sounds = tuple(map(blur, said))
    found: Tokens = dict.fromkeys((f"~{sound}" for sound in sounds), CHARACTER)
    for pair, blurred in zip(pairwise(said), pairwise(sounds), strict=True):
        if pair == blurred:
            merge(found, {f"~{pair[0]} {pair[1]}": SYLLABLES})
        else:
            merge(found, {f"~{blurred[0]} {blurred[1]}": SYLLABLES * (1 - SPELLED)})
            merge(found, {f"={pair[0]} {pair[1]}": SYLLABLES * SPELLED})
    merge(found, concepts(_known(said, words.spelled)))
    merge(found, heard(sounds), ALIKE)
    for sound in said:
        merge(found, concepts(words.alone.get((sound,), ())), ALONE)
    for start in range(len(said) - 1):
        for end in range(start + 2, min(len(said), start + words.longest) + 1):
            for text in words.spelled_leads.get(said[start:end], ()):
                merge(found, bag(text), LED_BY_SOUND)
    return found


def concepts(meant: Iterable[str]) -> Tokens:
    return dict.fromkeys((f"@{concept}" for concept in meant), CONCEPT)


def merge(into: Tokens, more: Tokens, factor: float = 1.0) -> None:
    """The greater weight of both for each token."""
    for token, weight in more.items():
        if weight * factor > into.get(token, 0.0):
            into[token] = weight * factor


def _kept(syllables: Sounds) -> Sounds:
    """Without fillers, known words before them, longest first; all when nothing else is said."""
    words = vocabulary()
    kept: Sounds = ()
    at = 0
    while at < len(syllables):
        for end in range(min(len(syllables), at + words.longest), at, -1):
            part = syllables[at:end]
            if part in words.spelled or part in words.spelled_leads:
                kept += part
            elif part not in words.spelled_dropped:
                continue
            at = end
            break
        else:
            kept += syllables[at : at + 1]
            at += 1
    return kept or syllables


def _known(sounds: Sounds, known: Mapping[Sounds, tuple[str, ...]]) -> Iterator[str]:
    """What the longest known word from each syllable on means."""
    for start in range(len(sounds) - 1):
        for end in range(min(len(sounds), start + vocabulary().longest), start + 1, -1):
            if meant := known.get(sounds[start:end]):
                yield from meant
                break


def _together(pairs: Iterable[tuple[K, tuple[str, ...]]]) -> dict[K, tuple[str, ...]]:
    found: dict[K, dict[str, None]] = defaultdict(dict)
    for key, meant in pairs:
        found[key].update(dict.fromkeys(meant))
    return {key: tuple(meant) for key, meant in found.items()}
