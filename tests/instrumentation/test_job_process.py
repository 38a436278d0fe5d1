from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tracer import keys

JOB_PROCESS = """
import gzip, io, json, pickle
from types import SimpleNamespace

import requests
from livekit.agents import telemetry
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tracer.instrumentation import current_job, job_process

sent = []

def send(_, request, **how):
    sent.append(request)
    answer = requests.Response()
    answer.status_code = 200
    answer.raw = io.BytesIO()
    return answer

requests.Session.send = send
job = SimpleNamespace(job=SimpleNamespace(id="AJ_1", room=SimpleNamespace(sid="RM_1")))
current_job.get_job_context = lambda: job

setup = pickle.loads(pickle.dumps(job_process.JobSetup(str, "http://127.0.0.1:7890")))
assert setup("the user's own result") == "the user's own result"
setup("once more, as each job's thread does")
telemetry.tracer.start_span("job_entrypoint", start_time=1).end()
telemetry.tracer.start_span("llm_node").end()
for one in job_process._reporters:
    one.close()
found = {}
for request in sent:
    for resource in ExportTraceServiceRequest.FromString(gzip.decompress(request.body)).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                assert span.name not in found, "each span is reported once"
                found[span.name] = sorted(item.key for item in span.attributes)
print(json.dumps(found))
"""
"""As a job process: the set-up comes by pickle. In a process of its own, whose tracer is changed for good."""


@pytest.mark.slow
def test_a_job_process_reports_what_livekit_agents_traces_in_its_room() -> None:
    ran = subprocess.run([sys.executable, "-c", JOB_PROCESS], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout)
    in_job = sorted([keys.ROOM_SID, keys.JOB_ID])
    # The job began before its process was ready, so when that was is reported too.
    assert found["job_entrypoint"] == sorted([*in_job, keys.SETUP_BEGAN, keys.SETUP_ENDED])
    assert found["llm_node"] == in_job
