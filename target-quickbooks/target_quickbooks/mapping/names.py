"""The rules QuickBooks has for names and texts, applied to whatever BILL holds.

Names may hold no colon, tab or newline (QuickBooks manual 6.1); lengths are the manual's; control and
four-byte characters are refused by the service (2040) and therefore left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

DISPLAY_NAME_LENGTH = 500
CHECK_NAME_LENGTH = 100
COMPANY_NAME_LENGTH = 100
DOCUMENT_NUMBER_LENGTH = 21
NOTE_LENGTH = 4000
#: What QuickBooks appends to the name of something made inactive.
DELETED_SUFFIX = " (deleted)"
_LAST_BASIC_CHARACTER = "\uffff"
_SPACES = re.compile(r"\s+")
_NOT_A_WORD = re.compile(r"[^\w ]+")
_FORMS = frozenset(
    {"inc", "incorporated", "llc", "ltd", "limited", "co", "corp", "corporation", "company", "the"}
)
_COLONS = re.compile(r"\s*:\s*")
_DELETED = re.compile(r" \(deleted(?:-\d+)?\)$")


def plain_text(text: str, length: int) -> str:
    """Text on possibly several lines: unsupported characters out, cut to ``length``."""
    lines = (_SPACES.sub(" ", _supported(line)).strip() for line in text.replace("\r", "\n").split("\n"))
    return "\n".join(line for line in lines if line)[:length].rstrip()


def plain_line(text: str, length: int) -> str:
    """Text on one line: white space folded, unsupported characters out, cut to ``length``."""
    return _SPACES.sub(" ", _supported(text)).strip()[:length].rstrip()


def plain_name(text: str, length: int) -> str:
    """A name as QuickBooks accepts it: one line, a colon written as a dash, cut to ``length``."""
    return plain_line(_COLONS.sub(" - ", _supported(text).strip(" :")), length)


def with_suffix(name: str, suffix: str, length: int = DISPLAY_NAME_LENGTH) -> str:
    """``name`` followed by ``suffix``, the name shortened where both do not fit."""
    return f"{name[: length - len(suffix) - 1].rstrip()} {suffix}"


def without_deleted(name: str) -> str:
    """The name that something inactive had before QuickBooks wrote "(deleted)" behind it."""
    return _DELETED.sub("", name)


def own_name(live: Mapping[str, Any]) -> str:
    """The name of what QuickBooks holds, without what it wrote behind it if that is inactive."""
    name = str(live.get("DisplayName") or "")
    return without_deleted(name) if live.get("Active") is False else name


def comparable(name: str) -> str:
    """The form in which QuickBooks takes two names for the same: trimmed, case-insensitive."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return _SPACES.sub(" ", unicodedata.normalize("NFC", folded)).strip()


def _supported(text: str) -> str:
    """White space as spaces, unsupported characters out; composed, so that a second pass changes nothing."""
    if text.isascii() and text.isprintable():  # as most are, and then there is nothing to do
        return text
    kept = "".join(
        " " if character.isspace() else character
        for character in unicodedata.normalize("NFC", text)
        if character <= _LAST_BASIC_CHARACTER
        and (character.isspace() or unicodedata.category(character) not in {"Cc", "Cs", "Cn"})
    )
    return unicodedata.normalize("NFC", kept)


def holder_of_name(entity: str, found: Mapping[str, Any]) -> str:
    """How a person would call who holds a name, e.g. ``customer 'Dana Whit' (58), which is inactive``."""
    inactive = ", which is inactive" if found.get("Active") is False else ""
    return f"{entity.lower()} '{found.get('DisplayName')}' ({found.get('Id')}){inactive}"


def sentence_start(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def without_form(name: str) -> str:
    """A name without punctuation and legal form: what people spell in different ways."""
    words = _NOT_A_WORD.sub(" ", comparable(name).replace("&", " and ")).split()
    return " ".join(word for word in words if word not in _FORMS)
