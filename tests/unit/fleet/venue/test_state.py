"""The state file: whole or not at all, and its failures told."""

from pathlib import Path

import pytest

from fleet.venue.state import StateError, StateFile


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "venue")
    assert file.read() is None
    file.write({"a": 1})
    file.write({"a": 2})
    assert file.read() == {"schema": 1, "a": 2}
    assert [path.name for path in (tmp_path / "venue").iterdir()] == ["state.json"]


def test_a_write_that_was_cut_short_leaves_the_old_state(tmp_path: Path) -> None:
    file = StateFile(tmp_path)
    file.write({"a": 1})
    (tmp_path / "state.tmp").write_text('{"schema": 1, "a"')
    assert file.read() == {"schema": 1, "a": 1}


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2}', "{}"])
def test_what_is_no_state_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "state.json").write_text(text)
    with pytest.raises(StateError, match=r"state\.json"):
        StateFile(tmp_path).read()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="file"):
        StateFile(tmp_path / "file" / "venue")
