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


def test_a_token_is_three_characters_and_what_is_not_ascii_is_two_each() -> None:
    assert [tokens(text) for text in ("", "abc", "abcd", "é日")] == [0, 1, 2, 4]


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
