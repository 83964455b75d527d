"""The lines of a purchase order: account or item, class, customer, quantity and price.

An item line posts to the item's own expense account, an account line has no quantity (QuickBooks manual
6.2, 10.26). Where BILL codes a line to both, the item is used only if it leads to that very account.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from target_quickbooks.mapping import names
from target_quickbooks.mapping.chart import Chart, ClassTracking, Entry
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.resolution import Resolver, known
from target_quickbooks.mapping.source import BillLine, Coding, Kind, Reference
from target_quickbooks.policies import LineClassFrom, Policies

References = Mapping[tuple[Kind, str], Reference]

_CENT = Decimal("0.01")
_QUANTITY_DECIMALS = 5
_PRICE_DECIMALS = 7
_DESCRIPTION_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class MappedLine:
    """One line, and the class it would carry where the company keeps one class for the document."""

    payload: dict[str, Any]
    quickbooks_class: dict[str, str] | None


class LineMapper:
    """Maps the lines of one bill; collects what the report should mention."""

    def __init__(
        self, chart: Chart, references: References, policies: Policies, what: str, *, tax_code: str = ""
    ) -> None:
        self.notes: list[str] = []
        self._tax_code = tax_code
        self._chart = chart
        self._references = references
        self._policies = policies
        self._what = what
        self._accounts = Resolver(chart.accounts, policies.account_map, "account_map")
        self._classes = Resolver(chart.classes, policies.class_map, "class_map")
        self._locations = Resolver(chart.locations, policies.location_map, "location_map")
        self._customers = Resolver(chart.customers, policies.customer_map, "customer_map")
        self._items = Resolver(chart.items, policies.item_map, "item_map")

    def map_line(self, number: int, line: BillLine, fallback: Coding) -> MappedLine:
        """Map one line; ``fallback`` is the bill's own coding.

        Raises:
            Refusal: The line's account, item, class or customer cannot be resolved.
        """
        where = f"Line {number} of {self._what}"
        coding = _line_coding(line.coding, fallback)
        account, item = self._account_and_item(coding, where)
        quickbooks_class = self._class(coding, where)
        detail: dict[str, Any] = {}
        if item:
            detail["ItemRef"] = {"value": item.id}
            detail |= _quantity_and_price(line)
        else:
            detail["AccountRef"] = {"value": account.id if account else ""}
        if quickbooks_class and self._chart.company.class_tracking is ClassTracking.PER_LINE:
            detail["ClassRef"] = quickbooks_class
        customer = self._customer(coding, where)
        if customer:
            detail["CustomerRef"] = {"value": customer.id}
        if self._tax_code:
            detail["TaxCodeRef"] = {"value": self._tax_code}
        kind = "ItemBasedExpenseLineDetail" if item else "AccountBasedExpenseLineDetail"
        payload: dict[str, Any] = {"Amount": line.amount, "DetailType": kind, kind: detail}
        description = names.plain_text(line.description, _DESCRIPTION_LENGTH)
        if description:
            payload["Description"] = description
        return MappedLine(payload, quickbooks_class)

    def location(self, kind: Kind, bill_id: str) -> dict[str, str]:
        """The QuickBooks location for a BILL location or department.

        Raises:
            Refusal: It cannot be resolved.
        """
        reference = self._known(kind, bill_id, names.sentence_start(self._what))
        return {"value": self._locations.resolve(reference).id}

    def _account_and_item(self, coding: Coding, where: str) -> tuple[Entry | None, Entry | None]:
        item = self._item(coding, where)
        if item and not coding.account:
            return None, item
        account = self._account(coding, where)
        if item and item.expense_account_id == account.id:
            return None, item
        return account, None

    def _account(self, coding: Coding, where: str) -> Entry:
        try:
            return self._coded_account(coding, where)
        except Refusal as miss:
            default = None if miss.awaited else self._default_account()
            if default is None:
                raise
            self.notes.append(
                f"{_short(where)}: booked to the default account '{default.label}' ({miss.reason})"
            )
            return default

    def _coded_account(self, coding: Coding, where: str) -> Entry:
        if not coding.account:
            raise Refusal(
                "account-missing",
                f"{where} is coded to no account.",
                advice="Code the line in BILL, or set default_expense_account.",
            )
        return self._accounts.resolve(self._known(Kind.ACCOUNT, coding.account, where))

    def _default_account(self) -> Entry | None:
        wanted = self._policies.default_expense_account
        if not wanted:
            return None
        entry = self._chart.accounts.find(wanted)
        if entry is None or not entry.active:
            raise Refusal(
                "default-account-unknown",
                f"The default account '{wanted}' is {'inactive' if entry else 'not'} in QuickBooks.",
                advice="Correct the setting default_expense_account.",
            )
        return entry

    def _item(self, coding: Coding, where: str) -> Entry | None:
        if not coding.item:
            return None
        reference = self._known(Kind.ITEM, coding.item, where)
        try:
            item = self._items.resolve(reference)
        except Refusal as miss:
            if not coding.account:
                raise
            self.notes.append(f"{_short(where)}: booked to its account, without the item ({miss.reason})")
            return None
        if item.expense_account_id and item.type != "Category":
            return item
        if coding.account:
            self.notes.append(
                f"{_short(where)}: item '{item.label}' cannot be bought in QuickBooks, account used"
            )
            return None
        raise Refusal(
            "item-not-purchasable",
            f"{where}: item '{item.label}' has no expense account in QuickBooks.",
            advice=(
                "Tick 'I purchase this from a vendor' for the item in QuickBooks, or code the line to an "
                "account in BILL."
            ),
        )

    def _class(self, coding: Coding, where: str) -> dict[str, str] | None:
        if self._chart.company.class_tracking is ClassTracking.OFF:
            return None
        kind, bill_id = {
            LineClassFrom.ACCOUNTING_CLASS: (Kind.CLASS, coding.accounting_class),
            LineClassFrom.DEPARTMENT: (Kind.DEPARTMENT, coding.department),
            LineClassFrom.LOCATION: (Kind.LOCATION, coding.location),
        }[self._policies.line_class_from]
        if not bill_id:
            return None
        return {"value": self._classes.resolve(self._known(kind, bill_id, where)).id}

    def _customer(self, coding: Coding, where: str) -> Entry | None:
        kind, bill_id = (Kind.JOB, coding.job) if coding.job else (Kind.CUSTOMER, coding.customer)
        if not bill_id:
            return None
        return self._customers.resolve(self._known(kind, bill_id, where))

    def _known(self, kind: Kind, bill_id: str, what: str) -> Reference:
        return known(self._references, kind, bill_id, what=what)


def _line_coding(line: Coding, bill: Coding) -> Coding:
    """The line's coding over the bill's.

    A line coded to an item, account, job or customer does not get the other one of the pair from the bill.
    """
    coding = line.over(bill)
    if line.item or line.account:
        coding = replace(coding, item=line.item, account=line.account)
    if line.job or line.customer:
        coding = replace(coding, job=line.job, customer=line.customer)
    return coding


def _short(where: str) -> str:
    """``Line 3`` of ``Line 3 of bill ...``: a note already stands under its bill."""
    return where.partition(" of ")[0]


def _quantity_and_price(line: BillLine) -> dict[str, Decimal]:
    """Quantity and price where QuickBooks will arrive at the very same amount (6070 otherwise)."""
    if line.quantity is None or line.price is None:
        return {}
    if _decimals(line.quantity) > _QUANTITY_DECIMALS or _decimals(line.price) > _PRICE_DECIMALS:
        return {}
    if (line.quantity * line.price).quantize(_CENT, ROUND_HALF_UP) != line.amount:
        return {}
    return {"Qty": line.quantity, "UnitPrice": line.price}


def _decimals(number: Decimal) -> int:
    """How many digits stand behind the decimal point, trailing zeros not counted."""
    return max(-int(number.normalize().as_tuple().exponent), 0)
