"""The encrypted file that keeps sessions."""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet
from tap_bill.session_cache import CachedSession, EncryptedFile, Ledger

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


def new_key():
    return Fernet.generate_key().decode()


def session(name="zzTOPsecret", *, used=NOW):
    return CachedSession(session_id=name, organization_id="00801ORG", last_used=used)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "sessions"


def keep(file, **sessions):
    with file.open() as ledger:
        ledger.sessions.update(sessions)


def kept(file):
    with file.open() as ledger:
        return dict(ledger.sessions)


def test_what_is_kept_comes_back(path):
    key = new_key()
    keep(EncryptedFile(path, [key]), one=session())
    assert kept(EncryptedFile(path, [key])) == {"one": session()}


def test_the_file_and_its_directory_are_for_their_owner_only(path):
    before = os.umask(0)
    try:
        keep(EncryptedFile(path, [new_key()]), one=session())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [stat.S_IMODE(other.stat().st_mode) for other in path.parent.iterdir()] == [0o600, 0o600]


def test_nothing_in_the_directory_is_readable_without_the_key(path):
    keep(EncryptedFile(path, [new_key()]), one=session())
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"zzTOPsecret" not in content
    assert b"00801ORG" not in content


def test_an_older_key_still_decrypts_and_the_newest_one_encrypts(path):
    old, new = new_key(), new_key()
    keep(EncryptedFile(path, [old]), one=session())
    rotating = EncryptedFile(path, [new, old])
    assert kept(rotating) == {"one": session()}
    keep(rotating, two=session("other-secret"))
    assert set(kept(EncryptedFile(path, [new]))) == {"one", "two"}


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", Fernet(new_key()).encrypt(b"{}")],
    ids=["empty", "garbage", "of another key"],
)
def test_a_file_that_cannot_be_decrypted_is_ignored_with_one_warning_and_rewritten(path, content, caplog):
    path.parent.mkdir()
    path.write_bytes(content)
    key = new_key()
    file = EncryptedFile(path, [key])
    with caplog.at_level(logging.WARNING):
        assert kept(file) == {}
        assert kept(file) == {}
    assert len(caplog.records) == 1
    assert "another encryption key or is damaged" in caplog.text
    keep(file, one=session())
    assert kept(EncryptedFile(path, [key])) == {"one": session()}


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"version": 2}', '{"version": 1, "sessions": [], "logins": {}}', "x"]
)
def test_what_is_no_ledger_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Ledger.from_json(text)


def test_a_place_that_cannot_be_written_to_costs_only_the_cache(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    file = EncryptedFile(tmp_path / "file" / "sessions", [new_key()])
    with caplog.at_level(logging.WARNING):
        keep(file, one=session())
        assert kept(file) == {}
    assert len(caplog.records) == 1
    assert "not kept between runs" in caplog.text


def test_a_directory_in_the_place_of_the_file_costs_only_the_cache(path, caplog):
    path.mkdir(parents=True)
    with caplog.at_level(logging.WARNING):
        keep(EncryptedFile(path, [new_key()]), one=session())
    assert len(caplog.records) == 1
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []


def test_changes_are_kept_even_if_the_reader_fails(path):
    file = EncryptedFile(path, [new_key()])

    def fail():
        with file.open() as ledger:
            ledger.logins["key"] = [NOW]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with file.open() as ledger:
        assert ledger.logins == {"key": [NOW]}


def test_an_unchanged_file_is_not_written(path):
    file = EncryptedFile(path, [new_key()])
    keep(file, one=session())
    before = path.stat().st_ino
    kept(file)
    assert path.stat().st_ino == before


def test_old_sessions_and_logins_are_forgotten(path):
    file = EncryptedFile(path, [new_key()])
    with file.open() as ledger:
        ledger.sessions["old"] = session(used=NOW - timedelta(hours=2))
        ledger.sessions["new"] = session(used=NOW)
        ledger.logins["key"] = [NOW - timedelta(hours=2), NOW]
    with file.open() as ledger:
        assert (set(ledger.sessions), ledger.logins) == ({"new"}, {"key": [NOW]})


@pytest.mark.parametrize("keys", [[], ["short"], [new_key(), "short"]])
def test_what_is_no_key_is_refused(path, keys):
    with pytest.raises(ValueError, match=r"."):
        EncryptedFile(path, keys)


def test_the_session_id_is_not_in_the_representation(path):
    assert "zzTOPsecret" not in repr(session())
    assert "sessions" in repr(EncryptedFile(path, [new_key()]))


#: A program of its own that adds 25 sessions, one at a time: path and name; the key is in its environment.
ADD_25 = """
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from tap_bill.session_cache import CachedSession, EncryptedFile
path, name = sys.argv[1:]
file = EncryptedFile(Path(path), [os.environ["KEY"]])
for number in range(25):
    with file.open() as ledger:
        ledger.sessions[f"{name}{number}"] = CachedSession(
            session_id="s", organization_id="00801ORG", last_used=datetime(2026, 5, 1, 12, tzinfo=UTC)
        )
"""


def test_parallel_runs_do_not_lose_each_others_changes(path):
    key = new_key()
    environment = os.environ | {"KEY": key}
    programs = [
        subprocess.Popen([sys.executable, "-c", ADD_25, path, name], env=environment) for name in "ab"
    ]
    assert [program.wait(60) for program in programs] == [0, 0]
    assert len(kept(EncryptedFile(path, [key]))) == 50
