from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracer.configuration import KEYS, LARGEST, configured
from tracer.errors import ConfigurationError
from tracer.settings import default_store, load_env

ROOT = Path(__file__).parents[1]
EVERY = """
store = "traces/calls.db"
url = "wss://my-project.livekit.cloud"
api-key = "APIkey"
endpoint = "http://127.0.0.1:7999"
jaeger-url = "http://127.0.0.1:16686"
redact = true
"""


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with nothing of ours set, and the environment as it was afterwards."""
    monkeypatch.chdir(tmp_path)
    for key in KEYS.values():
        monkeypatch.setenv(key.variable, "")  # so that it is put back
        monkeypatch.delenv(key.variable)
    return tmp_path


def write(folder: Path, text: str, name: str = "tracer.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_each_key_stands_for_a_variable(clean: Path) -> None:
    write(clean, EVERY)
    assert configured(clean) == {
        "TRACER_STORE": str(clean / "traces" / "calls.db"),
        "LIVEKIT_URL": "wss://my-project.livekit.cloud",
        "LIVEKIT_API_KEY": "APIkey",
        "TRACER_ENDPOINT": "http://127.0.0.1:7999",
        "TRACER_JAEGER_URL": "http://127.0.0.1:16686",
        "TRACER_REDACT": "1",
    }
    assert set(configured(clean)) == {key.variable for key in KEYS.values()}


def test_the_nearest_file_counts_and_its_own_before_the_projects(clean: Path) -> None:
    deep = clean / "a" / "b"
    deep.mkdir(parents=True)
    assert configured(deep) == {}
    write(clean, "[project]\nname = 'x'\n[tool.tracer]\nredact = false\n", "pyproject.toml")
    assert configured(deep) == {"TRACER_REDACT": "0"}
    write(clean, "redact = true\n")
    assert configured(deep) == {"TRACER_REDACT": "1"}
    write(clean / "a", "[tool.ruff]\n", "pyproject.toml")
    assert configured(deep) == {"TRACER_REDACT": "1"}
    write(clean / "a", "", "tracer.toml")
    assert configured(deep) == {}


@pytest.mark.parametrize("store", ["postgresql://me@host/db", "none", "/var/lib/tracer.db"])
def test_a_store_elsewhere_is_taken_as_it_is(clean: Path, store: str) -> None:
    write(clean, f'store = "{store}"')
    assert configured(clean) == {"TRACER_STORE": store}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('stor = "x"', "unknown key 'stor': did you mean 'store'?"),
        ('jaeger_ur = "x"', "did you mean 'jaeger-url'?"),
        ("zzz = 1", "unknown key 'zzz': there are store, url, "),
        ("redact = 'yes'", "redact has to be true or false"),
        ("store = 3", "store has to be text in quotes"),
        ('store = "a\\u0000b"', "store has to be text in quotes"),
        ("store = ", "is not TOML"),
        ("[store]\nx = 1", "store has to be text in quotes"),
        ("a = " + "[" * 5000, "is not TOML"),
        ("# " + "x" * LARGEST, "is too large"),
        ("'\\n\x1b' = 1", "unknown key"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_the_file(clean: Path, text: str, said: str) -> None:
    path = write(clean, text)
    with pytest.raises(ConfigurationError) as error:
        configured(clean)
    assert said in str(error.value) or "is not TOML" in str(error.value)
    assert str(path) in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert "\x1b" not in str(error.value)


@pytest.mark.parametrize("name", ["api-secret", "LIVEKIT_API_SECRET", "read_token", "password"])
def test_a_secret_is_refused_and_not_shown(clean: Path, name: str) -> None:
    write(clean, f'{name} = "do-not-show-this"')
    with pytest.raises(ConfigurationError, match="is a secret") as error:
        configured(clean)
    assert "do-not-show-this" not in str(error.value)


def test_another_programs_broken_file_is_none_of_ours(clean: Path) -> None:
    write(clean, "[project\n", "pyproject.toml")
    assert configured(clean) == {}
    write(clean, "[tool.tracer]\n[project\n", "pyproject.toml")
    with pytest.raises(ConfigurationError, match="is not TOML"):
        configured(clean)


def test_the_environment_and_dotenv_come_first(clean: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(clean, 'store = "of-the-file.db"\njaeger-url = "http://file:1"\nurl = "ws://file:1"\n')
    write(clean, "TRACER_JAEGER_URL=http://dotenv:1\n", ".env")
    monkeypatch.setenv("LIVEKIT_URL", "ws://environment:1")
    load_env()
    assert default_store() == str(clean / "of-the-file.db")
    assert os.environ["TRACER_JAEGER_URL"] == "http://dotenv:1"
    assert os.environ["LIVEKIT_URL"] == "ws://environment:1"


def tracer(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith(("TRACER_", "LIVEKIT_"))}
    return subprocess.run(
        [sys.executable, "-m", "tracer", *arguments],
        cwd=folder,
        env={**known, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_command_takes_the_option_then_the_environment_then_the_file(clean: Path) -> None:
    write(clean, 'store = "of-the-file.db"')
    assert "of-the-file.db" in tracer(clean, "rooms").stderr
    assert "of-the-environment.db" in tracer(clean, "rooms", TRACER_STORE="of-the-environment.db").stderr
    given = tracer(clean, "rooms", "--store", "of-the-option.db", TRACER_STORE="of-the-environment.db")
    assert "of-the-option.db" in given.stderr


def test_a_command_says_in_one_line_what_is_wrong_with_the_file(clean: Path) -> None:
    path = write(clean, 'stor = "x"')
    ran = tracer(clean, "rooms")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == f"tracer: {path}: unknown key 'stor': did you mean 'store'?\n"
    assert tracer(clean, "--help").returncode == 0


def test_the_documentation_has_every_key() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for name, key in KEYS.items():
        assert f"| `{name}` | `{key.variable}` | {key.about} |" in text
