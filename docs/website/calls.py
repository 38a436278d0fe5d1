"""A page for each kind of moment, rule and cause, made from the texts that the commands show."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING

from docs.website.markdown import prose, sentence, table
from tracer import keys
from tracer.check import RULES
from tracer.check.rule import PairRule
from tracer.demo.failures import FAILURES
from tracer.explain import words
from tracer.explain.entry import Group
from tracer.timeline.precedence import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracer.check import Rule
    from tracer.kinds import Kind
    from tracer.livekit_sources import Source
    from tracer.why.cause import Cause

__all__ = ["cause", "documented_keys", "key_table", "kind", "rule", "rule_table", "word_table"]


def cause(one: Cause) -> str:
    """The page of a cause."""
    calls = [
        (f"`tracer demo {name}`", prose(made.question)) for name, made in FAILURES.items() if made.cause == one.name
    ]
    parts = [
        f"# {one.name}",
        f"**{sentence(one.about)}**",
        f"What people notice: {prose(one.symptom.label)}.",
        f"## What happens, and how it is known\n\n{_docstring(one)}",
        f"## What to do\n\n{prose(one.advice)}",
    ]
    if one.said:
        parts.append(f"Where LiveKit says how it comes to do this: {_sources(one.said)}.")
    if calls:
        parts.append(f"## Make it for real\n\n{table(('command', 'what people ask then'), calls)}")
    return "\n\n".join([*parts, "[All causes](../causes.md#all-causes), [how `tracer why` works](../causes.md)"]) + "\n"


def kind(one: Kind) -> str:
    """The page of a kind of moment."""
    info = one.info
    before = {pair.cause: None for pair in TABLE if pair.effect is one}
    after = {pair.effect: None for pair in TABLE if pair.cause is one}
    guarantees = {pair.guarantee for pair in TABLE if one in (pair.cause, pair.effect)}
    rules = [f"[{found.number}, {found.name}](../rules/{found.name}.md)" for found in RULES if found.name in guarantees]
    rows = [
        ("shown as", prose(info.phrase.format(who="ada"))),
        ("caused by", prose(info.cause)),
        ("what comes next", prose(info.following)),
        ("common mistake", prose(info.mistake)),
        ("who reports it, and what its time is", prose(info.source)),
        ("cannot come before", _kinds(before)),
        ("cannot come after", _kinds(after)),
        ("judged by rule", "; ".join(rules)),
        ("where LiveKit says so", _sources(info.said)),
    ]
    known = table(("", ""), [row for row in rows if row[1]])
    return (
        f"# {one}\n\n{prose(info.meaning)}\n\n{known}\n[All kinds](../moments.md), [the lifecycle](../lifecycle.md)\n"
    )


def _kinds(kinds: Iterable[Kind]) -> str:
    return ", ".join(f"[`{one}`]({one}.md)" for one in kinds)


def _sources(said: Iterable[Source]) -> str:
    return "; ".join(f"[{prose(one.text)}]({one.url})" if one.url else prose(one.text) for one in said)


def rule(one: Rule) -> str:
    """The page of a rule."""
    parts = [f"# Rule {one.number}: {one.name}", f"**{sentence(one.sentence)}**", _docstring(one)]
    parts.append(f"Inconclusive when {prose(one.missing)}.")
    if one.believed:
        parts.append(f"Believed, and not guaranteed: {prose(one.believed)}")
    if one.said:
        parts.append(f"Where LiveKit says so: {_sources(one.said)}.")
    if isinstance(one, PairRule):
        effects: dict[Kind, dict[Kind, None]] = {}
        for pair in TABLE:
            if pair.guarantee is one.name:
                effects.setdefault(pair.cause, {})[pair.effect] = None
        link = "[`{0}`](../kinds/{0}.md)"
        rows = [(link.format(first), ", ".join(link.format(then) for then in last)) for first, last in effects.items()]
        parts.append(f"## What cannot come after what\n\n{table(('this', 'never comes after'), rows)}")
    return "\n\n".join([*parts, "[All rules](../rules.md), [what must hold](../lifecycle.md#what-must-hold)"]) + "\n"


def rule_table() -> str:
    """The page that lists the rules."""
    rows = [
        (str(one.number), f"[`{one.name}`](rules/{one.name}.md)", prose(one.sentence), prose(one.missing))
        for one in RULES
    ]
    return (
        "# Rules\n\nWhat `tracer check` holds each room to. Each rule passes, fails or is inconclusive.\n\n"
        + table(("", "rule", "what must hold", "inconclusive when"), rows)
        + "\n[What must hold, and what is only believed](lifecycle.md#what-must-hold),"
        + " [the command](commands/check.md)\n"
    )


def word_table() -> str:
    """The page of all words that are explained and have no page of their own."""
    parts = [
        "# Words\n\nWhat `tracer explain` says of what there is in a call, and of states, gaps, owners and columns."
    ]
    own_pages = (Group.MOMENT, Group.CAUSE, Group.RULE)
    for group in (one for one in Group if one not in own_pages):
        heading = f"{group.label[:1].upper()}{group.label[1:]}"
        said = [
            (
                f"`{one.word}`",
                " ".join(prose(text) for text in (one.meaning, one.caused_by, one.following, one.mistake) if text),
                _sources(one.sources),
            )
            for one in words()
            if one.group is group
        ]
        parts.append(f"## {heading}\n\n{table(('word', 'what it means', 'where LiveKit says so'), said)}")
    return "\n\n".join(parts)


def key_table() -> str:
    """The page that lists the keys of facts and spans' attributes."""
    rows = [
        (f"`{key}`", prose(text), "yes" if keys.is_personal(key) else "") for key, text in documented_keys().items()
    ]
    text = inspect.getdoc(keys) or ""
    return f"# Keys\n\n{prose(text)}\n\n{table(('key', 'what it is', 'personal data'), rows)}"


def documented_keys() -> dict[str, str]:
    """Each key with what is written beneath it in ``tracer/keys.py``; empty where nothing is."""
    body = ast.parse(inspect.getsource(keys)).body
    texts: dict[str, str] = {}
    for one, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
            found = below.value.value if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) else ""
            texts[getattr(keys, one.target.id)] = str(found)
    return texts


def _docstring(one: object) -> str:
    return prose(inspect.getdoc(type(one)) or "")
