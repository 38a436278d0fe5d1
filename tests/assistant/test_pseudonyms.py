from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from tracer.assistant.pseudonyms import BYTES, Pseudonyms, key_in

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_has_the_same_one_each_time_and_another_with_another_key(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    first, again = Pseudonyms(key_in(path)), Pseudonyms(key_in(path))
    assert first.identity("ada") == again.identity("ada")
    assert first.identity("ada") != first.identity("bob")
    assert first.identity("ada").partition("-")[2] != first.room("ada").partition("-")[2], "a room is nobody"
    assert first.identity("ada") != Pseudonyms(key_in(tmp_path / "other")).identity("ada")


def test_only_its_owner_reads_the_key(tmp_path: Path) -> None:
    path = tmp_path / "key"
    assert len(key_in(path)) == BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_that_cannot_be_kept_or_is_none_is_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert key_in(tmp_path / "file" / "key") != key_in(tmp_path / "file" / "key")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"short")
    assert len(key_in(damaged)) == BYTES
    assert damaged.read_bytes() == b"short", "it may be somebody else's"
