"""What is kept for a configuration's tables is kept by everything it was asked with."""

import pytest

from queue_server.domain.kept import kept


class Tables:
    """Anything that can be referred to weakly."""


def test_an_answer_is_made_once_for_each_question_and_never_for_what_is_no_part_of_it() -> None:
    made = []

    @kept(8)
    def name(of: Tables, language: str) -> str:
        made.append(language)
        return language.upper()

    tables, others = Tables(), Tables()
    assert [name(tables, "zh"), name(tables, "zh"), name(tables, "en"), name(others, "zh")] == ["ZH", "ZH", "EN", "ZH"]
    assert made == ["zh", "en", "zh"]
    with pytest.raises(TypeError):
        name(tables, language="en")  # type: ignore[call-arg]
