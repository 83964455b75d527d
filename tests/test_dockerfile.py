"""The image's recipe: linted, and what it names is there and gets into the build. It is not built here."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RECIPE = (ROOT / "Dockerfile").read_text()
#: Relative to the project, which is the working directory of the image.
LEFT_OUT = {"plugins/simulator", "plugins/dagster"}


def instructions(name):
    joined = RECIPE.replace("\\\n", " ")
    return re.findall(rf"^{name} +(.*)$", joined, flags=re.MULTILINE)


def copied():
    sources = [word for line in instructions("COPY") for word in line.split()[1:-1]]
    return {source.rstrip("/") for source in sources}


def test_the_linter_finds_nothing():
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_everything_that_is_copied_is_there_and_not_ignored():
    kept = {
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source in kept or f"{Path(source).parent}/*{Path(source).suffix}" in kept, source


def test_what_the_project_installs_is_copied():
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    plugins = [plugin for kind in project["plugins"].values() for plugin in kind]
    named = {
        path
        for plugin in plugins
        for path in re.findall(r"(?:-e \./|--constraint )(\S+)", plugin.get("pip_url", ""))
    }
    assert named
    for path in named:
        assert any(path == source or path.startswith(f"{source}/") for source in copied()), path
        assert path not in LEFT_OUT


def test_it_runs_meltano_and_not_as_root():
    [user] = instructions("USER")
    assert int(user) > 0
    assert instructions("ENTRYPOINT") == ['["meltano"]']
    [locked] = [line for line in instructions("RUN") if "meltano.txt" in line]
    assert locked.count("--require-hashes") == 2
