"""Two receivers share a PostgreSQL: one gets the webhooks, the other the agent's spans and polls; then it is killed."""

from __future__ import annotations

import os
import signal
import time
from contextlib import closing
from typing import TYPE_CHECKING

from tests.live import calls
from tests.live.calls import LIMIT, wait_for
from tests.postgresql import Postgres
from tracer.demo.stage import Stage
from tracer.local_servers import free_port
from tracer.moment import Kind
from tracer.store import Task, open_writer
from tracer.why.explain import explain

if TYPE_CHECKING:
    from pathlib import Path

    from tracer.local_servers import LiveKitServer
    from tracer.settings import LiveKit


def is_observed(store: str, server: LiveKit) -> bool:
    """Whether some receiver polls the server: whoever asks too cannot."""
    with closing(open_writer(store)) as writer:
        return not writer.may(Task.OBSERVE, server.url)


def test_what_comes_to_several_receivers_is_one_timeline_and_one_takes_over(
    livekit: LiveKitServer, webhook_port: int, tmp_path: Path
) -> None:
    server = livekit.settings
    with Postgres() as database, Stage(tmp_path, tmp_path / "t.db", free_port()) as stage:
        stage.store = database.location
        observing = stage.serve(server)
        wait_for(lambda: is_observed(database.location, server), "observed")
        hearing = ["-m", "tracer", "serve", "--port", str(webhook_port), "--store", database.location]
        keys = {"LIVEKIT_URL": server.url, "LIVEKIT_API_KEY": server.api_key, "LIVEKIT_API_SECRET": server.api_secret}
        other = stage.start("hearing", hearing, **keys)
        other.wait_until(lambda: "listening" in other.log.read_text(), LIMIT)
        stage.agent(server)

        began = time.time_ns()
        calls.call(stage, server, "shared", 1.0)
        wait_for(lambda: calls.is_over(stage, "shared", began), "over")
        timeline = stage.timeline("shared")
        assert explain(timeline).well, explain(timeline).summary
        assert {"webhook", "observer", "agent"} <= {m.witness for step in timeline.steps for m in step.moments}
        assert all(who.at(Kind.PARTICIPANT_JOINED) for who in timeline.participants), "the observer heard of each"

        assert observing.pid
        os.kill(observing.pid, signal.SIGKILL)
        wait_for(lambda: is_observed(database.location, server), "observed by the other")
        calls.call(stage, server, "taken-over", 1.0)
        wait_for(lambda: stage.timeline("taken-over").room.finished is not None, "finished")
        witnesses = {m.witness for step in stage.timeline("taken-over").steps for m in step.moments}
        assert {"webhook", "observer"} <= witnesses
        assert "Traceback" not in other.log.read_text()
