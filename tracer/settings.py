"""What the user sets in the environment: each variable that tracer reads is read by one function here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from dotenv import find_dotenv, load_dotenv

from tracer.configuration import configured
from tracer.errors import ConfigurationError

__all__ = [
    "DEFAULT_ENDPOINT",
    "HERE",
    "LiveKit",
    "address",
    "cache_dir",
    "checked_url",
    "default_store",
    "demo_dir",
    "in_ci",
    "ingest_token",
    "jaeger_address",
    "learnt_file",
    "legend_marker",
    "load_env",
    "named_variables",
    "otlp_endpoint",
    "otlp_variable",
    "page_address",
    "pseudonym_key",
    "read_token",
    "receiver_endpoint",
    "service_name",
    "terminal_has_links",
    "where",
]

APP = "livekit-tracer"
DEFAULT_ENDPOINT = "http://127.0.0.1:7890"
"""Where `tracer serve` listens by default."""


@dataclass(frozen=True, slots=True)
class LiveKit:
    """The server's address and the key pair for it. ``url`` can be empty where only signatures are checked."""

    url: str
    api_key: str
    api_secret: str

    def __repr__(self) -> str:
        return f"LiveKit(url={self.url!r}, api_key={self.api_key!r}, api_secret=…)"

    @classmethod
    def from_env(cls, url: str | None = None) -> LiveKit:
        """From ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and ``LIVEKIT_API_SECRET``; ``url`` instead of the first.

        Raises ConfigurationError when a key is missing or the URL is not one.
        """
        missing = [name for name in ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET") if not os.environ.get(name)]
        if missing:
            raise ConfigurationError(
                f"{' and '.join(missing)} not set: export the key pair of your LiveKit server, or put it into .env"
            )
        url = (url or os.environ.get("LIVEKIT_URL", "")).strip()
        if url:
            checked_url("LIVEKIT_URL", url, "ws", "wss", "http", "https")
        return cls(url, os.environ["LIVEKIT_API_KEY"], os.environ["LIVEKIT_API_SECRET"])


def load_env() -> None:
    """Read ``.env`` from this folder or one above, as LiveKit's own examples do, then tracer's own file.

    Variables already set win. Raises ConfigurationError.
    """
    path = find_dotenv(usecwd=True)
    try:
        load_dotenv(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read {path}: {error}") from None
    for name, value in configured(Path.cwd()).items():
        os.environ.setdefault(name, value)


def checked_url(name: str, url: str, *schemes: str) -> str:
    """The URL itself. Raises ConfigurationError that names it when it has none of the schemes, no host, or port 0."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in schemes and parts.hostname is not None and parts.port != 0
    except ValueError:
        good = False
    if not good:
        wanted = " or ".join(f"{scheme}://HOST:PORT" for scheme in schemes)
        shown = "…@" * ("@" in url) + url.rpartition("@")[2]  # what precedes the @ can be a password
        raise ConfigurationError(f"{name} is {shown!r}: it must look like {wanted}")
    return url


def address(url: str) -> str:
    """A URL to show: without user, password and query, which can be secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


HERE = "localhost"
"""What ``where`` calls this machine."""


def where(url: str) -> tuple[str, int]:
    """Host and port that an HTTP URL leads to; for each of this machine's own names the host is ``HERE``."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    itself = host in ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104  looked for, not bound
    return HERE if itself else host, parts.port or (443 if parts.scheme == "https" else 80)


def receiver_endpoint(endpoint: str | None = None) -> str:
    """Where an agent reports to: ``endpoint``, else ``TRACER_ENDPOINT``, else ``DEFAULT_ENDPOINT``.

    Raises ConfigurationError when that is not an HTTP URL.
    """
    endpoint = endpoint or os.environ.get("TRACER_ENDPOINT") or DEFAULT_ENDPOINT
    return checked_url("the address of `tracer serve` (TRACER_ENDPOINT)", endpoint, "http", "https")


def ingest_token() -> str:
    """``TRACER_INGEST_TOKEN``: what agents send to show that they may report, and the receiver asks for. Secret."""
    return os.environ.get("TRACER_INGEST_TOKEN", "").strip()


def read_token() -> str:
    """``TRACER_READ_TOKEN``: what whoever opens the page has to enter, where it is set. Secret."""
    return os.environ.get("TRACER_READ_TOKEN", "").strip()


def otlp_endpoint(signal: str = "traces") -> str | None:
    """Where ``traces``, ``logs`` or ``metrics`` go, by OpenTelemetry's own variables; None when neither is set.

    Raises ConfigurationError when it is not an HTTP URL: OpenTelemetry's exporter would try it for ever.
    """
    for name in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        if url := os.environ.get(name):
            return checked_url(name, url, "http", "https")
    return None


def otlp_variable(name: str, signal: str = "traces", *, only_own: bool = False) -> str:
    """``OTEL_EXPORTER_OTLP_signal_name`` or, without it, ``OTEL_EXPORTER_OTLP_name``; empty without both."""
    own = os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_{name}", "")
    return own if own or only_own else os.environ.get(f"OTEL_EXPORTER_OTLP_{name}", "")


def service_name(default: str) -> str:
    """``OTEL_SERVICE_NAME`` or, without it, this."""
    return os.environ.get("OTEL_SERVICE_NAME", default)


def default_store() -> str:
    """``TRACER_STORE`` or, without it, a file in the user's state folder."""
    return os.environ.get("TRACER_STORE") or str(platformdirs.user_state_path(APP) / "tracer.db")


def demo_dir() -> Path:
    """Where the calls of `tracer demo` are kept, apart from the user's own rooms."""
    return platformdirs.user_state_path(APP) / "demos"


def learnt_file() -> Path:
    """The file with the steps of `tracer learn` that this user has done."""
    return platformdirs.user_state_path(APP) / "learnt"


def legend_marker() -> Path:
    """The file whose presence says that this user has seen the legend of a timeline."""
    return platformdirs.user_state_path(APP) / "legend-seen"


def named_variables() -> list[str]:
    """The variables that are set and that tracer or OpenTelemetry reads, by their names: values can be secrets."""
    return sorted(name for name in os.environ if name.startswith(("LIVEKIT_", "TRACER_", "OTEL_")))


def pseudonym_key() -> Path:
    """The file with the key of the pseudonyms that assistants get. Secret."""
    return platformdirs.user_state_path(APP) / "pseudonym-key"


def page_address() -> str:
    """``TRACER_ENDPOINT``: where `tracer serve` shows the page; empty where that is not set."""
    return os.environ.get("TRACER_ENDPOINT", "").strip()


def jaeger_address() -> str:
    """``TRACER_JAEGER_URL``: where Jaeger shows traces; empty where that is not set."""
    return os.environ.get("TRACER_JAEGER_URL", "").strip()


_WITH_LINKS = {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "WarpTerminal"}
"""Values of ``TERM_PROGRAM``."""


def terminal_has_links() -> bool:
    """Whether the terminal is one that shows OSC 8 links, by the variables that it sets.

    ``FORCE_HYPERLINK`` says so of any other, and 0 that this one does not. There is no way to ask a terminal.
    """
    known = os.environ
    if forced := known.get("FORCE_HYPERLINK"):
        return forced != "0"
    term = known.get("TERM", "")
    if term in ("", "dumb", "linux") or term.startswith(("screen", "tmux")):  # what is behind those is not known
        return False
    vte, konsole = known.get("VTE_VERSION", ""), known.get("KONSOLE_VERSION", "")
    return (
        known.get("TERM_PROGRAM") in _WITH_LINKS
        or term.startswith(("xterm-kitty", "xterm-ghostty", "foot", "alacritty", "wezterm"))
        or bool(known.get("WT_SESSION") or known.get("DOMTERM"))
        or (vte.isdigit() and int(vte) >= 5000)  # 0.50.0
        or (konsole.isdigit() and int(konsole) >= 201200)
    )


def in_ci() -> bool:
    """Whether this is continuous integration: ``CI`` is set, as GitHub's, GitLab's and others' runners do."""
    return bool(os.environ.get("CI"))


def cache_dir() -> Path:
    """Where built binaries are cached, outside any checkout."""
    return platformdirs.user_cache_path(APP)
