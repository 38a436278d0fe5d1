from __future__ import annotations

from pathlib import Path

import pytest

from tracer.errors import ConfigurationError
from tracer.settings import (
    HERE,
    LiveKit,
    cache_dir,
    checked_url,
    default_store,
    load_env,
    otlp_endpoint,
    receiver_endpoint,
    where,
)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # Set before deleted, so that what a .env file brings is taken back too.
    for name in ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "TRACER_STORE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def keys(monkeypatch: pytest.MonkeyPatch, url: str = "") -> None:
    monkeypatch.setenv("LIVEKIT_API_KEY", "APIkey")
    monkeypatch.setenv("LIVEKIT_API_SECRET", "a secret nobody may read")
    if url:
        monkeypatch.setenv("LIVEKIT_URL", url)


@pytest.mark.parametrize("url", ["", "ws://127.0.0.1:7880", "wss://a.example", "http://127.0.0.1", "https://a.example"])
def test_a_server_from_the_environment(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    keys(monkeypatch, url)
    assert LiveKit.from_env() == LiveKit(url, "APIkey", "a secret nobody may read")


def test_blanks_around_a_url_are_not_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch, " ws://127.0.0.1:7880\n")
    assert LiveKit.from_env().url == "ws://127.0.0.1:7880"


@pytest.mark.parametrize("url", ["localhost:7880", "127.0.0.1", "ftp://a.example", "ws:/a.example", "two\nlines"])
def test_a_url_that_is_none_is_misuse_and_is_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    keys(monkeypatch, url)
    with pytest.raises(ConfigurationError) as error:
        LiveKit.from_env()
    assert repr(url) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "missing", [{"LIVEKIT_API_KEY"}, {"LIVEKIT_API_SECRET"}, {"LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"}]
)
@pytest.mark.parametrize("empty", [False, True])
def test_every_missing_key_is_named(monkeypatch: pytest.MonkeyPatch, missing: set[str], empty: bool) -> None:
    keys(monkeypatch)
    for name in missing:
        monkeypatch.delenv(name)
        if empty:
            monkeypatch.setenv(name, "")
    with pytest.raises(ConfigurationError) as error:
        LiveKit.from_env()
    assert {name for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if name in str(error.value)} == missing
    assert "nobody may read" not in str(error.value)


def test_the_secret_is_in_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    keys(monkeypatch)
    assert "nobody may read" not in f"{LiveKit.from_env()!r} {LiveKit.from_env()}"


def test_a_dotenv_file_of_this_folder_or_one_above_is_read_and_what_is_set_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LIVEKIT_API_KEY=from-file\nLIVEKIT_API_SECRET=from-file\nTRACER_STORE=there.db\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    monkeypatch.setenv("LIVEKIT_API_KEY", "set")
    load_env()
    assert LiveKit.from_env() == LiveKit("", "set", "from-file")
    assert default_store() == "there.db"


def test_without_a_dotenv_file_nothing_changes() -> None:
    load_env()
    with pytest.raises(ConfigurationError):
        LiveKit.from_env()


def test_the_store_is_where_the_environment_says_or_in_the_users_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Path(default_store()).is_absolute()
    assert Path(default_store()).name == "tracer.db"
    monkeypatch.setenv("TRACER_STORE", "here.db")
    assert default_store() == "here.db"


def test_built_servers_are_kept_outside_any_checkout() -> None:
    assert cache_dir().is_absolute()
    assert Path(__file__).parent.parent not in cache_dir().parents


def test_this_machine_has_several_names() -> None:
    assert {where(f"http://{name}:7890") for name in ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")} == {(HERE, 7890)}  # noqa: S104  looked for
    assert where("https://jaeger/v1/traces") == ("jaeger", 443)
    assert where("http://jaeger") == ("jaeger", 80)


def test_a_password_in_a_url_is_not_shown() -> None:
    with pytest.raises(ConfigurationError, match=r"X is '…@host:1': it must") as raised:
        checked_url("X", "jaeger://ada:s3cret@host:1", "http")
    assert "s3cret" not in str(raised.value)


def test_spans_go_where_opentelemetrys_own_variables_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    assert otlp_endpoint() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert otlp_endpoint() == "http://127.0.0.1:4318"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9999/v1/traces")
    assert otlp_endpoint() == "http://127.0.0.1:9999/v1/traces"


def test_an_agent_reports_to_what_it_was_given_then_to_what_is_set_then_to_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TRACER_ENDPOINT", raising=False)
    assert receiver_endpoint() == "http://127.0.0.1:7890"
    monkeypatch.setenv("TRACER_ENDPOINT", "https://tracer.example")
    assert receiver_endpoint() == "https://tracer.example"
    assert receiver_endpoint("http://127.0.0.1:1") == "http://127.0.0.1:1"
    with pytest.raises(ConfigurationError, match="TRACER_ENDPOINT"):
        receiver_endpoint("127.0.0.1:7890")
