"""The schema of ``alerts:``: where what a person has to know is sent."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from fleet.manifests.section import Section


class Url(Section):
    """Where an address is found; exactly one of url, env, file."""

    url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="the address itself, where it is no secret",
        examples=["https://hooks.example.org/fleet"],
    )
    env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="the environment variable that holds it",
        examples=["FLEET_ALERT_URL"],
    )
    file: str | None = Field(
        default=None,
        min_length=1,
        description="the file that holds it",
        examples=["/run/secrets/alert-url"],
    )


def _one_source(value: Any) -> Any:  # noqa: ANN401  # any YAML value may stand here
    """An address may be a secret, so a manifest can name where it stands instead."""
    mend = "write {env: FLEET_ALERT_URL}, {file: PATH}, or {url: https://…} where it is no secret"
    if not isinstance(value, dict):
        raise PydanticCustomError("fleet", "names no source of the address", {"mend": mend})
    named = [key for key in Url.model_fields if value.get(key) is not None]
    if len(named) != 1 and not value.keys() - Url.model_fields.keys():
        text = "names no source of the address" if not named else "names more than one source"
        raise PydanticCustomError("fleet", text, {"mend": mend})
    return value


Address = Annotated[Url, BeforeValidator(_one_source)]


class Alerts(Section):
    """Who is told what happens, outside the machine."""

    webhook: Address | None = Field(
        default=None,
        description="the address that gets each alert as JSON by POST",
        examples=["{env: FLEET_ALERT_URL}"],
    )
    command: list[str] = Field(
        default_factory=list,
        description="the command that gets each alert as a JSON line on its stdin",
        examples=["[notify-me, --from, fleet]"],
    )
    severity_min: Literal["info", "warning", "critical"] = Field(
        default="warning", description="what is milder stays in the log"
    )
    repeat_s: float = Field(
        default=900.0, ge=10, le=86_400, description="when what still stands is told again, in s"
    )
    heartbeat: Address | None = Field(
        default=None,
        description="the address that hears that the fleet lives, and notices its silence",
        examples=["{env: FLEET_HEARTBEAT_URL}"],
    )
    heartbeat_every_s: float = Field(
        default=60.0, ge=5, le=3_600, description="the time between heartbeats, in s"
    )
