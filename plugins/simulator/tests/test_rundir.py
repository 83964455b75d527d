"""The run directory: who holds it, and what a new company removes from it."""

from __future__ import annotations

import pytest
from ap_simulator.rundir import AlreadyRunningError, RunDir, RunState

STATE = RunState(pid=4711, url="http://127.0.0.1:8095", port=8095)


@pytest.fixture
def run_dir(tmp_path) -> RunDir:
    return RunDir(tmp_path / "run")


def test_one_simulator_at_a_time_holds_it(run_dir):
    with run_dir.held():
        assert run_dir.is_held()
        with pytest.raises(AlreadyRunningError, match="already runs in"), run_dir.held():
            pass
    assert not run_dir.is_held()


def test_nobody_holds_a_directory_that_does_not_exist(run_dir):
    assert not run_dir.is_held()
    assert run_dir.read_state() is None
    assert not run_dir.path.exists()


def test_the_state_is_there_only_while_it_is_held(run_dir):
    with run_dir.held():
        assert run_dir.read_state() is None
        run_dir.write_state(STATE)
        assert run_dir.read_state() == STATE
    assert run_dir.read_state() is None


def test_what_a_killed_simulator_left_behind_is_not_believed(run_dir):
    run_dir.create()
    run_dir.write_state(STATE)
    assert run_dir.read_state() is None
    with run_dir.held():
        assert run_dir.read_state() is None


def test_only_its_owner_can_read_it(run_dir):
    run_dir.create()
    assert run_dir.path.stat().st_mode & 0o777 == 0o700


def test_a_new_company_removes_the_files_of_the_old_one_and_no_others(run_dir):
    run_dir.create()
    ours = ["store.sqlite3", "store.sqlite3-wal", "store.sqlite3-shm", "bill-session"]
    ours += ["bill-session.lock", "state/dev:tap-to-target/state.json"]
    others = ["simulator.log", "notes.txt", "my-store.sqlite3"]
    others += ["state/notes.txt", "store.sqlite3.backups/kept"]
    for name in ours + others:
        (run_dir.path / name).parent.mkdir(parents=True, exist_ok=True)
        (run_dir.path / name).touch()
    run_dir.remove_company_files()
    left = [path for path in run_dir.path.rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(run_dir.path)) for path in left) == sorted(others)
