"""The schema repeats the agents' settings leaf for leaf, default for default."""

import msgspec
import pytest

from agents.settings import (
    AdvancedSettings,
    DrainSettings,
    MonitorSettings,
    OrphanSettings,
    RiskSettings,
    StrategySettings,
)
from fleet.manifests import schema, schema_risk, schema_schedule, schema_strategy, section, spec

PAIRS: list[tuple[type[section.Section], type[msgspec.Struct]]] = [
    (schema_strategy.Strategy, StrategySettings),
    (schema_strategy.Advanced, AdvancedSettings),
    (schema.MarketRisk, RiskSettings),
    (schema_risk.RiskAdvanced, MonitorSettings),
    (schema.Drain, DrainSettings),
    (schema.OnOrphan, OrphanSettings),
    (schema.Risk, spec.FleetRisk),
    (schema.Requests, spec.RequestsSpec),
    (schema.Dex, spec.DexSpec),
    (schema.Rollout, spec.RolloutSpec),
    (schema.Gates, spec.RolloutGates),
    (schema_schedule.Schedule, spec.ScheduleSpec),
    (schema.Paper, spec.PaperSpec),
    (schema.Latency, spec.PaperLatency),
    (schema.ApiWallet, spec.KeySource),
]


@pytest.mark.parametrize(("part", "values"), PAIRS)
def test_leaves_and_defaults_agree(
    part: type[section.Section], values: type[msgspec.Struct]
) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(values)}
    assert set(part.model_fields) == set(fields)
    for name, leaf in part.model_fields.items():
        default = leaf.get_default(call_default_factory=True, validated_data={})
        if fields[name].default is not msgspec.NODEFAULT and not isinstance(
            default, section.Section | list
        ):
            assert default == fields[name].default, name


def leaves(model: type[section.Section]) -> list[tuple[str, str | None]]:
    return [(f"{model.__name__}.{k}", f.description) for k, f in model.model_fields.items()]


def test_every_leaf_says_what_it_is() -> None:
    sections = [part for part, _ in PAIRS if part is not schema.ApiWallet]
    silent = [name for part in sections for name, said in leaves(part) if not said]
    # Sections, described by their own leaves.
    described = {"MarketRisk.advanced", "Rollout.gates", "Strategy.advanced", "Paper.latency_ms"}
    assert set(silent) <= described
