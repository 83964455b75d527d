"""What QuickBooks refuses and in which words: error codes, messages and details.

Source: QuickBooks manual 7.3. Codes are texts, as on the wire. This module knows no HTTP; the
envelopes around a refusal are in `envelopes.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

MESSAGES: Final = {
    "500": "Unsupported Operation",
    "600": "Duplicate Request ID",
    "610": "Object Not Found",
    "620": "Txn ID Cannot Be Linked",
    "630": "Duplicate Object",
    "900": "Parent cannot be child",
    "1040": "Batch size exceeds allowed limit",
    "1050": "Invalid Content Type",
    "2000": "Invalid or unsupported object name",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2030": "Invalid ID",
    "2040": "Invalid String",
    "2050": "Invalid String Length",
    "2060": "Invalid Date Format",
    "2070": "Invalid Date",
    "2080": "Invalid Number Format",
    "2090": "Invalid Number",
    "2100": "Invalid Decimal Format",
    "2110": "Invalid Decimal",
    "2170": "Invalid Enumeration",
    "2180": "Invalid Enumeration",
    "2190": "Invalid Date Range",
    "2200": "Malformed Website Address Format",
    "2210": "Invalid Email Address Format",
    "2220": "Invalid Currency Type",
    "2230": "Invalid Boolean",
    "2240": "Invalid Number Range",
    "2250": "Missing lines",
    "2290": "NegativeAmount",
    "2500": "Invalid Reference Id",
    "2600": "Invalid Request Conflict Element in Request",
    "3000": "Invalid Custom Field",
    "4000": "QueryParseError",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "5020": "Permission Denied",
    "5030": "Feature Not Supported",
    "6000": "A business validation error has occurred while processing your request",
    "6010": "Invalid Account.AccountType && Account.SubType",
    "6070": "Amount calculation incorrect in the request",
    "6080": "No Name Provided",
    "6100": "Invalid Line TaxCode in the request",
    "6140": "Duplicate Document Number Error",
    "6150": "ParentRef required",
    "6160": "Invalid TaxCodeRef in the request",
    "6170": "TxnTaxDetail cannot be specified with NotApplicable",
    "6180": "Sub Level Limit",
    "6190": "Invalid Company Status Error",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6220": "Delete Entity Has Balance Error",
    "6240": "Duplicate Name Exists Error",
    "6310": "MissingCustomer",
    "6420": "Email address is required",
    "6430": "Invalid account type used",
    "6440": "Transaction Detail Information Required",
    "6450": "Attempt to Void Transaction failed",
    "10000": "An application error has occurred while processing your request",
    "10100": "Result Set Big",
}

MADE_INACTIVE: Final = (
    "Something you're trying to use has been made inactive. Check the fields with accounts, "
    "customers, items, vendors or employees."
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One error of a fault.

    Attributes:
        code: Intuit's error code.
        detail: Which record or value, and why.
        element: The property at fault; often empty.
        message: Short text of the code.
    """

    code: str
    detail: str
    element: str = ""
    message: str = ""

    def __post_init__(self) -> None:
        if not self.message:
            object.__setattr__(self, "message", MESSAGES[self.code])


class RefusedError(Exception):
    """A request or batch item that is refused, with every problem found.

    Attributes:
        problems: At least one.
        kind: `type` of the fault.
        status: HTTP status when it answers a whole request.
    """

    def __init__(
        self,
        problems: Iterable[Problem],
        *,
        kind: str = "ValidationFault",
        status: int = HTTPStatus.BAD_REQUEST,
    ) -> None:
        self.problems = tuple(problems)
        self.kind = kind
        self.status = status
        super().__init__("; ".join(f"{p.code} {p.detail}" for p in self.problems))


def refused(code: str, detail: str, element: str = "", *, message: str = "") -> RefusedError:
    """The refusal for a single problem."""
    return RefusedError([Problem(code, detail, element, message)])


def missing(name: str) -> Problem:
    """A required property is absent."""
    return Problem("2020", f"Required parameter {name} is missing in the request", name)


def unknown_property(name: str) -> RefusedError:
    """A property that the entity does not have. The name is cut, as the service does."""
    detail = f'Property Name:Unrecognized field "{name[:10]} specified is unsupported or invalid'
    return refused("2010", detail)


def unparsable() -> RefusedError:
    """A body or value that is not of the expected JSON kind."""
    detail = "Property Name:failed to parse json object; a property specified is unsupported or invalid"
    return refused("2010", detail)


def business(text: str) -> RefusedError:
    """The catch-all business validation error 6000."""
    return refused("6000", f"Business Validation Error: {text}")


def not_found() -> RefusedError:
    """No record of that id: unknown, deleted or merged away."""
    return refused("610", f"Object Not Found : {MADE_INACTIVE}")


def stale() -> RefusedError:
    """The SyncToken sent is not the stored one."""
    return refused(
        "5010",
        "Stale Object Error : You and root were working on this at the same time. root finished "
        "before you did, so your work was not saved.",
    )


def unsupported(operation: str) -> RefusedError:
    """An operation that the entity does not have."""
    return refused("500", f"Operation {operation} is not supported.")


def unknown_reference(label: str, value: str) -> RefusedError:
    """A reference to a record that does not exist; `label` is Names, Accounts, Klasses..."""
    return refused("2500", f"Invalid Reference Id : {label} element id {value} not found")


def inactive_reference() -> RefusedError:
    """A reference to a record that was made inactive."""
    return refused("2500", f"Invalid Reference Id : {MADE_INACTIVE}")


def feature_off(code: str = "5030") -> RefusedError:
    """Something that the company's plan or preferences do not offer."""
    if code == "5020":
        return refused(code, "Permission Denied Error : You do not have permissions to access this feature.")
    if code == "6000":
        return business("This feature is turned off for your company.")
    return refused(code, "Feature Not Supported Error : The requested feature isn't supported.")
