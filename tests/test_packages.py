"""Each package as strangers get it: built, checked as the package index does, installed from its wheel."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from webhook_shim.settings import SETTINGS as SHIM_SETTINGS

ROOT = Path(__file__).resolve().parent.parent
UV = Path(sys.executable).with_name("uv")
PYTHONS = ["3.11", "3.12", "3.13"]
#: Each package with its commands.
SCRIPTS = {
    "tap-bill": ["tap-bill"],
    "target-quickbooks": ["quickbooks-admin", "target-quickbooks"],
    "plugins/simulator": ["ap-simulator"],
    "plugins/webhook-shim": ["webhook-shim"],
    "plugins/dagster": [],
}
#: Locked versions of what a package needs, where they are not those of all others.
LOCKED = {"plugins/dagster": "dagster.txt"}
URLS = {"Homepage", "Documentation", "Changelog", "Issues", "Source"}
#: What a wheel may hold; anything else was left there by accident.
SUFFIXES = {".py", ".typed", ".json", ".html", ".css", ".js", ".svg", ".mako"}
#: Links of a README that lead nowhere on a page of the package index.
RELATIVE_LINK = re.compile(r"\]\((?!https?://|#|mailto:)[^)]*\)")
LINK_HERE = re.compile(r"https://github\.com/bill-quickbooks/bill-quickbooks/(?:blob|tree)/main/([^)#\s\"]+)")

#: Run in the environment of the package: import all of it.
IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
    if "migrations" not in found.name and not found.name.endswith("__main__"):
        importlib.import_module(found.name)
print(package.__file__)
"""

pytestmark = pytest.mark.timeout(600)


@pytest.fixture(params=SCRIPTS)
def folder(request):
    return request.param


@pytest.fixture
def package(packages, folder):
    return packages[folder]


@pytest.fixture
def project(package):
    return tomllib.loads((package.folder / "pyproject.toml").read_text())["project"]


@pytest.fixture
def metadata(package):
    """What the package index shows."""
    with zipfile.ZipFile(package.wheel) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(name).decode())


@pytest.fixture(scope="session")
def constraints(tmp_path_factory):
    """A package's versions of the lock file, without hashes."""
    directory = tmp_path_factory.mktemp("constraints")

    def written(folder):
        locked = ROOT / "requirements" / LOCKED.get(folder, "dev.txt")
        lines = [line for line in locked.read_text().splitlines() if re.match(r"[\w.-]+==", line)]
        path = directory / locked.name
        path.write_text("".join(f"{line.rstrip(' ' + chr(92))}\n" for line in lines))
        return path

    return written


@pytest.fixture(scope="session")
def environments(packages, constraints, tmp_path_factory):
    """An empty environment for each package, with its wheel and what that asks for."""
    made = {}

    def environment(folder):
        if folder not in made:
            place = tmp_path_factory.mktemp("environment") / "env"
            wheel = packages[folder].wheel
            for command in (
                ["venv", "--quiet", "--python", sys.executable, place],
                [
                    *("pip", "install", "--quiet", "--python", place / "bin" / "python"),
                    *("--find-links", wheel.parent, "--constraints", constraints(folder), wheel),
                ],
                ["pip", "check", "--python", place / "bin" / "python"],
            ):
                done = subprocess.run([UV, *command], capture_output=True, text=True, check=False)
                assert done.returncode == 0, done.stderr
            made[folder] = place / "bin"
        return made[folder]

    return environment


def call(command, **variables):
    """Run a program of an environment, away from this repository; its output."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        command,
        cwd=Path(command[0]).parent,
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_index_would_take_it(packages):
    files = [path for package in packages.values() for path in (package.sdist, package.wheel)]
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == len(files), done.stdout


def test_the_wheel_from_the_source_distribution_is_the_wheel(package):
    """To the byte: nothing is lost on the way, and a build can be repeated."""
    assert package.wheel.read_bytes() == package.again.read_bytes()


def test_the_wheel_holds_the_package_and_nothing_else(package, folder):
    source = package.folder / package.module
    expected = {
        f"{package.module}/{path.relative_to(source)}"
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(package.wheel) as wheel:
        names = set(wheel.namelist())
    described = {name for name in names if ".dist-info/" in name}
    assert names - described == expected
    assert {name.partition(".dist-info/")[2] for name in described} == {
        *("METADATA", "RECORD", "WHEEL", "licenses/LICENSE"),
        *(["entry_points.txt"] if SCRIPTS[folder] else []),
    }
    assert {Path(name).suffix for name in names - described} <= SUFFIXES
    assert not [name for name in names if "test" in Path(name).parts[0] or "/tests/" in name]
    assert f"{package.module}/py.typed" in names


def test_the_source_distribution_holds_what_it_is_built_from(package):
    with tarfile.open(package.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    outside = {name for name in names if not name.startswith(f"{package.module}/")}
    # Hatchling adds the .gitignore that it obeys.
    assert outside - {"CHANGELOG.md", ".gitignore", "dagster.yaml"} == {
        *("LICENSE", "PKG-INFO", "README.md", "pyproject.toml"),
    }


@pytest.mark.parametrize(
    ("folder", "parts"),
    [
        ("target-quickbooks", ("templates/", "store/migrations/versions/", "report.schema.json")),
        ("plugins/webhook-shim", ("web/templates/", "web/static/", "store/migrations/versions/")),
        ("tap-bill", ("schemas/",)),
    ],
)
def test_what_is_no_code_comes_along(packages, folder, parts):
    with zipfile.ZipFile(packages[folder].wheel) as wheel:
        names = wheel.namelist()
    for part in parts:
        assert any(f"{packages[folder].module}/{part}" in name for name in names), part


def test_its_page_on_the_index_is_complete(metadata, project):
    assert metadata["Name"] == project["name"]
    assert metadata["Version"] == project["version"]
    assert metadata["Summary"] == project["description"]
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Keywords"]
    assert metadata["Description-Content-Type"] == "text/markdown"
    urls = dict(line.split(", ", 1) for line in metadata.get_all("Project-URL"))
    assert set(urls) == URLS
    assert all(url.startswith("https://") for url in urls.values())


def test_the_classifiers_say_which_pythons_and_that_it_is_typed(metadata):
    classifiers = metadata.get_all("Classifier")
    pythons = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE
    )
    assert pythons == PYTHONS
    assert metadata["Requires-Python"].split(",") == ["<3.14", ">=3.11"]
    assert "Typing :: Typed" in classifiers


def test_links_of_its_readme_lead_somewhere(metadata):
    """Also on the package index, which knows no files beside the README."""
    text = metadata.get_payload()
    assert RELATIVE_LINK.findall(text) == []
    linked = {*LINK_HERE.findall(text), *LINK_HERE.findall(str(metadata.items()).replace("'", " "))}
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_it_installs_from_its_wheel_alone(environments, package, folder):
    """All of it can be imported with nothing but what it asks for, and nothing comes from this repository."""
    python = environments(folder) / "python"
    place = call([python, "-I", "-c", IMPORT_ALL, package.module])
    assert Path(place.strip()).is_relative_to(python.parent.parent)


def test_its_commands_tell_their_version(environments, folder, project):
    scripts = sorted(project.get("scripts", ()))
    assert scripts == SCRIPTS[folder]
    for script in scripts:
        assert project["version"] in call([environments(folder) / script, "--version"])


@pytest.mark.parametrize(("folder", "name"), [(name, name) for name in ("tap-bill", "target-quickbooks")])
def test_the_readme_tells_every_setting_of_about(packages, environments, folder, name):
    """The installed plugin says what it takes; the page on the index has all of it."""
    about = json.loads(call([environments(folder) / name, "--about", "--format=json"]))
    readme = (packages[folder].folder / "README.md").read_text()
    missing = [setting for setting in about["settings"]["properties"] if f"`{setting}`" not in readme]
    assert missing == []
    assert about["version"] == packages[folder].wheel.name.split("-")[1]


def test_the_readme_of_the_shim_tells_every_setting(packages):
    readme = (packages["plugins/webhook-shim"].folder / "README.md").read_text()
    assert [setting.name for setting in SHIM_SETTINGS if f"`{setting.name}`" not in readme] == []


def test_an_installed_target_makes_its_store(environments, tmp_path):
    """The migrations are in the wheel."""
    bin_directory = environments("target-quickbooks")
    key = call([bin_directory / "quickbooks-admin", "generate-key"]).strip()
    variables = {
        "TARGET_QUICKBOOKS_STORE_URL": f"sqlite:///{tmp_path}/store.sqlite3",
        "TARGET_QUICKBOOKS_ENCRYPTION_KEY": key,
        "TARGET_QUICKBOOKS_CLIENT_ID": "none",
        "TARGET_QUICKBOOKS_CLIENT_SECRET": "none",
        "TARGET_QUICKBOOKS_REALM_ID": "1",
    }
    status = json.loads(call([bin_directory / "quickbooks-admin", "status", "--json"], **variables))
    assert status["connections"] == status["runs"] == []
