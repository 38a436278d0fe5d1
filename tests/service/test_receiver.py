from __future__ import annotations

import asyncio
import gzip
import itertools
import subprocess
import sys
import threading
import zlib
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.moments import ADA, JOB, ROOM, WORKER, call, moment, ms
from tests.otlp import OURS, as_json, job, registered, request
from tests.otlp_backend import OtlpBackend, Reply
from tests.receiving import LIMIT, Client, receiving, talk, until
from tests.signed import EVENTS, SERVER, TURN_PASSWORD, ada, body, event, room, token
from tracer import keys
from tracer.errors import PortInUseError, StoreError, TracerError
from tracer.moment import Kind
from tracer.service.bodies import LARGEST_BODY
from tracer.service.receiver import Receiver
from tracer.service.recording import Recorder
from tracer.service.replay import replay
from tracer.store import Arrival, Evidence
from tracer.store.sqlite import SqliteReader, SqliteStore
from tracer.timeline.fold import fold
from tracer.witness import agent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from livekit.protocol.webhook import WebhookEvent

PROTOBUF = "application/x-protobuf"


def rows(path: Path, room: str = ROOM) -> int:
    """How many moments another process would find there now."""
    with closing(SqliteReader(path)) as reader:
        return len(reader.moments(room))


def test_a_webhook_is_on_disk_when_it_is_answered(path: Path) -> None:
    async def test(client: Client) -> None:
        found = [rows(path)]
        for what in EVENTS:
            assert await client.webhook(what) == 200
            found.append(rows(path))
        assert all(before < after for before, after in itertools.pairwise(found))

    talk(path, test)


def test_a_whole_call_by_webhooks_is_a_timeline(path: Path) -> None:
    async def test(client: Client) -> None:
        assert {await client.webhook(what) for what in EVENTS} == {200}
        timeline = fold(ROOM, client.store.moments(client.store.find("demo")))
        (who,) = timeline.participants
        assert (who.identity, who.state) == ("ada", "DISCONNECTED")
        assert timeline.room.finished

    talk(path, test)


@pytest.mark.parametrize("content_type", [PROTOBUF, "application/json", "application/json; charset=utf-8"])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "GZIP", "identity"])
def test_an_agents_spans_are_on_disk_when_they_are_answered(path: Path, content_type: str, encoding: str) -> None:
    made = request(*job())
    raw = made.SerializeToString() if content_type == PROTOBUF else as_json(made)
    packed = {"gzip": gzip.compress(raw), "deflate": zlib.compress(raw)}.get(encoding.lower(), raw)

    async def test(client: Client) -> None:
        headers = {"Content_Encoding": encoding} if encoding else {}
        status, answer = await client.post("/v1/traces", packed, Content_Type=content_type, **headers)
        assert (status, answer) == (200, "" if content_type == PROTOBUF else "{}")
        told = agent.arrival(made).moments
        assert rows(path) == len(set(told)) > 0
        assert await client.metrics() | {"otlp_spans": len(job()), "moments": len(told)} == await client.metrics()

    talk(path, test)


def test_what_a_worker_says_of_itself_is_kept_under_no_room(path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post("/v1/traces", request(registered(), scope=OURS).SerializeToString(), Content_Type=PROTOBUF)
        assert [m.subject for m in client.store.moments("")] == [WORKER]

    talk(path, test)


def test_a_webhook_that_is_not_signed_is_refused_and_counted(path: Path) -> None:
    async def test(client: Client) -> None:
        raw = body(EVENTS[0])
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": token(body(EVENTS[1]))}):
            status, text = await client.post("/webhook", raw, **headers)
            assert status == 401
            assert text.count("\n") == 1
        assert rows(path) == 0
        assert (await client.metrics())["webhooks_refused"] == 3

    talk(path, test)


@pytest.mark.parametrize(
    ("address", "raw"), [("/webhook", b"{"), ("/webhook", b"\xff"), ("/v1/traces", b"\xff"), ("/v1/traces", b"{}")]
)
def test_what_cannot_be_read_is_refused_for_good(path: Path, address: str, raw: bytes) -> None:
    async def test(client: Client) -> None:
        # 4xx: LiveKit and OpenTelemetry do not send it again.
        status, text = await client.post(address, raw, Authorization=token(raw), Content_Type=PROTOBUF)
        assert status == 400
        assert text.endswith("\n")
        assert (await client.metrics())["malformed"] == 1

    talk(path, test)


@pytest.mark.parametrize(
    ("encoding", "raw"),
    [
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"cut off" * 100)[:-9]),
        ("gzip", gzip.compress(b"") + b"and more"),
        ("gzip", b""),
        ("deflate", b"not deflate"),
        ("br", b"not known here"),
        ("gzip, gzip", gzip.compress(gzip.compress(b""))),
    ],
    # Without names of our own the bytes are the tests' names, and gzip writes the time into them.
    ids=["not-gzip", "cut-off", "more-after-the-end", "empty", "not-deflate", "unknown-encoding", "twice"],
)
def test_a_body_that_cannot_be_unpacked_is_refused_and_the_connection_goes_on(
    path: Path, encoding: str, raw: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(client: Client) -> None:
        for address in ("/v1/traces", "/webhook"):
            headers = {"Content_Encoding": encoding, "Content_Type": PROTOBUF, "Authorization": token(raw)}
            status, text = await client.post(address, raw, **headers)
            assert (status, "body" in text or "not supported" in text) == (400, True)
        assert await client.webhook(EVENTS[0]) == 200

    talk(path, test)
    assert [record for record in caplog.records if record.exc_info] == []


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Sending a large body")
def test_a_body_may_be_so_large_and_no_larger(path: Path) -> None:
    async def test(client: Client) -> None:
        largest = bytes(LARGEST_BODY)
        for raw, status in ((largest, 400), (largest + b"\0", 413)):
            assert (await client.post("/v1/traces", raw, Content_Type=PROTOBUF))[0] == status
            packed = gzip.compress(raw, 1)
            assert (await client.post("/v1/traces", packed, Content_Type=PROTOBUF, Content_Encoding="gzip"))[
                0
            ] == status
        assert (await client.metrics())["too_large"] == 2

    talk(path, test)


def test_a_body_without_a_length_is_refused_when_it_has_grown_too_large(path: Path) -> None:
    async def endless() -> Any:
        for _ in range(LARGEST_BODY // 65536 + 1):
            yield bytes(65536)

    async def test(client: Client) -> None:
        async with client.session.post("/v1/traces", data=endless(), headers={"Content-Type": PROTOBUF}) as answer:
            assert answer.status == 413

    talk(path, test)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in another unit")
def test_a_megabyte_that_unpacks_to_a_gigabyte_is_refused_without_unpacking_it(tmp_path: Path) -> None:
    # In a process of its own: the largest size of this one is that of some other test.
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bomb", tmp_path / "tracer.db"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * LIMIT,
    )
    assert ran.returncode == 0, ran.stderr
    *answers, grown = map(int, ran.stdout.split())
    assert answers == [413] * 4
    assert grown < 100


def test_an_event_that_tells_nothing_is_taken_and_counted(path: Path) -> None:
    async def test(client: Client) -> None:
        assert await client.webhook(event("egress_started")) == 200
        assert (await client.metrics())["webhooks_ignored"] == 1
        assert rows(path) == 0

    talk(path, test)


def test_what_a_newer_server_sends_is_taken_and_its_names_are_kept_and_counted(path: Path, tmp_path: Path) -> None:
    recording = tmp_path / "call.jsonl"
    job_of_tomorrow = {"id": JOB, "state": {"pausedAt": "7"}, "room": room()}
    sent = [
        event("agent_job_paused", job=job_of_tomorrow),
        event("room_started", room=room(colour="red")),
        event("agent_job_paused", 1, job=job_of_tomorrow),
    ]

    async def test(client: Client) -> None:
        for what in sent:
            assert await client.webhook(what) == 200
        assert await client.webhook(sent[0]) == 200
        metrics = await client.metrics()
        assert (metrics["webhooks"], metrics["webhooks_ignored"], metrics["webhooks_repeated"]) == (4, 3, 1)
        assert metrics["unknown"] == 5

    talk(path, test, recorder=Recorder(recording))
    named = [("JobState.pausedAt", 2), ("Room.colour", 1), ("webhook agent_job_paused", 2)]
    with closing(SqliteReader(path)) as reader:
        assert [(one.name, one.times) for one in reader.unknown()] == named
        assert {m.kind for m in reader.moments(ROOM)} == {Kind.ROOM_CREATED}
    # What is not understood yet is kept whole in a recording, which a later version can read; but for the secret.
    assert recording.read_text().count("pausedAt") == 2
    assert TURN_PASSWORD not in recording.read_text()
    with closing(SqliteStore(tmp_path / "again.db")) as store:
        replay([recording], store)
        assert [(one.name, one.times) for one in store.unknown()] == named


def test_of_a_room_that_is_not_wanted_no_name_is_kept(path: Path) -> None:
    async def test(client: Client) -> None:
        assert await client.webhook(event("agent_job_paused")) == 200
        assert client.store.unknown() == []
        assert (await client.metrics())["webhooks_ignored"] == 1

    talk(path, test, wanted=lambda name: name != "demo")


def test_a_repeated_webhook_is_taken_counted_and_kept_once(path: Path) -> None:
    async def test(client: Client) -> None:
        assert [await client.webhook(EVENTS[1]) for _ in range(3)] == [200] * 3
        counts = await client.metrics()
        assert (counts["webhooks"], counts["webhooks_repeated"], counts["moments"]) == (3, 2, 3)
        assert rows(path) == 3

    talk(path, test)


def test_a_webhook_wakes_the_observer(path: Path) -> None:
    heard: list[WebhookEvent] = []

    async def test(client: Client) -> None:
        await client.webhook(EVENTS[0])
        await client.webhook(event("egress_started"))
        assert [(one.event, one.room.sid) for one in heard] == [("room_started", ROOM)]

    talk(path, test, on_event=heard.append)


class Failing(SqliteStore):
    """A store whose disk is full, until it is not."""

    full = True

    def add(self, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
        if self.full:
            raise StoreError("the disk is full")
        return super().add(arrivals)


def test_while_the_store_fails_the_sender_is_told_to_come_again(path: Path) -> None:
    async def main() -> None:
        async with receiving(path) as client:
            failing = Failing(path)
            client.receiver._queue.store = failing
            raw = body(EVENTS[0])
            headers = {"Authorization": token(raw)}
            async with client.session.post("/webhook", data=raw, headers=headers) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            traces = request(*job()).SerializeToString()
            assert (await client.post("/v1/traces", traces, Content_Type=PROTOBUF))[0] == 503
            assert rows(path) == 0
            failing.full = False
            assert await client.webhook(EVENTS[0]) == 200
            assert (await client.metrics())["webhooks_repeated"] == 0
            assert rows(path) == 1
            failing.close()

    asyncio.run(main())


def test_what_the_store_cannot_keep_does_not_stop_the_receiver(path: Path) -> None:
    async def test(client: Client) -> None:
        for bad in (moment(Kind.PARTICIPANT_LEFT, "\ud800", ms(1)), moment(Kind.PARTICIPANT_LEFT, ADA, 2**63)):
            with pytest.raises(StoreError):
                await client.receiver.keep(Arrival((bad,)))
        assert await client.webhook(EVENTS[0]) == 200

    talk(path, test)


class Slow(SqliteStore):
    """A store whose disk waits until it is let go, and that counts its commits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.go = threading.Event()
        self.asked = threading.Event()
        self.commits = 0

    def add(self, arrivals: Iterable[Arrival | Evidence]) -> list[bool]:
        self.asked.set()
        self.go.wait(LIMIT)
        self.commits += 1
        return super().add(arrivals)


def test_all_that_waits_for_the_disk_is_one_commit(path: Path) -> None:
    async def main() -> None:
        async with receiving(path) as client:
            with closing(Slow(path)) as slow:
                client.receiver._queue.store = slow
                waiting = [asyncio.ensure_future(client.receiver.keep(Arrival((m,)))) for m in call()]
                await until(slow.asked.is_set)
                slow.go.set()
                assert all(await asyncio.gather(*waiting))
                assert slow.commits <= 2
                assert rows(path) == len(call())

    asyncio.run(main())


def test_stopping_finishes_what_was_accepted(path: Path) -> None:
    async def main() -> None:
        async with receiving(path) as client:
            with closing(Slow(path)) as slow:
                client.receiver._queue.store = slow
                sending = asyncio.create_task(client.webhook(EVENTS[0]))
                await until(slow.asked.is_set)
                stopping = asyncio.create_task(client.receiver.stop())
                await asyncio.sleep(0)
                assert not sending.done()
                slow.go.set()
                await stopping
                assert await sending == 200
                assert rows(path) == 1

    asyncio.run(main())


def test_a_stopped_receiver_takes_nothing_more(path: Path) -> None:
    async def main() -> None:
        async with receiving(path) as client:
            assert await client.get("/healthz") == (200, "ok\n")
            await client.receiver.stop()
            with pytest.raises(OSError, match="Cannot connect"):
                await client.webhook(EVENTS[0])

    asyncio.run(main())


def test_stopping_hands_over_what_is_ready(path: Path) -> None:
    async def test(client: Client) -> None:
        for what in EVENTS:
            await client.webhook(what)

    with OtlpBackend() as backend:
        talk(path, test, exporter=backend.exporter)
        assert {span.name for span in backend.got} >= {"room", "participant STANDARD"}


def test_an_address_in_use_is_said(path: Path) -> None:
    async def test(client: Client) -> None:
        with pytest.raises(PortInUseError, match=f"127.0.0.1:{client.port} is in use"):
            await Receiver(client.store, SERVER).start("127.0.0.1", client.port)
        assert await client.get("/healthz") == (200, "ok\n")

    talk(path, test)


@pytest.mark.parametrize("host", ["203.0.113.1", "not an address"])
def test_an_address_that_is_not_ours_is_said_in_one_line(path: Path, host: str) -> None:
    async def main() -> None:
        with closing(SqliteStore(path)) as store:
            with pytest.raises(TracerError, match=f"cannot listen on {host}:0") as error:
                await Receiver(store, SERVER).start(host, 0)
            assert "\n" not in str(error.value)

    asyncio.run(main())


def test_metrics_are_prometheus(path: Path) -> None:
    async def test(client: Client) -> None:
        _, text = await client.get("/metrics")
        assert text.endswith("\n")
        declared = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
        assert all(name.endswith("_total") == (kind == "counter") for name, kind in declared.items())
        assert {"spans_exported", "spans_refused", "outbox"} <= set(await client.metrics())

    with OtlpBackend() as backend:
        talk(path, test, exporter=backend.exporter)


def test_other_addresses_are_none(path: Path) -> None:
    async def test(client: Client) -> None:
        assert (await client.get("/"))[0] == 404
        assert (await client.get("/webhook"))[0] == 405
        assert (await client.post("/healthz", b""))[0] == 405

    talk(path, test)


def test_redaction_keeps_nothing_personal_on_disk(path: Path) -> None:
    async def test(client: Client) -> None:
        for what in (
            event("participant_joined", participant=ada(identity="lovelace", name="Countess", metadata="byron")),
        ):
            assert await client.webhook(what) == 200
        await client.post("/v1/traces", request(*job()).SerializeToString(), Content_Type=PROTOBUF)
        known = client.store.moments(ROOM)
        assert {m.subject for m in known} == {ROOM, ADA, JOB}
        assert not [key for m in known for key, _ in m.facts if keys.is_personal(key)]
        kept = b"".join(file.read_bytes() for file in path.parent.iterdir())
        for personal in (b"lovelace", b"Countess", b"byron", b"demo", b"agent-AJ", TURN_PASSWORD.encode()):
            assert personal not in kept

    with OtlpBackend(lambda _: Reply(503)) as backend:
        talk(path, test, redact=True, exporter=backend.exporter)


def test_without_an_exporter_no_spans_are_kept(path: Path) -> None:
    async def test(client: Client) -> None:
        await client.post("/v1/traces", request(*job()).SerializeToString(), Content_Type=PROTOBUF)
        assert not client.store.has_unsent(0)

    talk(path, test)


def test_many_at_once_are_each_kept_once(path: Path) -> None:
    async def test(client: Client) -> None:
        sent = [event("participant_joined", participant=ada(sid=f"PA_{n}")) | {"id": f"EV_{n}"} for n in range(100)] * 2
        assert set(await asyncio.gather(*map(client.webhook, sent))) == {200}
        assert (await client.metrics())["webhooks_repeated"] == 100
        await until(lambda: not client.store.unread())
        assert len(fold(ROOM, client.store.moments(ROOM)).participants) == 100

    talk(path, test)
