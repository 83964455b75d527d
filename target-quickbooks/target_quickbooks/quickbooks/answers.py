"""Whether an answer has the shape of QuickBooks' answers, as far as this target reads them. Pure.

A gateway, a proxy or a bug may answer anything with status 200. What cannot be what QuickBooks says is
asked for again in place of being believed; what is only unknown is left alone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

#: Two tax codes have names for ids: those of the US (QuickBooks manual 6.2).
_ID = re.compile(r"[0-9]{1,32}|TAX|NON")
_ENTITY = re.compile(r"\bFROM (\w+)")
_TEXTS = frozenset(
    {
        "AccountSubType",
        "AccountType",
        "AcctNum",
        "CompanyName",
        "Country",
        "DisplayName",
        "DocNumber",
        "FullyQualifiedName",
        "Name",
        "POStatus",
        "PrivateNote",
    }
)
_OBJECTS = frozenset({"AccountingInfoPrefs", "CurrencyPrefs", "MetaData", "OtherPrefs"})
_LISTS = frozenset({"BatchItemResponse", "Line", "LinkedTxn", "NameValue"})
#: Read once and never written back, so that nothing but their own fields identifies them.
_ALONE = frozenset({"CompanyInfo", "Preferences"})
_NESTED = frozenset({dict, list})
_WRITTEN = frozenset({"Vendor", "PurchaseOrder", "Bill", "BillPayment", "VendorCredit"})


class OddAnswer(ValueError):
    """An answer that QuickBooks cannot mean; the text says what is odd, in a few words."""


def check_shape(value: Any) -> None:
    """Look at every field that is read anywhere.

    Raises:
        OddAnswer: One has a type that QuickBooks never gives it.
    """
    left = [value]
    while left:
        held = left.pop()
        if type(held) is list:
            left += [member for member in held if type(member) in _NESTED]
        elif type(held) is dict:
            for key, member in held.items():
                if member is not None and not _fits(key, member):
                    raise OddAnswer(f"an answer with an impossible {key}")
                if type(member) in _NESTED:
                    left.append(member)


def rows_of(statement: str, answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The objects of a query's answer: a list in QueryResponse, or one object without that wrapper.

    The latter is how the manual shows a query for Preferences (QuickBooks manual 3.3).

    Raises:
        OddAnswer: It is no answer to this statement.
    """
    found = _ENTITY.search(statement)
    entity = found[1] if found else ""
    response = answer.get("QueryResponse")
    if not isinstance(response, Mapping):
        if entity in _ALONE and isinstance(answer.get(entity), Mapping):
            return [answer[entity]]
        raise OddAnswer("an answer without the objects that were asked for")
    rows: list[Mapping[str, Any]] = []
    for key, held in response.items():
        if isinstance(held, list | Mapping):
            if key != entity:
                raise OddAnswer(f"an answer with {key} in place of {entity}")
            rows = held if isinstance(held, list) else [held]
    if not all(_is_object(entity, row) for row in rows):
        raise OddAnswer(f"an answer with an incomplete {entity}")
    return rows


def by_batch_id(answer: Mapping[str, Any]) -> tuple[dict[str, Mapping[str, Any]], bool]:
    """The answers of a batch by ``bId``, and whether two of them claim the same one.

    Raises:
        OddAnswer: It is no answer to a batch.
    """
    items = answer.get("BatchItemResponse")
    if not isinstance(items, list):
        raise OddAnswer("an answer without the items of the batch")
    times = Counter(str(item.get("bId")) for item in items)
    found = {str(item.get("bId")): item for item in items}
    return {key: item for key, item in found.items() if times[key] == 1}, max(times.values(), default=1) > 1


def _fits(key: str, value: Any) -> bool:
    check = _CHECKS.get(key) or (_is_reference if key.endswith("Ref") else None)
    return check is None or check(value)


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _is_text(value: Any) -> bool:
    return isinstance(value, str | int | Decimal) and not isinstance(value, bool)


def _is_map(value: Any) -> bool:
    return isinstance(value, dict)


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, dict) for member in value)


def _is_response(value: Any) -> bool:
    """One map; a list of them in answers of change data capture."""
    return _is_map(value) or _is_list(value)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_moment(value: Any) -> bool:
    return _reads(value, lambda text: bool(dt.datetime.fromisoformat(text).tzinfo))


def _is_day(value: Any) -> bool:
    return value == "" or _reads(value, lambda text: bool(dt.date.fromisoformat(text[:10])))


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and not isinstance(value.get("value"), bool | list | dict)


def _reads(value: Any, read: Callable[[str], bool]) -> bool:
    try:
        return isinstance(value, str) and read(value)
    except ValueError:
        return False


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("Id", "SyncToken"), _is_id),
    **dict.fromkeys(_TEXTS, _is_text),
    "QueryResponse": _is_response,
    **dict.fromkeys(_OBJECTS, _is_map),
    **dict.fromkeys(_LISTS, _is_list),
    "Active": _is_flag,
    "CreateTime": _is_moment,
    "BookCloseDate": _is_day,
}


def _is_object(entity: str, row: Any) -> bool:
    if not isinstance(row, Mapping):
        return False
    if entity in _ALONE:
        return bool(row)
    return bool(row.get("Id")) and (entity not in _WRITTEN or bool(row.get("SyncToken")))
