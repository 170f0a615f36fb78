"""Answers worked out once for the tables of one configuration, and forgotten with them."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar, TypeVarTuple
from weakref import WeakKeyDictionary

Rest = TypeVarTuple("Rest")
Of = TypeVar("Of")
T = TypeVar("T")


def kept(most: int) -> Callable[[Callable[[Of, *Rest], T]], Callable[[Of, *Rest], T]]:
    """Remember up to `most` answers for each first argument, as long as that argument lives; beyond it they are made anew.

    The other arguments are positional and hashable. No answer may hold the first argument, which would then never go.
    """

    def wrap(make: Callable[[Of, *Rest], T]) -> Callable[[Of, *Rest], T]:
        answers: WeakKeyDictionary[Of, dict[object, T]] = WeakKeyDictionary()

        @wraps(make)
        def answer(of: Of, /, *rest: *Rest) -> T:
            known = answers.get(of)
            if known is None:
                known = answers[of] = {}
            elif rest in known:
                return known[rest]
            if len(known) >= most:
                known.clear()
            found = known[rest] = make(of, *rest)
            return found

        return answer

    return wrap
