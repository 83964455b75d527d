"""By which fields each list can be filtered and sorted (BILL manual 3.2, 3.3).

Where the documentation of a list is not known, it has what BILL's samples and public clients use;
the date-time filters among those can be switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record

#: Below every amount, and JSON all the same: what an unset number sorts as.
_LEAST_NUMBER: Final = Decimal("-1E+30")


class Kind(Enum):
    """The type of a field, with the value that an unset one sorts as."""

    TEXT = ""
    BOOLEAN = False
    NUMBER = _LEAST_NUMBER
    #: `yyyy-MM-dd`
    DATE = "date"
    #: The form of `wire.stamp`
    TIME = "time"

    @property
    def least(self) -> Any:
        """Sorts before every value of this kind."""
        return "" if self in {Kind.DATE, Kind.TIME} else self.value


@dataclass(frozen=True, slots=True)
class ListField:
    """A field that a list knows: where it is in the record, and what it holds."""

    name: str
    path: tuple[str, ...]
    kind: Kind

    def value(self, record: Record) -> Any:
        """The record's value; the kind's least one if unset."""
        value: Any = record
        for step in self.path:
            value = value.get(step)
            if value is None:
                return self.kind.least
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSpec:
    """What one list can be filtered and sorted by.

    Attributes:
        filters: Field and operators by the field's name.
        sorts: Fields by name.
        time_switch: The switch on which createdTime and updatedTime as filters depend.
        time_sort_switch: Likewise as sort keys.
    """

    filters: Mapping[str, tuple[ListField, frozenset[str]]]
    sorts: Mapping[str, ListField]
    time_switch: str | None = None
    time_sort_switch: str | None = None
    _times: frozenset[str] = field(default=frozenset({"createdTime", "updatedTime"}), repr=False)

    def filter_named(self, name: str, switches: BillSwitches) -> tuple[ListField, frozenset[str]] | None:
        """The field and its operators, or None if the list cannot be filtered by `name`."""
        if name in self._times and not _accepts(self.time_switch, switches):
            return None
        return self.filters.get(name)

    def sort_named(self, name: str, switches: BillSwitches) -> ListField | None:
        """The field, or None if the list cannot be sorted by `name`."""
        if name in self._times and not _accepts(self.time_sort_switch, switches):
            return None
        return self.sorts.get(name)


def _accepts(switch: str | None, switches: BillSwitches) -> bool:
    return switch is None or getattr(switches, switch) == "accept"


CREATED: Final = ListField("createdTime", ("createdTime",), Kind.TIME)
UPDATED: Final = ListField("updatedTime", ("updatedTime",), Kind.TIME)
ARCHIVED: Final = ListField("archived", ("archived",), Kind.BOOLEAN)

_KINDS: Final = {
    "archived": Kind.BOOLEAN,
    "accessToAdmins": Kind.BOOLEAN,
    "onlinePayment": Kind.BOOLEAN,
    "fundingAmount": Kind.NUMBER,
    "exchangeRate": Kind.NUMBER,
    "amount": Kind.NUMBER,
    "dueDate": Kind.DATE,
    "processDate": Kind.DATE,
    "creditDate": Kind.DATE,
    "createdTime": Kind.TIME,
    "updatedTime": Kind.TIME,
}

_EQUAL: Final = "eq ne"
_ONE_OF: Final = "eq ne in"
_ANY_OF: Final = "eq ne in nin"
_RANGE: Final = "gt gte lt lte"
_TIMES: Final = {"createdTime": _RANGE, "updatedTime": _RANGE}
_CLASSIFICATIONS: Final = tuple(
    f"classifications.{name}"
    for name in ("chartOfAccountId", "accountingClassId", "departmentId", "locationId", "itemId")
)


def _field(name: str, path: str | None = None) -> ListField:
    return ListField(name, tuple((path or name).split(".")), _KINDS.get(name, Kind.TEXT))


def _spec(
    filters: Mapping[str, str],
    sorts: str,
    *,
    paths: Mapping[str, str] | None = None,
    time_switch: str | None = None,
    time_sort_switch: str | None = None,
) -> ListSpec:
    paths = paths or {}
    return ListSpec(
        filters={
            name: (_field(name, paths.get(name)), frozenset(operators.split()))
            for name, operators in filters.items()
        },
        sorts={name: _field(name) for name in sorts.split()},
        time_switch=time_switch,
        time_sort_switch=time_sort_switch,
    )


def _party(currency: str) -> dict[str, str]:
    """The filters of vendors and customers."""
    return {
        "id": _ONE_OF,
        "archived": _EQUAL,
        "name": "eq sw",
        "accountType": _ANY_OF,
        "address.country": _EQUAL,
        currency: _ANY_OF,
        # Documented, though no vendor or customer has the field.
        "paymentStatus": _ANY_OF,
        **_TIMES,
    }


_CLASSIFICATION: Final = _spec(
    {"id": _ONE_OF, "archived": _EQUAL, **_TIMES},
    "archived name description createdTime updatedTime",
    time_switch="classification_time_filter",
)
_EMPLOYEE: Final = _spec(
    {"id": _ONE_OF, "archived": _EQUAL, **_TIMES},
    "archived firstName lastName createdTime updatedTime",
    time_switch="classification_time_filter",
)

LISTS: Final[Mapping[str, ListSpec]] = {
    "vendors": _spec(
        _party("billCurrency"),
        "archived name shortName email phone billCurrency createdTime updatedTime",
    ),
    "customers": _spec(
        _party("invoiceCurrency"),
        "archived name companyName email phone fax description invoiceCurrency createdTime updatedTime",
        paths={"address.country": "billingAddress.country"},
    ),
    "bills": _spec(
        {
            "id": _ONE_OF,
            "archived": _EQUAL,
            "vendorId": "eq in",
            "dueDate": _RANGE,
            "paymentStatus": _ONE_OF,
            "payFromChartOfAccountId": _ONE_OF,
            **dict.fromkeys(_CLASSIFICATIONS, _ONE_OF),
            **_TIMES,
        },
        "archived fundingAmount exchangeRate description dueDate createdTime updatedTime",
    ),
    "recurring_bills": _spec(
        {"id": _ONE_OF, "archived": _EQUAL, "vendorId": "eq in", **_TIMES},
        "archived createdTime updatedTime",
        time_switch="recurring_updated_time_filter",
        time_sort_switch="recurring_updated_time_filter",
    ),
    "vendor_credits": _spec(
        {"id": _ONE_OF, "archived": _EQUAL, "vendorId": "eq in", **_TIMES},
        "archived creditDate amount appliedAmount createdTime updatedTime",
        time_switch="vendor_credit_time_filter",
    ),
    "payments": _spec(
        {"id": _ONE_OF, "vendorId": _ONE_OF, "processDate": _RANGE, **_TIMES},
        "description processDate amount confirmationNumber onlinePayment createdTime updatedTime "
        "disbursementStatus",
        time_switch="payment_time_filter",
    ),
    "chart_of_accounts": _CLASSIFICATION,
    "accounting_classes": _CLASSIFICATION,
    "departments": _CLASSIFICATION,
    "locations": _CLASSIFICATION,
    "items": _CLASSIFICATION,
    "jobs": _CLASSIFICATION,
    "employees": _EMPLOYEE,
    "users": _spec(
        {"id": _ONE_OF, "archived": _EQUAL, **_TIMES},
        "archived firstName lastName createdTime updatedTime",
    ),
    "roles": _spec({"id": _ONE_OF}, "description createdTime updatedTime"),
    "bank_accounts": _spec(
        {
            "id": _ONE_OF,
            # The name in BILL's sample; its documentation says `id`.
            "bankAccountId": _ONE_OF,
            "archived": _EQUAL,
            "status": _ANY_OF,
            "type": _EQUAL,
            "ownerType": _EQUAL,
            "accessToAdmins": _EQUAL,
            **_TIMES,
        },
        "archived nameOnAccount bankName accessToAdmins createdTime updatedTime",
        paths={"bankAccountId": "id"},
    ),
}
