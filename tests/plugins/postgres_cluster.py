"""A PostgreSQL of the tests' own: thrown away at the end, shared by all workers, a database for each test.

The first test that needs it makes a cluster in a temporary directory, which a process in the background
serves for as long as any worker holds a lock on a file in it; so whatever becomes of the workers, nothing
is left. Nothing in it outlives the run, so that it need not wait for the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

USER = "postgres"
PASSWORD = "password-of-the-cluster"
_SECONDS = 60
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "jit": "off",
    "timezone": "Pacific/Auckland",  # nothing may depend on it
}
_ABSENT = (
    "No PostgreSQL to test with. On Debian: apt-get install postgresql (make postgres); elsewhere install "
    "its server, and have initdb on the PATH."
)


class Cluster:
    """A running PostgreSQL.

    Attributes:
        directory: Its data, its log, its socket.
        port: Where it listens on this machine, with a password; its socket asks for none.
    """

    def __init__(self, directory: Path, port: int) -> None:
        self.directory = directory
        self.port = port
        self._names = (f"test_{os.getpid()}_{number}" for number in itertools.count())
        self._admin: psycopg.Connection | None = None

    def url(self, database: str) -> str:
        return f"postgresql://{USER}@/{database}?host={self.directory}&port={self.port}"

    def url_by_password(self, database: str, *, user: str = USER, password: str = PASSWORD) -> str:
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "") -> list:
        if database:
            with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
                return _rows(connection.execute(statement))
        if self._admin is None or self._admin.closed:
            self._admin = psycopg.connect(self._conninfo("postgres"), autocommit=True)
        return _rows(self._admin.execute(statement))

    @contextlib.contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """A new database; its name."""
        name = next(self._names)
        [(version,)] = self.execute("SELECT current_setting('server_version_num')::int")
        # Quicker than through the log, where nothing is lost by it; older ones know no other way.
        strategy = "STRATEGY file_copy" if version >= 150_000 else ""
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template} {strategy}")
        try:
            yield name
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def is_up(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
            return True
        return False

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop the server; SIGINT ends sessions at once, SIGQUIT is a crash."""
        self.close()
        file = self.directory / "data" / "postmaster.pid"
        pid = file.read_text().split()[0]
        os.kill(int(pid), number)
        _wait_for(lambda: not file.exists() or not Path("/proc", pid).exists())

    def start(self) -> None:
        _start(self.directory, self.port)
        _wait_for(self.is_up)

    def close(self) -> None:
        if self._admin:
            self._admin.close()
            self._admin = None

    def _conninfo(self, database: str) -> str:
        return f"host={self.directory} port={self.port} user={USER} dbname={database}"


def _rows(cursor: psycopg.Cursor) -> list:
    return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="session")
def postgres_programs() -> Path:
    """Where PostgreSQL's programs are; CI must have them."""
    found = _programs()
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(_ABSENT)
        pytest.skip(_ABSENT)
    return found


@pytest.fixture(scope="session")
def postgres(postgres_programs, tmp_path_factory) -> Iterator[Cluster]:
    """The cluster that all tests of a run share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with (shared / "postgres.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        found = _running_one(shared / "postgres.cluster")
        if found is None:
            cluster = _new(postgres_programs)
            users = _users(cluster.directory)
            _serve(cluster)
            (shared / "postgres.cluster").write_text(f"{cluster.directory}\n{cluster.port}\n")
        else:
            cluster, users = found
    yield cluster
    cluster.close()
    os.close(users)


@pytest.fixture
def own_postgres(postgres_programs) -> Iterator[Cluster]:
    """A cluster that the test may stop and start."""
    cluster = _new(postgres_programs)
    users = _users(cluster.directory)
    _serve(cluster)
    yield cluster
    cluster.close()
    os.close(users)


@pytest.fixture
def postgres_url(postgres) -> Iterator[str]:
    """An empty database."""
    with postgres.database() as name:
        yield postgres.url(name)


def _programs() -> Path | None:
    """On Debian they are not on the PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((found.parent for found in versions), key=lambda path: float(path.parent.name), default=None)


def _new(programs: Path) -> Cluster:
    # Below /tmp, because the name of a socket must be short; not in pytest's directories, which are searched.
    directory = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    (directory / "programs").symlink_to(programs)
    password = directory / "password"
    password.write_text(PASSWORD)
    for path in (directory, password) if _owner() else ():
        shutil.chown(path, **_owner())
    arguments = ["--username", USER, "--pwfile", password, "--no-sync", "--encoding", "UTF8"]
    arguments += ["--auth-local", "trust", "--auth-host", "scram-sha-256", "--locale", "C.UTF-8"]
    made = _as_owner(programs / "initdb", "--pgdata", directory / "data", *arguments)
    assert made.returncode == 0, made.stderr
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Cluster(directory, port)


def _owner() -> dict[str, int]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return {"user": pwd.getpwnam(name).pw_uid, "group": pwd.getpwnam(name).pw_gid}
    raise AssertionError(_ABSENT)


def _as_owner(*command: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(part) for part in command],
        **_owner(),
        extra_groups=[] if os.geteuid() == 0 else None,
        cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def _users(directory: Path) -> int:
    """Hold the cluster: it is served for as long as somebody does."""
    descriptor = os.open(directory / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _running_one(noted: Path) -> tuple[Cluster, int] | None:
    try:
        directory, port = noted.read_text().split()
        descriptor = os.open(Path(directory, "users"), os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return None  # there was none, or its last user has gone
    return Cluster(Path(directory), int(port)), descriptor


def _serve(cluster: Cluster) -> None:
    """Have a process of its own stop the cluster when nobody uses it any more."""
    cluster.start()
    done = subprocess.run(
        [sys.executable, __file__, str(cluster.directory)],
        check=False,
        timeout=_SECONDS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    assert done.returncode == 0


def _start(directory: Path, port: int) -> None:
    settings = _SETTINGS | {
        "unix_socket_directories": str(directory),
        "listen_addresses": "127.0.0.1",
        "port": str(port),
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    arguments = ("-D", directory / "data", "-l", directory / "log", "-o", options, "-W", "start")
    done = _as_owner(directory / "programs" / "pg_ctl", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr


def _wait_for(condition) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline, "PostgreSQL did not do as it was told"
        time.sleep(0.02)


def _watch(directory: Path) -> None:
    """Wait until nobody holds the cluster; then stop it and remove it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    with (directory / "users").open("r+") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        with contextlib.suppress(OSError, AssertionError):
            Cluster(directory, 0).stop()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    _watch(Path(sys.argv[1]))
