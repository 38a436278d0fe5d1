# Two images from one file: `tracer`, the receiver and the command line, and `agent`, the sample agent.

FROM python:3.12-slim AS wheels
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
# What the lock names, each file held against its hash. After this step nothing is taken from the network any more.
COPY requirements.lock .
RUN pip download --quiet --require-hashes --no-deps --only-binary :all: --dest /wheels -r requirements.lock
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels
COPY pyproject.toml README.md LICENSE ./
COPY livekit_tracer livekit_tracer
COPY tracer tracer
COPY agent agent
RUN pip wheel --quiet --no-deps --wheel-dir /wheels .

FROM wheels AS tracer-packages
RUN python -m venv --without-pip /opt/venv && pip --python /opt/venv install --quiet 'livekit-tracer[postgres]'

FROM python:3.12-slim AS runtime
RUN groupadd --gid 10001 tracer \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp tracer \
    && install --directory --owner tracer --group tracer /data
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
COPY deploy/healthy.py /opt/healthy.py
USER 10001:10001

FROM runtime AS tracer
COPY --from=tracer-packages /opt/venv /opt/venv
# So that `docker compose exec tracer tracer rooms` looks where the receiver writes.
ENV TRACER_STORE=/data/tracer.db
EXPOSE 7890
CMD ["tracer", "serve", "--host", "0.0.0.0", "--port", "7890", "--store", "/data/tracer.db"]

FROM wheels AS agent-packages
RUN python -m venv --without-pip /opt/venv && pip --python /opt/venv install --quiet 'livekit-tracer[agent,openai]'

FROM runtime AS agent
COPY --from=agent-packages /opt/venv /opt/venv
WORKDIR /app
COPY agent ./
CMD ["python", "agent.py", "start"]
