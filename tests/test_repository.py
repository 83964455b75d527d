"""What surrounds the code: workflows, forms, and that no secret gets in.

The workflows cannot be run here; GitHub's own schemas and a linter for their security are asked instead.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
PACKAGES = ("tap-bill", "target-quickbooks", "plugins/simulator", "plugins/webhook-shim", "plugins/dagster")
#: What a job may do besides reading the repository.
MAY = {
    "publish.yml": {"publish": {"id-token": "write"}},
    "docs.yml": {"publish": {"id-token": "write", "pages": "write"}},
    "security.yml": {"codeql": {"contents": "read", "security-events": "write"}},
}


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, **options)


def workflow(path):
    """A workflow; YAML reads the key ``on`` as true."""
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found | {"on": found[True]}


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def path(request):
    return request.param


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-workflows", "workflows/*.yml"),
        ("custom.github-workflows-require-timeout", "workflows/*.yml"),
        ("vendor.dependabot", "dependabot.yml"),
        ("vendor.github-issue-forms", "ISSUE_TEMPLATE/[!c]*.yml"),
        ("vendor.github-issue-config", "ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_githubs_schemas_hold(schema, files):
    named = sorted(GITHUB.glob(files))
    assert named
    done = run(sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *named)
    assert done.returncode == 0, done.stdout


def test_the_linter_of_workflows_finds_nothing():
    zizmor = Path(sys.executable).with_name("zizmor")
    done = run(zizmor, "--offline", "--no-progress", "--quiet", GITHUB)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_to_a_commit(path):
    used = [line.strip().removeprefix("- ") for line in path.read_text().splitlines() if "uses:" in line]
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


def test_an_action_has_one_version_everywhere():
    used = {}
    for path in WORKFLOWS:
        for action, commit in re.findall(r"uses: ([^@\s]+)@(.*)", path.read_text()):
            used.setdefault(action, set()).add(commit)
    assert {action: commits for action, commits in used.items() if len(commits) > 1} == {}


def test_jobs_may_do_only_what_they_must(path):
    found = workflow(path)
    assert found["permissions"] == {}
    for name, job in found["jobs"].items():
        allowed = MAY.get(path.name, {}).get(name, {"contents": "read"})
        assert job["permissions"] == allowed, name


def test_nothing_runs_with_secrets_for_strangers(path):
    """Neither ``pull_request_target`` nor a secret; and no credentials are left in the work tree."""
    text = path.read_text()
    assert not {"pull_request_target", "workflow_run"} & set(workflow(path)["on"])
    assert "secrets." not in text
    assert text.count("actions/checkout@") == text.count("persist-credentials: false")


@pytest.mark.parametrize("name", ["test.yml", "publish.yml"])
def test_the_pythons_are_those_of_the_classifiers(name):
    job = workflow(GITHUB / "workflows" / name)["jobs"]["test"]
    for package in PACKAGES:
        project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
        pythons = [
            classifier.rpartition(" ")[2]
            for classifier in project["classifiers"]
            if re.search(r":: 3\.\d+$", classifier)
        ]
        assert job["strategy"]["matrix"]["python"] == pythons, package


def test_what_is_published_was_tested_and_says_where_it_is_from():
    job = workflow(GITHUB / "workflows" / "publish.yml")["jobs"]["publish"]
    assert set(job["needs"]) == {"test", "build"}
    assert job["environment"]["name"] == "pypi"
    publish = job["steps"][-1]
    assert publish["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert publish["with"]["attestations"] is True
    assert "password" not in publish["with"]


def test_every_target_that_a_workflow_makes_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = {target for path in WORKFLOWS for target in re.findall(r"run: make ([a-z-]+)", path.read_text())}
    assert {"check", "build", "docs", "audit", "demo"} <= made <= targets


@pytest.mark.parametrize("folder", PACKAGES)
def test_a_tag_releases_its_package_alone(packages, tmp_path, folder):
    for package in packages.values():
        shutil.copy(package.sdist, tmp_path)
        shutil.copy(package.wheel, tmp_path)
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    tag = f"{project['name']}-v{project['version']}"
    done = run(sys.executable, "scripts/release.py", tag, tmp_path)
    assert done.returncode == 0, done.stderr
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {packages[folder].sdist.name, packages[folder].wheel.name}


@pytest.mark.parametrize("tag", ["tap-bill-v0.0.0", "v0.1.0", "tap-bills-v0.1.0"])
def test_a_tag_of_another_version_releases_nothing(tmp_path, tag):
    (tmp_path / "kept").touch()
    done = run(sys.executable, "scripts/release.py", tag, tmp_path)
    assert done.returncode == 1
    assert tag in done.stderr
    assert list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "planted",
    [
        "aws = 'AKIA" + "QYLPMN5HHHFPZAM2'",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "client_sec" + "ret = 'q8ZlXw2nVb7RtYp4KdGh'",
        "postgresql://keeper:" + "hunter2hunter2@db.example/books",
    ],
    ids=["cloud key", "private key", "client secret", "address with password"],
)
def test_a_planted_secret_is_found(tmp_path, planted):
    file = tmp_path / "settings.py"
    file.write_text(f"# a settings file\n{planted}\n")
    done = run(sys.executable, "scripts/find_secrets.py", "--only", file)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"{file}:2: " in done.stdout


def test_where_no_secret_is_none_is_found(tmp_path):
    file = tmp_path / "settings.py"
    file.write_text('client_secret = os.environ["CLIENT_SECRET"]\n')
    assert run(sys.executable, "scripts/find_secrets.py", "--only", file).returncode == 0


@pytest.mark.parametrize(
    "name", ["SECURITY.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md", "LICENSE"]
)
def test_a_stranger_finds_what_they_look_for(name):
    assert (ROOT / name).stat().st_size > 500
