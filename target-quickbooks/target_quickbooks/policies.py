"""What a user decides about mapping and planning: the policies and their choices. No secrets."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class TransactionType(enum.StrEnum):
    """What a BILL bill becomes in QuickBooks."""

    PURCHASE_ORDER = "purchase_order"
    BILL = "bill"


class PostPayments(enum.StrEnum):
    """Which payments of BILL become bill payments in QuickBooks, where bills are bills there."""

    CLEARED = "cleared"
    NEVER = "never"


class VendorConflict(enum.StrEnum):
    """What to do when the name of a new vendor is already taken in QuickBooks."""

    ADOPT = "adopt"
    SUFFIX = "suffix"
    FAIL = "fail"


class ArchivedVendor(enum.StrEnum):
    """What to do with the QuickBooks vendor of a vendor archived in BILL."""

    DEACTIVATE = "deactivate"
    LEAVE = "leave"


class InactiveVendor(enum.StrEnum):
    """What to do when a person made the QuickBooks vendor of an active BILL vendor inactive."""

    HOLD = "hold"
    REACTIVATE = "reactivate"


class MissingInQuickBooks(enum.StrEnum):
    """What to do when a person deleted the QuickBooks object of a BILL vendor or bill."""

    HOLD = "hold"
    RECREATE = "recreate"


class ArchivedBill(enum.StrEnum):
    """What to do with the purchase order of a bill archived in BILL."""

    CLOSE = "close"
    LEAVE = "leave"


class PaidBill(enum.StrEnum):
    """What to do with the purchase order of a bill that BILL reports as paid."""

    CLOSE = "close"
    LEAVE = "leave"


class UnapprovedBill(enum.StrEnum):
    """What to do with a bill that its approvers in BILL have not approved (yet, or again)."""

    WRITE = "write"
    WAIT = "wait"


class DeniedBill(enum.StrEnum):
    """What to do with a bill that an approver in BILL denied."""

    CLOSE = "close"
    WRITE = "write"


class BilledOrder(enum.StrEnum):
    """What to do with an order that has a bill in QuickBooks when its BILL bill changes."""

    LEAVE = "leave"
    UPDATE = "update"


class TaxCalculation(enum.StrEnum):
    """What the amounts of an order mean for tax, in companies outside the US."""

    NOT_APPLICABLE = "not_applicable"
    TAX_EXCLUDED = "tax_excluded"
    TAX_INCLUSIVE = "tax_inclusive"


class DocumentNumber(enum.StrEnum):
    """Where the purchase order's document number comes from."""

    INVOICE_NUMBER = "invoice_number"
    BILL_ID = "bill_id"
    AUTO = "auto"


class EditConflict(enum.StrEnum):
    """What to do when a person edited the QuickBooks object after our last write."""

    BILL_WINS = "bill_wins"
    QUICKBOOKS_WINS = "quickbooks_wins"
    HOLD = "hold"


class ClosedPeriod(enum.StrEnum):
    """What to do with a transaction dated in a closed period."""

    HOLD = "hold"
    REDATE = "redate"
    FAIL = "fail"


class LineClassFrom(enum.StrEnum):
    """Which BILL classification becomes the QuickBooks class of a line."""

    ACCOUNTING_CLASS = "accounting_class"
    DEPARTMENT = "department"
    LOCATION = "location"


class LocationFrom(enum.StrEnum):
    """Which BILL classification becomes the QuickBooks location (department) of the document."""

    LOCATION = "location"
    DEPARTMENT = "department"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Policies:
    """The settings that mapping and planning read. No secrets, no addresses.

    What ``repr`` leaves out does not make records that were written before worth another look.
    """

    account_map: Mapping[str, str] = field(default_factory=dict)
    class_map: Mapping[str, str] = field(default_factory=dict)
    location_map: Mapping[str, str] = field(default_factory=dict)
    customer_map: Mapping[str, str] = field(default_factory=dict)
    item_map: Mapping[str, str] = field(default_factory=dict)
    default_expense_account: str | None = None
    line_class_from: LineClassFrom = LineClassFrom.ACCOUNTING_CLASS
    location_from: LocationFrom = LocationFrom.LOCATION
    vendor_conflict: VendorConflict = VendorConflict.ADOPT
    edit_conflict: EditConflict = EditConflict.BILL_WINS
    closed_period: ClosedPeriod = ClosedPeriod.HOLD
    document_number: DocumentNumber = DocumentNumber.INVOICE_NUMBER
    archived_vendor: ArchivedVendor = ArchivedVendor.DEACTIVATE
    inactive_vendor: InactiveVendor = InactiveVendor.HOLD
    missing_in_quickbooks: MissingInQuickBooks = MissingInQuickBooks.HOLD
    archived_bill: ArchivedBill = ArchivedBill.CLOSE
    paid_bill: PaidBill = PaidBill.CLOSE
    unapproved_bill: UnapprovedBill = UnapprovedBill.WRITE
    denied_bill: DeniedBill = DeniedBill.WRITE
    billed_order: BilledOrder = BilledOrder.LEAVE
    tax_code: str | None = None
    tax_calculation: TaxCalculation = TaxCalculation.NOT_APPLICABLE
    transaction_type: TransactionType = field(default=TransactionType.PURCHASE_ORDER, repr=False)
    post_payments: PostPayments = field(default=PostPayments.CLEARED, repr=False)
    payment_account: str | None = field(default=None, repr=False)

    @property
    def posts_bills(self) -> bool:
        """Whether payables are kept in QuickBooks: bills, vendor credits and perhaps payments."""
        return self.transaction_type is TransactionType.BILL

    @property
    def posts_payments(self) -> bool:
        """Whether payments are written as such."""
        return self.posts_bills and self.post_payments is not PostPayments.NEVER
