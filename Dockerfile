# One image for every process of a fleet: `docker run … fleet apply manifests/paper.yaml --yes`.
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/fleet && /opt/fleet/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY agents agents
COPY fleet fleet
RUN /opt/fleet/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
RUN useradd --create-home --uid 10001 fleet
COPY --from=build /opt/fleet /opt/fleet
COPY --chown=fleet:fleet manifests /home/fleet/manifests
ENV PATH=/opt/fleet/bin:$PATH FLEET_HOME=/home/fleet/.fleet
USER fleet
WORKDIR /home/fleet
VOLUME /home/fleet/.fleet
ENTRYPOINT ["fleet"]
CMD ["--help"]
