"""The schema repeats the agents' settings leaf for leaf, default for default."""

import msgspec
import pytest

from agents.settings import DrainSettings, OrphanSettings, RiskSettings, StrategySettings
from fleet.manifests import schema, spec

PAIRS: list[tuple[type[schema.Section], type[msgspec.Struct]]] = [
    (schema.Strategy, StrategySettings),
    (schema.MarketRisk, RiskSettings),
    (schema.Drain, DrainSettings),
    (schema.OnOrphan, OrphanSettings),
    (schema.Risk, spec.FleetRisk),
    (schema.Requests, spec.RequestsSpec),
    (schema.Dex, spec.DexSpec),
    (schema.Rollout, spec.RolloutSpec),
    (schema.Paper, spec.PaperSpec),
    (schema.Latency, spec.PaperLatency),
    (schema.ApiWallet, spec.KeySource),
]


@pytest.mark.parametrize(("section", "values"), PAIRS)
def test_leaves_and_defaults_agree(
    section: type[schema.Section], values: type[msgspec.Struct]
) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(values)}
    assert set(section.model_fields) == set(fields)
    for name, leaf in section.model_fields.items():
        default = leaf.get_default(call_default_factory=True, validated_data={})
        if fields[name].default is not msgspec.NODEFAULT and not isinstance(
            default, schema.Section | list
        ):
            assert default == fields[name].default, name


def leaves(model: type[schema.Section]) -> list[tuple[str, str | None]]:
    return [(f"{model.__name__}.{k}", f.description) for k, f in model.model_fields.items()]


def test_every_leaf_says_what_it_is() -> None:
    sections = [section for section, _ in PAIRS if section is not schema.ApiWallet]
    silent = [name for section in sections for name, said in leaves(section) if not said]
    assert silent == ["Paper.latency_ms"]  # a section, described by its own leaves
