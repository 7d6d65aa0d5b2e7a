# syntax=docker/dockerfile:1
# Fleet and everything it needs at run time, as an ordinary user, on a file system that is only read.
#   docker build -t fleet .     then ops/compose.yaml

FROM python:3.11-slim AS build
COPY requirements.lock /src/
RUN python -m venv /opt/fleet \
 && /opt/fleet/bin/pip install --no-cache-dir --require-hashes -r /src/requirements.lock
COPY pyproject.toml README.md LICENSE /src/
COPY agents /src/agents
COPY fleet /src/fleet
RUN /opt/fleet/bin/pip install --no-cache-dir --no-deps /src \
 && /opt/fleet/bin/python -m compileall -q /opt/fleet/lib

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/fleet --create-home fleet
COPY --from=build /opt/fleet /opt/fleet
COPY ops/container.sh /usr/local/bin/fleet-container
COPY manifests /etc/fleet/manifests
ENV PATH=/opt/fleet/bin:$PATH FLEET_HOME=/var/lib/fleet HOME=/var/lib/fleet PYTHONDONTWRITEBYTECODE=1
USER fleet
VOLUME /var/lib/fleet
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 CMD ["fleet-container", "health"]
ENTRYPOINT ["fleet-container"]
CMD ["run", "/etc/fleet/manifests/paper.yaml"]
