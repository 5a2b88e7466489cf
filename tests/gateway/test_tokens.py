"""The estimate of tokens. The true counts are those of o200k_base."""

from __future__ import annotations

import pytest

from gptbuilder.gateway import tokens
from gptbuilder.gateway.types import AssistantMessage, Image, ToolCall, UserMessage


@pytest.mark.parametrize(
    ("text", "true_count"),
    [
        ("The quick brown fox jumps over the lazy dog. It was a bright cold day in April.", 19),
        ("我想做一个帮助学生准备历史考试的助手，它应该先提问，然后给出简短的解释。", 24),
        ('[{"id": 1, "name": "item 1", "price": 3.7}, {"id": 2, "name": "item 2", "price": 7.4}]', 45),
        ("def add(left: int, right: int) -> int:\n    return left + right\n", 19),
    ],
)
def test_an_estimate_is_near_the_truth(text: str, true_count: int) -> None:
    assert 0.8 * true_count <= tokens.count(text) <= 1.6 * true_count


def test_nothing_costs_nothing_and_a_letter_costs_a_token() -> None:
    assert (tokens.count(""), tokens.count("a")) == (0, 1)


def test_a_message_costs_more_than_its_text() -> None:
    plain = tokens.count_message(UserMessage("Hello"))

    assert plain > tokens.count("Hello")
    assert tokens.count_message(UserMessage("Hello", (Image("image/png", b""),))) > plain + 100
    assert tokens.count_message(AssistantMessage("", (ToolCall("1", "weather", '{"city": "Paris"}'),))) > 8
