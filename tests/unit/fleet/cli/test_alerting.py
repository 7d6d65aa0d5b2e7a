"""``alerts:`` from the manifest to the file that the watch reads: each key, and no secret stays."""

import stat
from pathlib import Path
from typing import Any

import pytest

from fleet.alerts.settings import AlertSettings, read_settings, settings_path
from fleet.cli.alerting import keep, resolved
from fleet.cli.failure import Failure
from fleet.folder import Folder
from fleet.manifests.errors import ManifestError
from fleet.manifests.load import load
from fleet.manifests.spec import AlertsSpec, UrlSource, encode

MANIFEST = """fleet: test
network: paper
alerts: ALERTS
markets: [{asset: BTC, margin_usd: 1000}]
"""
SECRET = "https://hooks.example.org/T0/verysecret"


def manifest(tmp_path: Path, alerts: str) -> Path:
    path = tmp_path / "test.yaml"
    path.write_text(MANIFEST.replace("ALERTS", alerts))
    return path


def test_every_key_arrives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", f" {SECRET}\n")
    beat = tmp_path / "beat"
    beat.write_text("https://beat.example.org/1\n")
    told = (
        "{webhook: {env: HOOK}, command: [notify, -x], severity_min: critical, repeat_s: 60,"
        f" heartbeat: {{file: {beat}}}, heartbeat_every_s: 30}}"
    )
    spec = load(manifest(tmp_path, told))
    assert SECRET.encode() not in encode(spec), "a revision is no place for a secret"
    folder = Folder(tmp_path / "fleet")
    folder.root.mkdir()
    assert keep(folder, resolved(spec.alerts))
    assert read_settings(folder) == AlertSettings(
        webhook=SECRET, command=("notify", "-x"), severity_min="critical", repeat_s=60.0,
        heartbeat="https://beat.example.org/1", heartbeat_every_s=30.0,
    )  # fmt: skip
    assert stat.S_IMODE(settings_path(folder).stat().st_mode) == 0o600
    assert not keep(folder, resolved(spec.alerts)), "a second time nothing is written"


def test_without_alerts_no_file_is_made(tmp_path: Path) -> None:
    assert not keep(Folder(tmp_path), AlertSettings())
    assert not settings_path(Folder(tmp_path)).exists()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ({"env": "NOT_SET"}, "alerts.webhook: NOT_SET holds no address; export NOT_SET"),
        ({"file": "/nonexistent"}, "alerts.webhook: /nonexistent cannot be read"),
    ],
)
def test_an_address_that_is_not_there_is_told(source: dict[str, Any], said: str) -> None:
    with pytest.raises(Failure, match=said) as caught:
        resolved(AlertsSpec(webhook=UrlSource(**source)))
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    "alerts",
    ["{webhook: https://x.example}", "{webhook: {url: ftp://x}}", "{webhook: {}}",
     "{webhook: {env: A, file: B}}", "{severity_min: loud}", "{repeat_s: 1}", "{mail: me}"],
)  # fmt: skip
def test_what_is_no_alerts_section_is_refused_with_its_line(tmp_path: Path, alerts: str) -> None:
    with pytest.raises(ManifestError) as caught:
        load(manifest(tmp_path, alerts))
    (problem, *_) = caught.value.problems
    assert problem.line == 3
