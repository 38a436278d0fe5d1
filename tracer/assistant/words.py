"""What a word of a timeline, of `tracer why` or of `tracer check` means, from where it is described."""

from __future__ import annotations

import inspect
from difflib import get_close_matches

from tracer.check import RULES
from tracer.kinds import Kind
from tracer.why import CAUSES

__all__ = ["nearest", "words"]

NEAR = 0.6
"""How alike, up to 1, a word has to be that is offered instead."""


def words(word: str) -> list[tuple[str, dict[str, str]]]:
    """What goes by this word, each with what is described of it, by what that is; empty for an unknown word."""
    wanted = _plain(word)
    found: list[tuple[str, dict[str, str]]] = []
    for kind in Kind:
        info = kind.info
        if wanted in (_plain(kind.value), _plain(info.phrase), _plain(info.phrase.replace("{who}", ""))):
            told = {
                "meaning": info.meaning,
                "caused by": info.cause,
                "next": info.following,
                "reported by": info.source,
            }
            found.append((f"{kind.value} (a moment)", told))
    for cause in CAUSES:
        if wanted == _plain(cause.name):
            how = " ".join((inspect.getdoc(type(cause)) or "").split())
            told = {"symptom": cause.symptom.label, "meaning": cause.about, "known by": how, "do": cause.advice}
            found.append((f"{cause.name} (a cause)", told))
    for rule in RULES:
        if wanted in (_plain(rule.name), str(rule.number), f"rule {rule.number}"):
            told = {"must hold": rule.sentence, "inconclusive when": rule.missing}
            found.append((f"rule {rule.number} {rule.name} (of `tracer check`)", told))
    return found


def nearest(word: str) -> list[str]:
    """Words that are known and look like this one."""
    known = [*(kind.value for kind in Kind), *(cause.name for cause in CAUSES), *(rule.name for rule in RULES)]
    inside = [one for one in known if len(word) > 2 and _plain(word) in _plain(one)]
    return list(dict.fromkeys([*inside, *get_close_matches(word.strip().lower(), known, 5, NEAR)]))[:8]


def _plain(word: str) -> str:
    return " ".join(word.strip().lower().replace("_", " ").replace("-", " ").split())
