"""JSON without loss."""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st
from target_quickbooks.exact_json import canonical, fingerprint, from_json, to_json

decimals = st.decimals(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
scalars = st.none() | st.booleans() | st.integers() | decimals | texts
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


@given(documents)
def test_what_is_written_is_read_back(document):
    assert from_json(to_json(document)) == document


@given(documents)
def test_the_text_is_that_of_simplejson(document):
    """Fingerprints are compared with those in the store, so what writes the text must not show in it."""
    compact = {"use_decimal": True, "separators": (",", ":")}
    assert to_json(document) == simplejson.dumps(document, **compact)
    text = canonical(document)
    assert text == simplejson.dumps(from_json(text), sort_keys=True, **compact)


@given(documents)
def test_the_canonical_text_holds_the_same_content(document):
    assert from_json(canonical(document)) == document


@given(decimals, st.integers(0, 6))
def test_trailing_zeros_make_no_difference(number, zeros):
    padded = Decimal(f"{number:f}" + ("" if "." in f"{number:f}" else ".") + "0" * zeros)
    assert canonical({"amount": padded}) == canonical({"amount": number})


@given(st.integers(-(10**30), 10**30))
def test_a_whole_number_is_the_same_as_integer_and_as_decimal(number):
    assert canonical(number) == canonical(Decimal(number)) == canonical(Decimal(f"{number}.00"))


@given(st.integers(10**30, 10**45), st.sampled_from([".1", ".2"]))
def test_long_numbers_are_not_rounded(number, fraction):
    assert canonical(Decimal(f"{number}{fraction}")) != canonical(Decimal(f"{number}.3"))


def test_equal_amounts_have_one_fingerprint():
    key = b"key"
    same = [Decimal("1.50"), Decimal("1.5"), Decimal("15E-1")]
    assert len({fingerprint({"amount": amount}, key) for amount in same}) == 1


def test_fingerprints_depend_on_the_key():
    assert fingerprint({"taxId": "99-5688293"}, b"one") != fingerprint({"taxId": "99-5688293"}, b"two")


def test_the_order_of_keys_makes_no_difference():
    assert canonical({"a": 1, "b": [2]}) == canonical({"b": [2], "a": 1})


@pytest.mark.parametrize("write", [to_json, canonical])
@pytest.mark.parametrize("document", [1.5, {"amount": 1.5}, [{"lines": (1, 2.0)}]])
def test_floats_are_programming_errors(write, document):
    with pytest.raises(TypeError, match="float"):
        write(document)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff",
        b"\xed\xa0\x80",
        "",
        '{"amount": 1',
        '{"amount": NaN}',
        "[Infinity]",
        "-Infinity",
        "1e9999999999999999999",
        "[" * 100_000,
        "[" * 101 + "]" * 101,
        '{"a":[' * 51 + "]}" * 51,
    ],
)
def test_what_is_not_json_is_a_value_error(text):
    """NaN, boundless exponents and endless nesting included: callers catch one kind of error."""
    with pytest.raises(ValueError, match=r".*"):
        from_json(text)


def test_a_hundred_levels_are_read():
    text = "[" * 100 + "]" * 100
    assert to_json(from_json(text)) == text


def test_many_brackets_side_by_side_are_no_depth():
    assert len(from_json("[" + ",".join(["[]"] * 500) + "]")) == 500


def test_halves_of_surrogate_pairs_and_nul_are_left_out():
    text = r'{"na\u0000me": "Cut \ud83d", "pair": "\ud83d\ude00", "list": ["\uDE00x"]}'
    assert from_json(text) == {"name": "Cut ", "pair": "😀", "list": ["x"]}


def test_a_byte_order_mark_is_not_content():
    assert from_json(b'\xef\xbb\xbf{"a": 1.10}') == {"a": Decimal("1.10")}


def test_extreme_exponents_have_a_canonical_text():
    """No overflow and no text of a gigabyte."""
    assert canonical(Decimal("1E+999999999")) == "1E+999999999"
    assert canonical(Decimal("1E-999999999")) == "1E-999999999"


@pytest.mark.parametrize("write", [to_json, canonical])
@pytest.mark.parametrize("document", [object(), {"a": {1, 2}}, [b"bytes"]])
def test_what_json_has_no_form_for_is_a_programming_error(write, document):
    with pytest.raises(TypeError):
        write(document)


def test_numbers_that_are_none_do_not_get_out():
    with pytest.raises(ValueError, match="none"):
        to_json({"amount": Decimal("NaN")})


@pytest.mark.parametrize("write", [canonical, to_json])
def test_truth_and_nothing_stay_so_beside_what_json_has_no_type_for(write):
    value = {"a": (True, None, Decimal("1.5")), "b": MappingProxyType({"c": False, "d": None})}
    assert write(value) == '{"a":[true,null,1.5],"b":{"c":false,"d":null}}'
