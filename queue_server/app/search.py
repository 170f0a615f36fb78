"""Finding a matter or bundle by what people say, type or misspell: everyday words, wrong characters, pinyin, initials."""

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib import resources
from itertools import islice, pairwise

import msgspec
from pypinyin import lazy_pinyin

from queue_server.app.english import EnglishIndex
from queue_server.app.initials import InitialsIndex, Spelled
from queue_server.domain.configuration import Bundle, Configuration, Matter

# How much a token of each kind says: one character, two in a row, the same in pinyin, a concept of synonyms.toml.
_CHARACTER, _PAIR, _SYLLABLE, _SYLLABLES, _CONCEPT = 0.25, 1.0, 0.12, 0.7, 1.6
# A word that stands for a concept also counts as itself, but less; so does what a lead leads to, or what only sounds alike.
_IN_CONCEPT, _LED, _HEARD = 0.5, 0.7, 0.7
# How much a field of the catalogue says beside names and everyday words.
_DEPARTMENT, _DOMAIN, _MATERIAL = 0.4, 0.8, 0.2
# How well naming the whole domain or department names one of its matters.
_FAMILY = 0.9
# Ending, changing, renewing, replacing: whoever wants that says so, and whoever does not say it wants the thing itself.
_ACTIONS = frozenset({"@注销", "@变更", "@到期", "@遗失"})
_UNASKED = 0.06
# What is asked for most comes first among equals by this much.
_PRIOR = 0.14
_ASIDE = re.compile(r"[（(《》)）、，。/“”‘’：；！？!?,.\s×·-]+")
# How many words that letters may begin are tried.
_MEANT = 12
# How well the initials of a word said of a document name it: one of its concepts, a lead to it (or to what fits that
# nearly as well), a concept beside its names.
_SAID, _LEADS, _NEARLY, _BESIDE = 0.9, 0.8, 0.8, 0.5
# As _UNASKED, where a few letters may mean the action or not.
_UNASKED_LETTERS = 0.1
_NUMBER = re.compile(r"[0-9]+")
_DIGITS = "零一二三四五六七八九"
_LETTERS = "abcdefghjklmnopqrstwxyz"
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))

Tokens = dict[str, float]


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """kind: matter or bundle; a higher score is better, only the order within one answer means something."""

    id: str
    kind: str
    score: float


class _Vocabulary(msgspec.Struct, frozen=True):
    """synonyms.toml, and the longest word in it."""

    concepts: dict[str, tuple[str, ...]]
    leads: dict[str, tuple[str, ...]]
    dropped: frozenset[str]
    longest: int


class _Phrase(msgspec.Struct, frozen=True):
    """One name or everyday word, and the numbers of the documents that it names."""

    documents: tuple[int, ...]
    mass: float
    factor: float


class MatterIndex:
    """The offered matters and the bundles of one configuration, searchable; built once, about 0.8 s for 400 matters."""

    __slots__ = (
        "_actions",
        "_concept_initials",
        "_concept_sounds",
        "_documents",
        "_english",
        "_idf",
        "_initials",
        "_phrases",
        "_postings",
        "_prior",
        "_whole",
        "_words",
    )

    def __init__(self, configuration: Configuration) -> None:
        self._words = _vocabulary()
        offered = [matter for matter in configuration.matter if matter.offered]
        self._documents: list[Matter | Bundle] = [*offered, *configuration.bundle]
        self._english = EnglishIndex([document.name_en for document in self._documents])
        self._prior = [_prior(document) for document in self._documents]
        phrases: list[tuple[tuple[int, ...], str, float]]
        phrases = [((n,), text, 1.0) for n, d in enumerate(self._documents) for text in (d.name, *d.everyday)]
        phrases += [(places, text, _FAMILY) for text, places in self._families(configuration).items()]
        bags = [self._bag(text) for _, text, _ in phrases]
        whole = self._asides(configuration)
        held = [(n, bag) for (places, _, _), bag in zip(phrases, bags, strict=True) for n in places]
        self._idf = _rarity([*held, *enumerate(whole)], len(self._documents))
        self._phrases = [
            _Phrase(places, sum(weight * self._idf[token] for token, weight in bag.items()), factor)
            for (places, text, factor), bag in zip(phrases, bags, strict=True)
        ]
        self._actions = [_ACTIONS & self._bag(document.name).keys() for document in self._documents]
        self._postings = _inverted(bags)
        for (places, _, factor), bag in zip(phrases, bags, strict=True):
            if factor == 1.0:
                _merge(whole[places[0]], bag)
        self._whole = _inverted(whole)
        self._concept_initials: dict[str, set[str]] = defaultdict(set)
        self._concept_sounds: dict[tuple[str, ...], tuple[str, ...]] = {}
        for word, concepts in self._words.concepts.items():
            if len(word) > 1 and any(f"@{concept}" in self._idf for concept in concepts):
                self._concept_initials[initials_of(word)].update(f"@{concept}" for concept in concepts)
                self._concept_sounds[_sounds_of(word)] = concepts
        names = [Spelled(places, initials_of(text), factor, self._cuts(text)) for places, text, factor in phrases]
        self._initials = InitialsIndex(names, list(self._said()), len(self._documents))

    def search(self, q: str, limit: int = 10, *, english: bool = False) -> list[Hit]:
        """At most `limit` hits, the best first; `english`: the beginning of an English word is enough, pinyin the last resort."""
        asked = _plain(q)[:40]
        if not asked:
            return []
        scores = self._latin(asked) if asked.isascii() and asked.isalpha() else self._match(self._question(asked))
        named = self._english.search(q, typing=english)
        scores = named if english and named else {**scores, **{n: max(scores.get(n, 0.0), named[n]) for n in named}}
        ranked = sorted(scores, key=lambda n: (-scores[n] - self._prior[n], n))[:limit]
        return [self._hit(n, scores[n] + self._prior[n]) for n in ranked]

    def letters(self, prefix: str, *, english: bool = False) -> str:
        """The pinyin initials, sorted, that lead somewhere after `prefix` (UX 1; of 23 letters: no I, U, V); or English."""
        prefix = _plain(prefix)
        if english:
            return self._english.letters(prefix)
        return "".join(sorted(self._initials.letters(prefix)))

    def _hit(self, n: int, score: float) -> Hit:
        document = self._documents[n]
        return Hit(id=document.id, kind="matter" if isinstance(document, Matter) else "bundle", score=round(score, 4))

    def _families(self, configuration: Configuration) -> dict[str, tuple[int, ...]]:
        """The names of domains and departments: who says only those means what is most asked for there."""
        domains = {domain.id: domain.name for domain in configuration.domain}
        departments = {department.id: department.short for department in configuration.department}
        found: dict[str, tuple[int, ...]] = defaultdict(tuple)
        for n, document in enumerate(self._documents):
            if isinstance(document, Matter):
                for name in {domains.get(document.domain, ""), departments.get(document.department, "")} - {""}:
                    found[name] += (n,)
        return found

    def _asides(self, configuration: Configuration) -> list[Tokens]:
        """What a document says beside its names: who answers, the domain, what to bring."""
        departments = {d.id: self._bag(f"{d.name} {d.short}") for d in configuration.department}
        domains = {d.id: self._bag(f"{d.name} {d.everyday}") for d in configuration.domain}
        found: list[Tokens] = []
        for document in self._documents:
            bag: Tokens = {}
            if isinstance(document, Matter):
                _merge(bag, departments.get(document.department, {}), _DEPARTMENT)
                _merge(bag, domains.get(document.domain, {}), _DOMAIN)
            for material in document.materials:
                _merge(bag, self._bag(material.partition("(")[0]), _MATERIAL)
            found.append(bag)
        return found

    def _cuts(self, text: str) -> frozenset[int]:
        """The places in the initials of a text of the catalogue where known words, and it itself, begin and end."""
        at, cuts = 0, {0}
        for word, _, concepts in _spans(_plain(text), self._words, asked=False):
            start, at = at, at + len(initials_of(word))
            if concepts:
                cuts |= {start, at}
        return frozenset({*cuts, at})

    def _said(self) -> Iterator[Spelled]:
        """The words of synonyms.toml as initials, with the documents that they mean."""
        for word, concepts in self._words.concepts.items():
            for concept in concepts:
                places = self._whole.get(f"@{concept}", ())
                yield Spelled(tuple(n for n, _ in places), initials_of(word), _BESIDE)
                yield Spelled(tuple(n for n, weight in places if weight >= _CONCEPT), initials_of(word), _SAID)
        for word, texts in self._words.leads.items():
            for text in texts:
                scores = self._match(self._bag(text))
                enough = _NEARLY * max(scores.values(), default=0.0)
                yield Spelled(tuple(n for n, score in scores.items() if score >= enough), initials_of(word), _LEADS)

    def _bag(self, text: str) -> Tokens:
        """The tokens of a text of the catalogue."""
        return _tokens(_spans(_plain(text), self._words, asked=False))

    def _question(self, asked: str) -> Tokens:
        """The tokens of a question: fillers are left out and what its words lead to is added."""
        spans = list(_spans(asked, self._words, asked=True))
        bag = _tokens(spans) or self._bag(asked)
        _merge(bag, self._heard(_sounds_of(asked)), _HEARD)
        for word, _, _ in spans:
            for text in self._words.leads.get(word, ()):
                _merge(bag, self._bag(text), _LED)
        return bag

    def _match(self, bag: Tokens) -> dict[int, float]:
        """Score by document: how well the best phrase fits, and how much of the question the document covers."""
        unknown = math.log(1 + len(self._documents))
        mass = sum(weight * self._idf.get(token, unknown) for token, weight in bag.items())
        phrases: dict[int, float] = defaultdict(float)
        covered: dict[int, float] = defaultdict(float)
        for token, weight in bag.items():
            idf = self._idf.get(token, 0.0)
            for n, theirs in self._postings.get(token, ()):
                phrases[n] += (weight if weight < theirs else theirs) * idf
            for n, theirs in self._whole.get(token, ()):
                covered[n] += (weight if weight < theirs else theirs) * idf
        best: dict[int, float] = defaultdict(float)
        for n, overlap in phrases.items():
            phrase = self._phrases[n]
            score = phrase.factor * overlap / (0.7 * mass + 0.3 * phrase.mass)
            for document in phrase.documents:
                best[document] = max(best[document], score)
        return {
            n: 0.65 * best[n]
            + 0.35 * part / mass
            - (_UNASKED if self._actions[n] and bag.keys().isdisjoint(self._actions[n]) else 0.0)
            for n, part in covered.items()
        }

    def _latin(self, asked: str) -> dict[int, float]:
        """Score by document for letters: as initials, as initials of a known word, as full pinyin, as themselves."""
        scores = self._initials.names(asked)
        pieces = {asked[start:end] for start in range(len(asked)) for end in range(start + 2, len(asked) + 1)}
        actions = set().union(*(self._concept_initials.get(piece, ()) for piece in pieces))
        for n, score in self._initials.in_a_row(asked).items():
            unasked = self._actions[n] and actions.isdisjoint(self._actions[n])
            scores[n] = max(scores[n], score - (_UNASKED_LETTERS if unasked else 0.0))
        bags = [(1.0, self._bag(asked))]
        bags += [(0.9, {concept: _CONCEPT}) for concept in sorted(self._concept_initials.get(asked, ()))]
        if len(asked) > 1:
            longer = (concepts for word, concepts in self._concept_initials.items() if word.startswith(asked))
            begun = dict.fromkeys(concept for concepts in longer for concept in sorted(concepts))
            bags += [(0.6, {concept: _CONCEPT}) for concept in islice(begun, _MEANT)]
        if sounds := _split(asked):
            bags.append((1.0, self._sounds(sounds)))
        for factor, bag in bags:
            for n, score in self._match(bag).items():
                scores[n] = max(scores[n], factor * score)
        return scores

    def _sounds(self, sounds: tuple[str, ...]) -> Tokens:
        bag: Tokens = dict.fromkeys((f"~{sound}" for sound in sounds), _CHARACTER)
        _merge(bag, dict.fromkeys((f"~{a} {b}" for a, b in pairwise(sounds)), _PAIR))
        _merge(bag, self._heard(sounds))
        return bag

    def _heard(self, sounds: tuple[str, ...]) -> Tokens:
        """The concepts whose words sound like a part of this: wrong characters are mostly homophones."""
        bag: Tokens = {}
        for start in range(len(sounds) - 1):
            for end in range(min(len(sounds), start + self._words.longest), start + 1, -1):
                if concepts := self._concept_sounds.get(sounds[start:end]):
                    _merge(bag, dict.fromkeys((f"@{concept}" for concept in concepts), _CONCEPT))
                    break
        return bag


def _rarity(places: Iterable[tuple[int, Tokens]], documents: int) -> Tokens:
    """The inverse document frequency of each token."""
    seen: dict[str, set[int]] = defaultdict(set)
    for n, bag in places:
        for token in bag:
            seen[token].add(n)
    return {token: math.log(1 + documents / len(holders)) for token, holders in seen.items()}


def _inverted(bags: Iterable[Tokens]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for n, bag in enumerate(bags):
        for token, weight in bag.items():
            found[token].append((n, weight))
    return dict(found)


def initials_of(text: str) -> str:
    """The first letters of a text's syllables; what is neither a character nor a letter is left out."""
    return "".join(sound[0] for sound in _sounds_of(_plain(text)) if sound[0] in _LETTERS)


def _plain(text: str) -> str:
    """Lower case, no punctuation, numbers as they are read."""
    return _NUMBER.sub(lambda found: _read(found[0]), _ASIDE.sub("", text.lower()))


def _read(number: str) -> str:
    """10 to 99 as a number, others digit by digit."""
    if len(number) != 2 or number[0] == "0":
        return "".join(_DIGITS[int(digit)] for digit in number)
    tens, ones = int(number[0]), int(number[1])
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


@lru_cache(maxsize=1)
def _vocabulary() -> _Vocabulary:
    text = resources.files("queue_server.app").joinpath("synonyms.toml").read_text("utf-8")
    data = tomllib.loads(text)
    concepts: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for words in data["same"]:
        for word in words:
            concepts[word] += (words[0],)
    leads = {word: tuple(texts) for word, texts in data["lead"].items()}
    dropped = frozenset(data["drop"])
    longest = max(len(word) for word in (*concepts, *leads, *dropped))
    return _Vocabulary(dict(concepts), leads, dropped, longest)


def _spans(text: str, words: _Vocabulary, asked: bool) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """The text cut at known words, longest first: (word, weight of its characters, its concepts)."""
    at = 0
    while at < len(text):
        for end in range(min(len(text), at + words.longest), at, -1):
            word = text[at:end]
            if word in words.concepts:
                yield word, _IN_CONCEPT, words.concepts[word]
            elif asked and word in words.leads:
                yield word, _IN_CONCEPT, ()
            elif not (asked and word in words.dropped):
                continue
            at = end
            break
        else:
            yield text[at], 1.0, ()
            at += 1


def _tokens(spans: Iterable[tuple[str, float, tuple[str, ...]]]) -> Tokens:
    bag: Tokens = {}
    text = ""
    weights: list[float] = []
    for word, weight, concepts in spans:
        text += word
        weights += [weight] * len(word)
        _merge(bag, dict.fromkeys((f"@{concept}" for concept in concepts), _CONCEPT))
    sounds = _sounds_of(text)
    for n, (character, weight) in enumerate(zip(text, weights, strict=True)):
        _merge(bag, {character: _CHARACTER * weight, f"~{sounds[n]}": _SYLLABLE * weight})
        if n:
            both = min(weight, weights[n - 1])
            _merge(bag, {text[n - 1 : n + 1]: _PAIR * both, f"~{sounds[n - 1]} {sounds[n]}": _SYLLABLES * both})
    return bag


def _merge(into: Tokens, bag: Tokens, factor: float = 1.0) -> None:
    """The greater weight of both for each token."""
    for token, weight in bag.items():
        if weight * factor > into.get(token, 0.0):
            into[token] = weight * factor


@lru_cache(maxsize=8192)
def _sounds_of(text: str) -> tuple[str, ...]:
    """One syllable a character, without tone and as Henan speech may blur it; other characters stand for themselves."""
    # A list of its own for a run that is not Chinese: the stub of pypinyin knows only the string.
    return tuple(_blur(sound) for sound in lazy_pinyin(text, errors=list))  # type: ignore[arg-type]


def _blur(sound: str) -> str:
    for sharp, flat in _FUZZY:
        if sharp in sound:
            sound = sound.replace(sharp, flat)
    return sound


@lru_cache(maxsize=1)
def _known_syllables() -> frozenset[str]:
    """All syllables of the common characters."""
    common = "".join(chr(code) for code in range(0x4E00, 0x9FA6))
    return frozenset(sound for sound in lazy_pinyin(list(common), errors="ignore") if sound.isascii())


def _split(letters: str) -> tuple[str, ...]:
    """Full pinyin cut into the fewest syllables, blurred; nothing when it is not pinyin."""
    known = _known_syllables()
    best: list[tuple[str, ...] | None] = [()]
    for end in range(1, len(letters) + 1):
        found: tuple[str, ...] | None = None
        for start in range(max(0, end - 6), end):
            before = best[start]
            if before is not None and letters[start:end] in known and (found is None or len(before) + 1 < len(found)):
                found = (*before, _blur(letters[start:end]))
        best.append(found)
    return best[-1] or ()


def _prior(document: Matter | Bundle) -> float:
    """What is asked for often comes first among equals; at most _PRIOR."""
    share = document.share if isinstance(document, Matter) else 0.5
    return _PRIOR * math.log1p(share) / math.log1p(30)
