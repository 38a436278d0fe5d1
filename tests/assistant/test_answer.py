from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracer.assistant.answer import MOST_TOKENS, Answer, Item, Told, tokens
from tracer.assistant.outside import NOTICE


def size(told: Told) -> int:
    return tokens(told.text) + tokens(json.dumps(told.content, ensure_ascii=False))


def test_what_is_not_ascii_is_one_token_a_byte_and_ids_and_numbers_have_more_than_words() -> None:
    assert [tokens(text) for text in ("", "abc defgh", "ABC", "123456", "é日\U00012000")] == [0, 2, 3, 5, 9]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("✓ RM_W6kiMNdLgT8n «blue-2», 2026-11-26T20:31:49Z, 1 caller, 1 agent, ready after 1.5 s", 48),
        ("✓ RM_g93LEhYzKprB «node», 2026-11-27T07:31:53Z, 1 caller, 1 agent, ready after 1.1 s", 45),
    ],
)
def test_the_densest_lines_are_counted_as_tokenizers_do(text: str, counted: int) -> None:
    """``counted`` is what o200k_base or cl100k_base counts, whichever is more, of lines of recorded calls."""
    assert counted <= tokens(text) < 1.5 * counted


def test_pages_have_every_item_once_and_lead_to_the_next() -> None:
    items = [Item(f"moment {number} {'x' * 40}") for number in range(100)]
    answer = Answer(
        ["head"], {"room": "RM_1"}, items, "moments", 'timeline(room="RM_1", page={page})', following=["why()"]
    )
    seen: list[str] = []
    page = 1
    while True:
        told = answer.page(page)
        assert not told.is_error
        assert size(told) <= MOST_TOKENS
        assert told.text.startswith("head\n")
        assert told.text.endswith(NOTICE)
        assert [line for line in told.text.splitlines() if line.startswith("moment")] == told.content["moments"]
        seen += told.content["moments"]
        if "more" not in told.content:
            break
        page += 1
        assert f'timeline(room="RM_1", page={page})' in told.content["next"]
    assert seen == [item.text for item in items]
    assert page >= 3
    beyond = answer.page(page + 1)
    assert (beyond.is_error, beyond.text.split("\n")[0]) == (
        True,
        f"There is no page {page + 1}: page {page} is the last.",
    )


LISTS = st.lists(st.text(max_size=3000), max_size=6)
CONTENTS = st.one_of(st.none(), st.dictionaries(st.sampled_from(["a", "b", "c"]), LISTS | st.text(max_size=3000)))


@given(st.lists(st.text(max_size=2000), max_size=2), st.lists(st.tuples(st.text(max_size=5000), CONTENTS), max_size=5))
def test_an_answer_is_never_longer(head: list[str], items: list[tuple[str, Any]]) -> None:
    answer = Answer(
        [*head, *head][:4], {"a": head, "b": "".join(head)}, [Item(*item) for item in items], again="x(page={page})"
    )
    for page in range(1, len(items) + 2):
        assert size(answer.page(page)) <= MOST_TOKENS


@pytest.mark.parametrize(
    "long", ["日" * 5000, "x" * 5000, '"\\' * 3000, "«" + "x" * 5000], ids=["wide", "long", "escaped", "open"]
)
def test_an_item_that_is_too_long_is_cut_and_its_mark_closed(long: str) -> None:
    told = Answer([long], {"summary": long}, [Item(long, {"sentence": long, "evidence": [long] * 4})]).page(1)
    assert size(told) <= MOST_TOKENS
    assert told.text.count("«") - NOTICE.count("«") == told.text.count("»") - NOTICE.count("»")
    assert told.content["items"][0]["sentence"].rstrip("»").endswith("…")


def test_an_empty_answer_is_its_head() -> None:
    told = Answer(["nothing is known"]).page(1)
    assert told.text == f"nothing is known\n{NOTICE}"
    assert Answer(["nothing is known"]).page(2).is_error
