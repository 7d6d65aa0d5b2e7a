"""The schema of ``metrics:``: where Prometheus reads what the fleet does."""

from pydantic import Field

from fleet.manifests.section import Section


class Metrics(Section):
    """One endpoint for the whole fleet."""

    host: str = Field(
        default="127.0.0.1",
        pattern=r"^[A-Za-z0-9.:-]{1,64}$",
        description="the address that /metrics is served on; this machine alone by default",
    )
    port: int = Field(
        default=9090, ge=0, le=65_535, description="its TCP port; 0: not served over TCP"
    )
