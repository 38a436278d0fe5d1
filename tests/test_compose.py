"""What docker-compose.yml and the files beside it promise. That it runs is shown in tests/live/test_compose.py."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with livekit-agents, its types do not

from tests.composing import COMPOSE, EXAMPLE, ROOT, VARIABLE, composed, example, start_order
from tracer.local_servers import child_environment, free_port, jaeger, livekit
from tracer.store import shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
SHARED = ROOT / "deploy" / "shared.yml"
RECEIVERS = ("tracer", "tracer-2", "tracer-3")
TEXT = COMPOSE.read_text(encoding="utf-8")
SERVICES: dict[str, Any] = composed(TEXT, example())["services"]
OURS = ("tracer", "agent")
each = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def config(name: str) -> Any:
    return yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))


def dockerfile() -> dict[str, list[str]]:
    """Each stage's instructions."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
    stages: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("FROM "):
            stages[line.split()[-1]] = instructions = [line]
        elif line and not line.startswith("#"):
            instructions.append(line)
    return stages


def test_the_services_are_these() -> None:
    assert set(SERVICES) == {"livekit-server", "tracer", "agent", "jaeger"}


@each
def test_ports_are_published_on_loopback_only(service: dict[str, Any]) -> None:
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:(\d+):\1(/udp)?", port)
    assert service.get("network_mode") is None


@each
def test_nobody_is_root_or_can_become_it(service: dict[str, Any]) -> None:
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "devices", "pid", "ipc", "userns_mode"}


@each
def test_what_is_mounted_is_a_file_of_this_repository_and_cannot_be_written(service: dict[str, Any]) -> None:
    for volume in service.get("volumes", []):
        source, target, *mode = volume.split(":")
        if source.startswith("."):
            assert (ROOT / source).is_file()
            assert mode == ["ro"]
        else:
            assert source in yaml.safe_load(TEXT)["volumes"]
            assert f" {target}" in dockerfile()["runtime"][1], "a new volume gets its owner from the image"


@each
def test_health_is_asked_with_what_the_image_has(service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    how, program, *arguments = check["test"]
    assert how == "CMD"
    assert check.keys() >= {"interval", "timeout", "retries", "start_period"}
    if "build" in service:  # slim: Python and nothing else
        assert [program, *arguments[:3]] == ["python", "-I", "-S", "/opt/healthy.py"]
        assert "COPY deploy/healthy.py /opt/healthy.py" in dockerfile()["runtime"]
    else:  # Alpine: BusyBox
        assert program == "wget"
    assert arguments[-1].startswith("http://127.0.0.1:")


def test_each_is_started_when_what_it_needs_is_healthy() -> None:
    for service in SERVICES.values():
        assert all(needed == {"condition": "service_healthy"} for needed in service.get("depends_on", {}).values())
    assert start_order(SERVICES)[-2:] == ["tracer", "agent"]


def test_images_are_pinned() -> None:
    images = {name: service["image"] for name, service in SERVICES.items() if "image" in service}
    assert images == {"livekit-server": livekit.IMAGE, "jaeger": jaeger.IMAGE}
    bases = {stage[0].split()[1] for stage in dockerfile().values()} - set(dockerfile())
    assert bases == {"python:3.12-slim"}


def test_there_is_no_key_but_in_the_example() -> None:
    secret = example()["LIVEKIT_API_SECRET"]
    assert "development" in secret
    assert "DEVELOPMENT ON ONE MACHINE ONLY" in EXAMPLE.read_text(encoding="utf-8")
    assert len(secret) >= 32
    for path in (COMPOSE, ROOT / "Dockerfile", *(ROOT / "deploy").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert secret not in text
        assert "devkey" not in text
    assert "keys" not in config("livekit.yaml")
    assert "api_key" not in config("livekit.yaml")["webhook"]


@pytest.mark.parametrize(
    "missing", ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "TRACER_INGEST_TOKEN", "TRACER_READ_TOKEN"]
)
def test_without_a_key_nothing_starts(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        composed(TEXT, example() | {missing: ""})


def test_every_variable_of_the_user_is_in_the_example() -> None:
    services = yaml.safe_load(TEXT)["services"].values()
    passed_on = {n for service in services for n, value in service.get("environment", {}).items() if value is None}
    known = re.findall(r"^#?([A-Z_]+)=", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    beside = {"LIVEKIT_URL"}  # of programs that run beside a server, as in the README; here the services have their own
    assert set(VARIABLE.findall(TEXT)) | passed_on | beside == set(known)
    assert "$" not in VARIABLE.sub("", TEXT), "a variable in another form"


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_ours_is_one_that_its_program_reads(name: str) -> None:
    service = yaml.safe_load(TEXT)["services"][name]
    sources = [*(ROOT / "tracer").rglob("*.py"), ROOT / "agent" / "agent.py"]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    of_others = {"OPENAI_BASE_URL"}  # read by OpenAI's own client
    assert not [variable for variable in service["environment"].keys() - of_others if variable not in text]


@pytest.mark.parametrize("name", OURS)
def test_the_images_are_small_run_as_nobody_and_get_signals(name: str) -> None:
    stages, service = dockerfile(), SERVICES[name]
    assert service["build"] == {"context": ".", "target": name}
    stage = stages[name]
    assert stage[0] == f"FROM runtime AS {name}"
    assert json.loads(stage[-1].removeprefix("CMD ")) == service["command"], "no shell between Docker and the program"
    assert stages["runtime"][-1] == f"USER {service['user']}"
    assert not [line for line in stages["runtime"] + stage if "pip " in line]
    assert not re.search("KEY|SECRET|TOKEN|PASSWORD", " ".join(line for lines in stages.values() for line in lines))


def test_packages_are_those_of_the_lock() -> None:
    stages = dockerfile()
    [download] = [line for line in stages["wheels"] if "pip download" in line]
    assert "--require-hashes" in download
    assert "-r requirements.lock" in download
    after = stages["wheels"][stages["wheels"].index(download) + 1 :]
    assert after[0] == "ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels"


def test_the_build_sees_what_it_copies_and_nothing_else() -> None:
    copied = {
        source
        for stage in dockerfile().values()
        for line in stage
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }
    rules = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in ("", "#")
    ]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert "**/.env*" in rules
    assert all((ROOT / source).exists() for source in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied, "the wheel is whole"


def test_livekit_tells_the_tracer_and_callers_on_this_machine_find_it() -> None:
    server, published = config("livekit.yaml"), SERVICES["livekit-server"]["ports"]
    assert server["webhook"]["urls"] == ["http://tracer:7890/webhook"]
    assert server["rtc"]["node_ip"] == "127.0.0.1"
    assert "enable_loopback_candidate" not in server["rtc"], "then neither callers nor agents reach a container"
    ports = [f"{server['port']}", f"{server['rtc']['tcp_port']}", f"{server['rtc']['udp_port']}/udp"]
    assert published == [f"127.0.0.1:{port.removesuffix('/udp')}:{port}" for port in ports]
    assert SERVICES["agent"]["environment"]["LIVEKIT_URL"] == f"ws://livekit-server:{server['port']}"


def test_jaeger_has_our_pages_and_takes_our_spans() -> None:
    extensions = config("jaeger.yaml")["extensions"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["jaeger"]["volumes"])
    assert mounts["./dashboards/jaeger-ui.json"] == extensions["jaeger_query"]["ui"]["config_file"]
    otlp = config("jaeger.yaml")["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    target = SERVICES["tracer"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert target.rpartition(":")[2] == otlp.rpartition(":")[2]
    assert extensions["healthcheckv2"]["http"]["endpoint"] in SERVICES["jaeger"]["healthcheck"]["test"][-1]


@pytest.fixture
def compose() -> list[str]:
    """Debian's docker-compose or Docker's own; neither needs an engine to read a file."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if shutil.which("docker") and not subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:  # noqa: PLW1510
        return ["docker", "compose"]
    missing = "neither docker-compose nor Docker's compose: on Debian and Ubuntu, apt-get install docker-compose"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


def test_compose_reads_it_as_we_do(compose: list[str]) -> None:
    command = [*compose, "-f", str(COMPOSE), "--env-file", str(EXAMPLE), "config"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    read = yaml.safe_load(done.stdout)["services"]
    assert read.keys() == SERVICES.keys()
    for name, service in read.items():
        environment = {key: value for key, value in service.get("environment", {}).items() if value is not None}
        assert environment == SERVICES[name]["environment"]
        assert service["command"] == SERVICES[name]["command"]
        assert service["healthcheck"]["test"] == SERVICES[name]["healthcheck"]["test"]


def test_with_a_database_three_receivers_share_it_and_the_file_is_gone(compose: list[str]) -> None:
    files = ["-f", str(COMPOSE), "-f", str(SHARED)]
    command = [*compose, *files, "--env-file", str(EXAMPLE), "config"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    first, *others = (services[name] for name in RECEIVERS)
    postgres, balancer = services["postgres"], services["balancer"]
    assert {*RECEIVERS, "postgres", "balancer"} | SERVICES.keys() == services.keys()
    for one in others:
        assert one["environment"] == first["environment"]
        assert one["command"] == first["command"]
        assert one["healthcheck"] == first["healthcheck"]
        assert "ports" not in one
    assert {**SERVICES["tracer"]["environment"], "TRACER_STORE": ""} == {**first["environment"], "TRACER_STORE": ""}
    location, password = first["environment"]["TRACER_STORE"], postgres["environment"]["POSTGRES_PASSWORD"]
    assert location.startswith("postgresql://")
    assert f":{password}@postgres:" in location
    assert password not in shown(location)
    assert "--store" not in first["command"], "the variable says where"
    for service in (postgres, balancer, *others):
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"]
        assert service["user"]
    nginx = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    assert set(re.findall(r"server ([\w-]+):7890", nginx)) == set(RECEIVERS)


def test_the_servers_and_agents_go_through_the_balancer() -> None:
    files = yaml.safe_load(SHARED.read_text(encoding="utf-8"))["services"]
    assert files["agent"]["environment"]["TRACER_ENDPOINT"] == "http://balancer:7890"
    hook = config("livekit.shared.yaml")["webhook"]["urls"]
    assert hook == ["http://balancer:7890/webhook"]
    settings = config("livekit.yaml")
    settings["webhook"]["urls"] = hook
    assert config("livekit.shared.yaml") == settings, "nothing else differs"


def test_compose_refuses_to_start_without_keys(compose: list[str], tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    command = [*compose, "-f", str(COMPOSE), "--env-file", str(empty), "config"]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "deploy/.env.example" in done.stderr


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as answering:
        thread = Thread(target=answering.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()
        thread.join()


def healthy(url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(ROOT / "deploy" / "healthy.py"), url]
    proxy = {"http_proxy": "http://127.0.0.1:1"}
    return subprocess.run(
        command, env=child_environment() | proxy, capture_output=True, text=True, check=False, timeout=20
    )


def test_healthy_is_who_answers_200(server: str) -> None:
    assert healthy(f"{server}/healthz").returncode == 0
    assert healthy(f"{server}/ill").returncode == 1
    nobody = healthy(f"http://127.0.0.1:{free_port()}/healthz")
    assert nobody.returncode == 1
    assert "Traceback" not in nobody.stderr
