"""The XML twin of an answer, for callers that do not ask for JSON (QuickBooks manual 1.4, 7.1)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from xml.etree import ElementTree as ET

_NAMESPACE: Final = "http://schema.intuit.com/finance/v3"
_DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
#: Properties that are attributes in XML.
_ATTRIBUTES: Final = frozenset(
    {"domain", "sparse", "status", "startPosition", "maxResults", "totalCount", "bId", "name"}
)
_CENT: Final = Decimal("0.01")


def to_xml(answer: Mapping[str, Any]) -> bytes:
    """The answer as an IntuitResponse document; `answer` is its JSON."""
    root = ET.Element("IntuitResponse", {"xmlns": _NAMESPACE})
    _fill(root, answer)
    document: bytes = ET.tostring(root, encoding="unicode").encode()
    return _DECLARATION + document


def _fill(element: ET.Element, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _add(element, name, inner)
    elif isinstance(value, bool):
        element.text = str(value).lower()
    elif isinstance(value, Decimal):
        # XML shows 25.00 where JSON shows 25.0.
        element.text = str(value.quantize(_CENT) if value == value.quantize(_CENT) else value)
    elif value is not None:
        element.text = str(value)


def _add(parent: ET.Element, name: str, value: Any) -> None:
    if name == "Fault":
        _add_fault(parent, value)
    elif isinstance(value, list):
        for one in value:
            _add(parent, name, one)
    elif name in _ATTRIBUTES or (name == "time" and parent.tag == "IntuitResponse"):
        parent.set(name, str(value).lower() if isinstance(value, bool) else str(value))
    elif isinstance(value, Mapping) and "value" in value and value.keys() <= {"value", "name"}:
        reference = ET.SubElement(parent, name)
        reference.text = str(value["value"])
        if "name" in value:
            reference.set("name", str(value["name"]))
    else:
        _fill(ET.SubElement(parent, name), value)


def _add_fault(parent: ET.Element, fault: Mapping[str, Any]) -> None:
    element = ET.SubElement(parent, "Fault", {"type": str(fault["type"])})
    for error in fault["Error"]:
        attributes = {"code": str(error["code"])}
        if error.get("element"):
            attributes["element"] = str(error["element"])
        child = ET.SubElement(element, "Error", attributes)
        ET.SubElement(child, "Message").text = error["Message"]
        if error.get("Detail"):
            ET.SubElement(child, "Detail").text = error["Detail"]
