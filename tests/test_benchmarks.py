"""The benchmarks can be started and know whether a bound is kept; what they measure is no test's business."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "benchmarks" / "README.md"


@pytest.fixture
def results(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    from benchmarks import results  # noqa: PLC0415

    return results


@pytest.mark.parametrize(
    ("value", "at_most", "met"),
    [(1.0, False, True), (0.99, False, False), (1.0, True, True), (1.01, True, False)],
)
def test_a_bound_is_kept_or_not(results, value, at_most, met):
    figure = results.Figure("s", "n", value, "times", results.Bound(1.0, at_most=at_most), digits=2)
    assert figure.met is met
    assert figure.cells[4] == ("met" if met else "NOT MET")


def test_the_readme_takes_the_figures_between_its_markers_and_nothing_else(results, tmp_path):
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    for value in (1.0, 2.0):
        results.write_readme(
            [results.Figure("tap", "speed", value, "times")], scope=results.Scope.FULL, path=copy
        )
    before, _, rest = README.read_text(encoding="utf-8").partition("<!-- measured: begin -->")
    after = rest.partition("<!-- measured: end -->")[2]
    text = copy.read_text(encoding="utf-8")
    assert text.startswith(before)
    assert text.endswith(after)
    assert "| tap | speed | 2 times |" in text
    assert "| tap | speed | 1 times |" not in text


def test_every_subject_can_be_asked_for():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for subject in ("tap", "target", "memory", "reconcile", "start"):
        assert subject in done.stdout
