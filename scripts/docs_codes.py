"""Finds every code a record can be refused with, and the words that go with it, in the target's own source.

Codes are written where records are refused, e.g. ``Refusal("account-missing", "...", advice="...")``: texts
that follow a code are the reason and the advice. What is filled in at run time shows as an ellipsis.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_CODE = re.compile(r"[a-z…]+(-[a-z…]+)+")
_SKIPPED = {"admin", "migrations", "reconcile"}
_ELLIPSIS = "…"
_FILLED = re.compile(r"…(?:[/…]*…)+")
#: What looks like a code and is none.
NO_CODES = frozenset({"e-mail", "no-referrer", "no-store", "self-employed", "utf-8", "utf-8-sig"})
#: What becomes a code only when it is put together.
_PARTS = frozenset({f"{_ELLIPSIS}-{_ELLIPSIS}", f"quickbooks-{_ELLIPSIS}"})
_ADOPTION = "Correct the row in the file of adoptions_path."
#: Codes whose texts are put together in a way that cannot be read off.
_ELSEWHERE = {
    "adoption-currency": ("… is to be linked with …, which is in another currency.", _ADOPTION),
    "adoption-missing": ("… is to be linked with …, which is not there.", _ADOPTION),
    "edit-conflict": (
        "…: … changed in BILL and in QuickBooks.",
        "Make both sides agree, or set edit_conflict.",
    ),
    "adoption-taken": ("… is to be linked with …, which stands for BILL record ….", _ADOPTION),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A code as the source has it."""

    code: str
    reason: str
    advice: str


def codes(package: Path) -> list[Told]:
    """Every code of a package with its words, sorted, each once: the one with the most to say.

    Raises:
        LookupError: A code's words cannot be read off.
    """
    sources = [path for path in sorted(package.rglob("*.py")) if not _SKIPPED.intersection(path.parts)]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources]
    shared = {name: text for tree in trees for name, text in _assigned(tree.body)}
    found = {code: Told(code, *texts) for code, texts in _ELSEWHERE.items()}
    wanted: set[str] = set()
    for tree in trees:
        wanted.update(_written(tree))
        for told in _told(tree, shared):
            known = found.get(told.code)
            if known is None or _worth(told) > _worth(known):
                found[told.code] = told
    silent = sorted(code for code in wanted if code not in found or not all(_worth(found[code])[:2]))
    if silent:
        raise LookupError(f"What is to be said of {', '.join(silent)} cannot be read off the source.")
    return [found[code] for code in sorted(wanted)]


def _worth(told: Told) -> tuple[bool, bool, int]:
    return bool(told.reason), bool(told.advice), -told.reason.count(_ELLIPSIS)


def _written(tree: ast.Module) -> Iterator[str]:
    """Everything in a module that looks like a code."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in inner:
            text = _text(node, {}, 0)
            if _CODE.fullmatch(text) and text not in NO_CODES | _PARTS and text != "target-quickbooks":
                yield text


def _told(tree: ast.Module, shared: Mapping[str, str]) -> Iterator[Told]:
    names: dict[str, list[tuple[int, str]]] = {name: [(0, text)] for name, text in shared.items()}
    for node in ast.walk(tree):
        for name, text in _assigned([node]):
            names.setdefault(name, []).append((node.lineno, text))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            values = [*node.args, *(word.value for word in node.keywords)]
            texts = [_text(value, names, node.lineno) for value in values]
            start = next((place for place, text in enumerate(texts) if _CODE.fullmatch(text)), None)
            after = texts[start + 1 :] if start is not None else []
            said = [_FILLED.sub(_ELLIPSIS, text) for text in after if " " in text]
            if start is not None and said and texts[start] not in NO_CODES:
                yield Told(texts[start], said[0], said[1] if len(said) > 1 else "")


def _assigned(nodes: list[ast.AST] | list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names that get a text."""
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, {}, node.lineno)
            if text:
                yield node.targets[0].id, text


def _text(node: ast.AST, names: Mapping[str, list[tuple[int, str]]], line: int) -> str:
    """The text that an expression makes, with an ellipsis for what is not in the source."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                part.value if isinstance(part, ast.Constant) else _filled(part, names, line) for part in parts
            )
        case ast.IfExp(body=first, orelse=second):
            either = [_text(first, names, line), _text(second, names, line)]
            return (
                max(either, key=len)
                if all(" " in text for text in either)
                else "/".join(filter(None, either))
            )
        case ast.Name(id=name):
            before = [text for number, text in names.get(name, ()) if number <= line]
            return before[-1] if before else ""
    return ""


def _filled(node: ast.expr, names: Mapping[str, list[tuple[int, str]]], line: int) -> str:
    """What is filled into a text: words where the source has them, e.g. ``inactive/not``."""
    value = node.value if isinstance(node, ast.FormattedValue) else node
    text = _text(value, names, line)
    return text if text and not isinstance(value, ast.Name) else _ELLIPSIS
