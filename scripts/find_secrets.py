"""Looks for secrets in what is, or would be, under version control; with detect-secrets.

    python scripts/find_secrets.py           exit 1 if there is one that nobody has looked at
    python scripts/find_secrets.py --update  take what is found for harmless; look at it before you commit
    python scripts/find_secrets.py --only FILE...

What is known to be harmless (demo credentials, keys of tests) is in `.secrets.baseline`, as digests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from detect_secrets.core import baseline
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
KNOWN = ".secrets.baseline"
#: Files of digests, and pictures.
_SKIPPED = re.compile(r"(requirements/.*\.txt|docs/pictures/.*|.*\.(lock|png|svg)|\.secrets\.baseline)")
#: What can be in this repository at all; each one costs time in every file.
_DETECTORS = (
    "AWSKeyDetector",
    "Base64HighEntropyString",
    "BasicAuthDetector",
    "GitHubTokenDetector",
    "HexHighEntropyString",
    "JwtTokenDetector",
    "KeywordDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
)


def main() -> int:
    """Look; 1 if something is found."""
    os.chdir(ROOT)
    with transient_settings({"plugins_used": [{"name": name} for name in _DETECTORS]}):
        found = SecretsCollection()
        found.scan_files(*(sys.argv[2:] if sys.argv[1:2] == ["--only"] else _files()))
        if sys.argv[1:] == ["--update"]:
            baseline.save_to_file(_harmless(found), KNOWN)
            return 0
        strange = [secret for _, secret in found - _known()]
    for secret in sorted(strange, key=lambda each: (each.filename, each.line_number)):
        print(f"{secret.filename}:{secret.line_number}: {secret.type}")
    if strange:
        print(
            "A secret? Remove it, and end it where it is from: others may have it. If it is none, mark the "
            "line with `# pragma: allowlist secret`, or run python scripts/find_secrets.py --update.",
            file=sys.stderr,
        )
    return 1 if strange else 0


def _files() -> list[str]:
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - the person's own git
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit("Git must tell which files there are: run this in a clone of the repository.")
    return [
        name for name in done.stdout.splitlines() if not _SKIPPED.fullmatch(name) and Path(name).is_file()
    ]


def _known() -> SecretsCollection:
    path = Path(KNOWN)
    if not path.exists():
        return SecretsCollection()
    return SecretsCollection.load_from_baseline(json.loads(path.read_text(encoding="utf-8")))


def _harmless(found: SecretsCollection) -> SecretsCollection:
    for _, secret in found:
        secret.is_secret = False
    return found


if __name__ == "__main__":
    sys.exit(main())
