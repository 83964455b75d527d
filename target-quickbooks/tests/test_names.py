"""Names and texts as QuickBooks accepts them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.mapping.names import comparable, plain_line, plain_name, plain_text, with_suffix

texts = st.text(max_size=60)
lengths = st.integers(1, 50)


def refused_characters(text, allowed=""):
    """Characters that QuickBooks refuses: control, unassigned, half pairs and four-byte ones."""
    return [
        character
        for character in text
        if character not in allowed
        and (character > "\uffff" or unicodedata.category(character) in {"Cc", "Cs", "Cn"})
    ]


@given(texts, lengths)
def test_a_name_has_no_colon_tab_newline_or_refused_character(text, length):
    name = plain_name(text, length)
    assert not set(name) & set(":\t\n\r")
    assert not refused_characters(name)


@given(texts, lengths)
def test_a_line_is_one_line_of_accepted_characters(text, length):
    line = plain_line(text, length)
    assert "\n" not in line
    assert not refused_characters(line)


@given(texts, lengths)
def test_a_text_keeps_only_line_breaks(text, length):
    assert not refused_characters(plain_text(text, length), allowed="\n")


@pytest.mark.parametrize("plain", [plain_name, plain_line, plain_text])
@given(text=texts, length=lengths)
def test_no_text_is_longer_than_asked(plain, text, length):
    assert len(plain(text, length)) <= length


@pytest.mark.parametrize("plain", [plain_name, plain_line, plain_text])
@given(text=texts, length=lengths)
def test_a_second_pass_changes_nothing(plain, text, length):
    once = plain(text, length)
    assert plain(once, length) == once


@pytest.mark.parametrize("plain", [plain_name, plain_line, plain_text])
@given(text=texts)
def test_nothing_is_blank_at_either_end(plain, text):
    assert plain(text, 60) == plain(text, 60).strip()


@pytest.mark.parametrize(
    ("given_name", "written"),
    [
        ("Acme: East", "Acme - East"),
        ("Acme:East", "Acme - East"),
        ("Acme:", "Acme"),
        (": Acme", "Acme"),
        ("Tab\there\r\nand there", "Tab here and there"),
        ("Form\x0cfeed\x85and\u2028more", "Form feed and more"),
        ("Rocket 🚀 Inc.", "Rocket Inc."),
        ("Café Ñandú O'Neil", "Café Ñandú O'Neil"),
        ("Cafe\u0301", "Café"),
        ("e\x00\u0301", "é"),
        ("- Dash -", "- Dash -"),
        ("---", "---"),
        (" \t\n:", ""),
        ("🚀", ""),
    ],
)
def test_names_as_they_are_written(given_name, written):
    assert plain_name(given_name, 500) == written


def test_a_text_keeps_its_paragraphs_and_drops_empty_ones():
    assert plain_text("one  two\r\n\r\n\tthree\n", 100) == "one two\nthree"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.sampled_from(["(EUR)", "~00n123"]),
)
def test_a_suffix_is_never_cut(name, suffix):
    suffixed = with_suffix(name, suffix, 21)
    assert suffixed.endswith(f" {suffix}")
    assert len(suffixed) <= 21


@given(st.text(st.characters(max_codepoint=0x24F, exclude_characters="\u0131"), max_size=40))
def test_upper_and_lower_case_are_the_same_name(text):
    """In Latin script; a dotless i is a letter of its own."""
    assert comparable(text.upper()) == comparable(text)


@given(texts)
def test_the_comparable_form_is_stable(text):
    assert comparable(comparable(text)) == comparable(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme", " ACME "),
        ("Acme  Corp", "acme corp"),
        ("Cafe\u0301", "CAFÉ"),
        ("Straße", "STRASSE"),
        ("ΐ", "ΐ".upper()),
    ],
)
def test_names_that_are_the_same_to_quickbooks(one, other):
    assert comparable(one) == comparable(other)


def test_names_that_differ_stay_different():
    assert comparable("Acme East") != comparable("Acme West")
