"""A folder of manifests is one manifest, and each problem is told at its own file and line."""

from pathlib import Path

import pytest

from fleet.manifests.errors import ManifestError
from fleet.manifests.load import load

HEAD = "fleet: t\nnetwork: paper\ndefaults: {leverage: 2}\n"
BTC = "markets:\n  - {asset: BTC, margin_usd: 1000}\n"
HYNA = (
    "dexes: {hyna: {margin_max_usd: 900}}\nmarkets:\n  - {asset: BTC, dex: hyna, margin_usd: 500}\n"
)


def folder(tmp_path: Path, **files: str) -> Path:
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def refusal(path: Path) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        load(path)
    return str(caught.value).replace(f"{path}/", "").splitlines()


def test_files_add_up(tmp_path: Path) -> None:
    spec = load(folder(tmp_path, a=HEAD, b=BTC, c="fleet: t\n" + HYNA))
    assert list(spec.markets) == ["BTC", "hyna:BTC"]
    assert {market.leverage for market in spec.markets.values()} == {2}
    assert spec.dexes["hyna"].margin_max_usd == 900


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"b": BTC + "risk: {on_breach: stop}\n"}, "b.yaml:3: risk.on_breach: 'stop' is not one"),
        ({"b": BTC, "c": HYNA.replace("500", "950")}, "c.yaml:1: dexes.hyna.margin_max_usd: 900"),
        ({"b": BTC, "c": BTC}, "c.yaml:2: markets[1].asset: duplicate market BTC"),
        ({"b": BTC + "defaults: {}\n"}, "b.yaml:3: defaults: is given in a.yaml:3 already; keep"),
        ({"b": "fleet: u\n" + BTC}, "b.yaml:1: fleet: 'u' is not 't', as a.yaml:1 says; a folder"),
        ({"b": HYNA, "c": "dexes: {hyna: {}}\n"}, "c.yaml:1: dexes.hyna: is given in b.yaml:1"),
        ({"b": "markets: [\n"}, "b.yaml:2: broken YAML"),
    ],
)
def test_a_problem_names_its_own_file(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    (line,) = refusal(folder(tmp_path, a=HEAD, **files))
    assert line.startswith(expected)
