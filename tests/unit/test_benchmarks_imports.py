"""The benchmark of imports, on a file that is soon read."""

import json

import pytest

from benchmarks import imports


def test_everything_arrives_and_the_one_who_works_on_is_timed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "_BETWEEN_REPORTS_S", 0.01)
    monkeypatch.setattr(imports, "_BETWEEN_SAVES_S", 0.02)
    imports.main(["--lines", "3000", "--json"])
    measured = json.loads(capsys.readouterr().out)
    assert measured["num_lines"] == 3000
    assert measured["seconds"] > 0
    assert measured["num_reports"] > 1
    assert measured["num_saves"] > 0
    assert measured["longest_save_ms"] > 0
