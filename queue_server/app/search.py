"""Finding a matter or bundle by what people say, type or misspell: everyday words, wrong characters, pinyin, initials."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import msgspec

from queue_server.app.english import EnglishIndex
from queue_server.app.initials import InitialsIndex, Named
from queue_server.app.pinyin import cut, goes_on, initials_of, plain, sounds_of
from queue_server.app.spelled import SpelledIndex
from queue_server.app.wording import (
    CONCEPT,
    HEARD,
    LED,
    Tokens,
    bag,
    concepts,
    heard,
    merge,
    spans,
    spoken,
    tokens,
    vocabulary,
)
from queue_server.domain.configuration import Bundle, Configuration, Matter

# How much a field of the catalogue says beside names and everyday words.
_DEPARTMENT, _DOMAIN, _MATERIAL = 0.4, 0.8, 0.2
# How well naming the whole domain or department names one of its matters.
_FAMILY = 0.9
# Ending, changing, renewing, replacing: whoever wants that says so, and whoever does not say it wants the thing itself.
_ACTIONS = frozenset({"@注销", "@变更", "@到期", "@遗失"})
_UNASKED = 0.06
# What is asked for most comes first among equals by this much.
_PRIOR = 0.14
# How well letters mean a concept: all the initials of one of its words, or the first of them; so many are tried.
_MEANT, _BEGUN, _TRIED = 0.9, 0.6, 12
# How well the initials of a word said of a document name it: one of its concepts, a lead to it (or to what fits that
# nearly as well), a concept beside its names.
_SAID, _LEADS, _NEARLY, _BESIDE = 0.8, 0.9, 0.8, 0.3
# As _UNASKED, where a few letters may mean the action or not.
_UNASKED_LETTERS = 0.05
# How well the syllables before one that is still being typed name a document.
_TYPING = 0.9
ASKED_MOST = 40
"""Characters of a question that are read; a kiosk's pad takes as many letters."""
_FEW = 12
"""Letters that are read as initials of words in a row."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """kind: matter or bundle; a higher score is better, only the order within one answer means something."""

    id: str
    kind: str
    score: float


class _Phrase(msgspec.Struct, frozen=True):
    """One name or everyday word, and the numbers of the documents that it names."""

    documents: tuple[int, ...]
    mass: float
    factor: float


class MatterIndex:
    """The offered matters and the bundles of one configuration, searchable; built once, about 0.5 s for 400 matters."""

    __slots__ = (
        "_actions",
        "_documents",
        "_english",
        "_idf",
        "_initials",
        "_phrases",
        "_postings",
        "_prior",
        "_spelled",
        "_whole",
    )

    def __init__(self, configuration: Configuration) -> None:
        offered = [matter for matter in configuration.matter if matter.offered]
        self._documents: list[Matter | Bundle] = [*offered, *configuration.bundle]
        self._english = EnglishIndex([document.name_en for document in self._documents])
        self._prior = [_prior(document) for document in self._documents]
        phrases: list[tuple[tuple[int, ...], str, float]]
        phrases = [((n,), text, 1.0) for n, d in enumerate(self._documents) for text in (d.name, *d.everyday)]
        phrases += [(places, text, _FAMILY) for text, places in self._families(configuration).items()]
        bags = [bag(text) for _, text, _ in phrases]
        whole = self._asides(configuration)
        held = [(n, each) for (places, _, _), each in zip(phrases, bags, strict=True) for n in places]
        self._idf = _rarity([*held, *enumerate(whole)], len(self._documents))
        self._phrases = [
            _Phrase(places, sum(weight * self._idf[token] for token, weight in each.items()), factor)
            for (places, _, factor), each in zip(phrases, bags, strict=True)
        ]
        self._actions = [_ACTIONS & bag(document.name).keys() for document in self._documents]
        self._postings = _inverted(bags)
        for (places, _, factor), each in zip(phrases, bags, strict=True):
            if factor == 1.0:
                merge(whole[places[0]], each)
        self._whole = _inverted(whole)
        self._spelled = SpelledIndex([plain(text) for _, text, _ in phrases])
        names = [Named(places, initials_of(text), factor, _cuts(text)) for places, text, factor in phrases]
        self._initials = InitialsIndex(names, self._words(), self._said, len(self._documents))

    def search(self, q: str, limit: int = 10, *, english: bool = False) -> list[Hit]:
        """At most `limit` hits, the best first; `english`: the beginning of an English word is enough, pinyin the last resort."""
        asked = plain(q)[:ASKED_MOST]
        if not asked:
            return []
        scores = self._latin(asked) if _is_letters(asked) else self._match(self._question(asked))
        named = self._english.search(q, typing=english)
        scores = named if english and named else {**scores, **{n: max(scores.get(n, 0.0), named[n]) for n in named}}
        ranked = sorted(scores, key=lambda n: (-scores[n] - self._prior[n], n))[:limit]
        return [self._hit(n, scores[n] + self._prior[n]) for n in ranked]

    def letters(self, prefix: str, *, english: bool = False) -> str:
        """The letters, sorted, that may follow `prefix` (UX 1): as syllables, as initials that lead somewhere; or English."""
        prefix = plain(prefix)
        if english:
            return self._english.letters(prefix)
        if (prefix and not _is_letters(prefix)) or len(prefix) >= ASKED_MOST:
            return ""
        return "".join(sorted(goes_on(prefix) | self._initials.letters(prefix)))

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
        departments = {d.id: bag(f"{d.name} {d.short}") for d in configuration.department}
        domains = {d.id: bag(f"{d.name} {d.everyday}") for d in configuration.domain}
        found: list[Tokens] = []
        for document in self._documents:
            said: Tokens = {}
            if isinstance(document, Matter):
                merge(said, departments.get(document.department, {}), _DEPARTMENT)
                merge(said, domains.get(document.domain, {}), _DOMAIN)
            for material in document.materials:
                merge(said, bag(material.partition("(")[0]), _MATERIAL)
            found.append(said)
        return found

    def _words(self) -> dict[str, list[str]]:
        """The words of synonyms.toml that mean something here (most do not in a small hall) by their initials."""
        known = vocabulary()
        found: dict[str, list[str]] = defaultdict(list)
        for word in dict.fromkeys((*known.concepts, *known.leads)):
            said = concepts(known.concepts.get(word, ())).keys()
            led = (bag(text).keys() for text in known.leads.get(word, ()))
            letters = initials_of(word)
            if len(letters) > 1 and not self._whole.keys().isdisjoint({*said, *set().union(*led)}):
                found[letters].append(word)
        return dict(found)

    def _said(self, word: str) -> Iterator[tuple[Sequence[int], float]]:
        """The documents that a word of synonyms.toml means, and how well it names them."""
        for concept in concepts(vocabulary().concepts.get(word, ())):
            places = self._whole.get(concept, ())
            yield [n for n, _ in places], _BESIDE
            yield [n for n, weight in places if weight >= CONCEPT], _SAID
        for text in vocabulary().leads.get(word, ()):
            scores = self._match(bag(text))
            enough = _NEARLY * max(scores.values(), default=0.0)
            yield [n for n, score in scores.items() if score >= enough], _LEADS

    def _question(self, asked: str) -> Tokens:
        """The tokens of a question: fillers are left out and what its words lead to is added."""
        parts = list(spans(asked, asked=True))
        said = tokens(parts, asked=True) or bag(asked)
        merge(said, self._meant(heard(sounds_of(asked))), HEARD)
        for word, _, _ in parts:
            for text in vocabulary().leads.get(word, ()):
                merge(said, bag(text), LED)
        return said

    def _meant(self, said: Tokens) -> Tokens:
        """Without the concepts that no document has: what only sounds like one of them says nothing."""
        return {token: weight for token, weight in said.items() if token[0] != "@" or token in self._idf}

    def _match(self, said: Tokens) -> dict[int, float]:
        """Score by document: how well the best phrase fits, and how much of the question the document covers."""
        unknown = math.log(1 + len(self._documents))
        mass = sum(weight * self._idf.get(token, unknown) for token, weight in said.items())
        phrases: dict[int, float] = defaultdict(float)
        covered: dict[int, float] = defaultdict(float)
        for token, weight in said.items():
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
            - (_UNASKED if self._actions[n] and said.keys().isdisjoint(self._actions[n]) else 0.0)
            for n, part in covered.items()
        }

    def _latin(self, asked: str) -> dict[int, float]:
        """Score by document for letters: as initials, as initials of a known word, as pinyin, as themselves."""
        scores = self._by_initials(asked)
        for place, score in self._spelled.search(asked).items():
            phrase = self._phrases[place]
            for n in phrase.documents:
                scores[n] = max(scores.get(n, 0.0), phrase.factor * score)
        for factor, said in self._readings(asked):
            for n, score in self._match(said).items():
                scores[n] = max(scores.get(n, 0.0), factor * score)
        return scores

    def _readings(self, asked: str) -> Iterator[tuple[float, Tokens]]:
        """What letters may say, and how surely."""
        yield 1.0, bag(asked)
        initials = vocabulary().initials
        for concept in sorted(self._meant(concepts(initials.get(asked, ())))):
            yield _MEANT, {concept: CONCEPT}
        if len(asked) > 1:
            longer = (meant for letters, meant in initials.items() if letters.startswith(asked))
            begun = dict.fromkeys(concept for meant in longer for concept in sorted(self._meant(concepts(meant))))
            for concept in islice(begun, _TRIED):
                yield _BEGUN, {concept: CONCEPT}
        ways, rest = cut(asked, self._idf)
        for way in ways:
            yield _TYPING if rest else 1.0, self._meant(spoken(way))

    def _by_initials(self, asked: str) -> dict[int, float]:
        scores = self._initials.names(asked)
        few = asked[:_FEW]
        pieces = (few[start:end] for start in range(len(few)) for end in range(start + 2, len(few) + 1))
        actions = concepts(meant for piece in pieces for meant in vocabulary().initials.get(piece, ())).keys()
        for n, score in self._initials.in_a_row(few).items():
            unasked = self._actions[n] and actions.isdisjoint(self._actions[n])
            scores[n] = max(scores.get(n, 0.0), score - (_UNASKED_LETTERS if unasked else 0.0))
        return scores


def _is_letters(text: str) -> bool:
    return text.isascii() and text.isalpha()


def _cuts(text: str) -> frozenset[int]:
    """The places in the initials of a text of the catalogue where known words, and it itself, begin and end."""
    at, cuts = 0, {0}
    for word, _, meant in spans(plain(text), asked=False):
        start, at = at, at + len(initials_of(word))
        if meant:
            cuts |= {start, at}
    return frozenset({*cuts, at})


def _rarity(places: Iterable[tuple[int, Tokens]], documents: int) -> Tokens:
    """The inverse document frequency of each token."""
    seen: dict[str, set[int]] = defaultdict(set)
    for n, said in places:
        for token in said:
            seen[token].add(n)
    return {token: math.log(1 + documents / len(holders)) for token, holders in seen.items()}


def _inverted(bags: Iterable[Tokens]) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for n, said in enumerate(bags):
        for token, weight in said.items():
            found[token].append((n, weight))
    return dict(found)


def _prior(document: Matter | Bundle) -> float:
    """What is asked for often comes first among equals; at most _PRIOR."""
    share = document.share if isinstance(document, Matter) else 0.5
    return _PRIOR * math.log1p(share) / math.log1p(30)
