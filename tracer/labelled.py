"""A value for programs with its label for people."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["Labelled"]


class Labelled(StrEnum):
    """An enum whose members are slugs: what JSON and stores hold. Its label is what people read, and may change."""

    label: str

    def __new__(cls, slug: str, label: str = "") -> Self:
        """A member, written as ``NAME = "slug", "label"``; a look-up by its slug needs no label."""
        member = str.__new__(cls, slug)
        member._value_ = slug
        member.label = label
        return member
