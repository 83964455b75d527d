"""The tap's streams: which lists of BILL there are, in which order, and how each can be read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any, Final

from singer_sdk.helpers.types import Context
from singer_sdk.singerlib.catalog import REPLICATION_INCREMENTAL
from typing_extensions import override

from tap_bill.bookmarks import ACTIVE
from tap_bill.errors import PermissionDeniedError, RequestRefusedError, UnreadableAnswerError
from tap_bill.list_stream import BillStream
from tap_bill.reading import Page, Reading
from tap_bill.unfinished import Unfinished
from tap_bill.walk import SORTED, WHOLE, PageRequest, Query


class ChartOfAccountsStream(BillStream):
    """Accounts of the chart of accounts."""

    name = "chart_of_accounts"
    path = "/v3/classifications/chart-of-accounts"


class AccountingClassesStream(BillStream):
    """Accounting classes."""

    name = "accounting_classes"
    path = "/v3/classifications/accounting-classes"


class DepartmentsStream(BillStream):
    """Departments."""

    name = "departments"
    path = "/v3/classifications/departments"


class LocationsStream(BillStream):
    """Locations."""

    name = "locations"
    path = "/v3/classifications/locations"


class ItemsStream(BillStream):
    """Items that can be bought or sold."""

    name = "items"
    path = "/v3/classifications/items"


class JobsStream(BillStream):
    """Jobs."""

    name = "jobs"
    path = "/v3/classifications/jobs"


class EmployeesStream(BillStream):
    """Employees."""

    name = "employees"
    path = "/v3/classifications/employees"


class CustomersStream(BillStream):
    """Customers, to whom lines of bills can belong."""

    name = "customers"
    path = "/v3/customers"
    queries = SORTED


class VendorsStream(BillStream):
    """Vendors."""

    name = "vendors"
    path = "/v3/vendors"
    queries = SORTED


class BillsStream(BillStream):
    """Bills with their lines."""

    name = "bills"
    path = "/v3/bills"
    queries = SORTED


class PaymentsStream(BillStream):
    """Payments to vendors."""

    name = "payments"
    path = "/v3/payments"
    queries = SORTED

    @override
    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """What changed, and after it what was not finished when it was last read."""
        if self.replication_method != REPLICATION_INCREMENTAL:
            yield from super().get_records(context)
            return
        unfinished = Unfinished(self.bookmarks(), now=self.connection.client.server_now())
        waiting = dict.fromkeys(unfinished.ids)
        for record in super().get_records(context):
            waiting.pop(record["id"], None)
            unfinished.note(record)
            yield record
        try:
            for record in self.read_again(list(waiting)):
                unfinished.note(record)
                yield record
        except RequestRefusedError as error:
            self.log("payments that are not finished cannot be read again: %s", error, level=logging.WARNING)


class RecurringBillsStream(BillStream):
    """Recurring bills, from which BILL makes bills (BILL manual 4.4)."""

    name = "recurring_bills"
    path = "/v3/recurringbills"
    queries = WHOLE


class VendorCreditsStream(BillStream):
    """Credits of vendors."""

    name = "vendor_credits"
    path = "/v3/vendor-credits"


class OrganizationStream(BillStream):
    """The organization itself: one record, read by its id (BILL manual 4.7)."""

    name = "organization"
    path = "/v3/organizations/{organizationId}"
    queries = (Query(filtered=False, sort=None),)

    @property
    @override
    def url(self) -> str:
        base_url, organization_id = self.connection.settings.base_url, self.connection.session.organization_id
        return f"{base_url}/v3/organizations/{organization_id}"

    @override
    def parameters(self, asked: PageRequest, *, archived_only: bool, ids: Iterable[str]) -> dict[str, Any]:
        return {}

    @override
    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        try:
            yield from self.read(self.prepared(ACTIVE))
        except PermissionDeniedError as error:
            # Everything else can be read without the role that this one record needs.
            self.log("%s; the stream is left out", error, level=logging.WARNING)

    @override
    def may_hide_archived(self, active: Reading) -> bool:
        return False

    @override
    def page_of(self, decoded: Any) -> Page:
        if isinstance(decoded, dict) and decoded.get("id"):
            return Page([decoded])
        msg = f"{self.call.what} brought JSON that is no organization"
        raise UnreadableAnswerError(msg)


#: In the order in which records refer to each other: a bill comes after its vendor and its accounts.
STREAMS: Final[tuple[type[BillStream], ...]] = (
    ChartOfAccountsStream,
    AccountingClassesStream,
    DepartmentsStream,
    LocationsStream,
    ItemsStream,
    JobsStream,
    EmployeesStream,
    CustomersStream,
    VendorsStream,
    BillsStream,
    PaymentsStream,
    RecurringBillsStream,
    VendorCreditsStream,
    OrganizationStream,
)
