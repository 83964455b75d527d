"""Leaves in a directory of built packages only what a tag releases.

    python scripts/release.py tap-bill-v0.1.0 dist

Exits with 1 if the tag does not name a package, or another version than the package has.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("tap-bill", "target-quickbooks", "plugins/simulator", "plugins/webhook-shim", "plugins/dagster")
_TAG = re.compile(r"(?P<name>[a-z][a-z-]*)-v(?P<version>\d[\w.]*)")


def main() -> int:
    """Delete what is not released."""
    tag, directory = sys.argv[1], Path(sys.argv[2])
    versions = dict(_project(folder) for folder in PACKAGES)
    match = _TAG.fullmatch(tag)
    if not match or match["name"] not in versions:
        print(f"{tag} names no package: {', '.join(versions)}, then -v and the version.", file=sys.stderr)
        return 1
    name, version = match["name"], match["version"]
    if versions[name] != version:
        print(f"{tag}: the version in pyproject.toml is {versions[name]}.", file=sys.stderr)
        return 1
    stem = f"{name.replace('-', '_')}-{version}"
    released = {f"{stem}.tar.gz", f"{stem}-py3-none-any.whl"}
    for path in directory.iterdir():
        if path.name not in released:
            path.unlink()
    missing = released - {path.name for path in directory.iterdir()}
    if missing:
        print(f"{', '.join(sorted(missing))} was not built.", file=sys.stderr)
        return 1
    print("\n".join(sorted(released)))
    return 0


def _project(folder: str) -> tuple[str, str]:
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["name"], project["version"]


if __name__ == "__main__":
    sys.exit(main())
