"""Vendors, bills, payments, classifications and the rest: which path does what (BILL manual 4)."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from ap_simulator.bill.endpoints.resources import CREATED, Bulk, Resource
from ap_simulator.bill.errors import Code, Problem, Refusal, refusal
from ap_simulator.bill.gate import Call, Handler, json_response
from ap_simulator.bill.organization import ADMINISTRATOR
from ap_simulator.bill.records import (
    bills,
    classifications,
    customers,
    organizations,
    payment_progress,
    payments,
    recurring_bills,
    vendor_credits,
    vendors,
)
from ap_simulator.bill.wire import Record

_CLASSIFICATION_PATHS: Final = {
    "chart_of_accounts": "chart-of-accounts",
    "accounting_classes": "accounting-classes",
    "departments": "departments",
    "locations": "locations",
    "items": "items",
    "jobs": "jobs",
    "employees": "employees",
}


def _create_vendor(call: Call, body: Any, where: str) -> Record:
    _check_auto_pay(call, body)
    return vendors.create(call.organization.books, body, where=where)


def _patch_vendor(call: Call, record_id: str, body: Any, _: str) -> Record:
    _check_auto_pay(call, body)
    return vendors.patch(call.organization.books, record_id, body)


def _check_auto_pay(call: Call, body: Any) -> None:
    if vendors.asks_for_auto_pay(body):
        call.require_payer()


def _bill_view(call: Call, record: Record) -> Record:
    asked = call.parameters.get("billApprovals") == "true"
    return bills.created_view(record, with_approvers=asked)


def _classification(collection: str) -> Resource:
    def create(call: Call, body: Any, where: str) -> Record:
        return classifications.create(call.organization.books, collection, body, where=where)

    def patch(call: Call, record_id: str, body: Any, where: str) -> Record:
        books = call.organization.books
        return classifications.patch(books, collection, record_id, body, where=where)

    def archive(call: Call, record_id: str, archived: bool) -> Record:  # noqa: FBT001
        books = call.organization.books
        return classifications.archive(books, collection, record_id, archived=archived)

    return Resource(
        path=f"classifications/{_CLASSIFICATION_PATHS[collection]}",
        collection=collection,
        create=create,
        patch=patch,
        archive=archive,
        bulk=Bulk(
            key=classifications.BULK_KEYS[collection],
            most=50,
            operations=frozenset({"create", "patch", "archive", "restore"}),
        ),
    )


RESOURCES: Final = (
    Resource(
        path="vendors",
        collection="vendors",
        create=_create_vendor,
        patch=_patch_vendor,
        archive=lambda call, record_id, archived: vendors.archive(
            call.organization.books, record_id, archived=archived
        ),
        bulk=Bulk(key="vendors", most=100, operations=frozenset({"create"})),
    ),
    Resource(
        path="bills",
        collection="bills",
        create=lambda call, body, where: bills.create(
            call.organization.books, body, actor=call.actor, where=where
        ),
        created_view=_bill_view,
        patch=lambda call, record_id, body, _: bills.patch(call.organization.books, record_id, body),
        put=lambda call, record_id, body, _: bills.put(call.organization.books, record_id, body),
        archive=lambda call, record_id, archived: bills.archive(
            call.organization.books, record_id, archived=archived
        ),
        bulk=Bulk(key=None, most=100, operations=frozenset({"create"})),
    ),
    Resource(path="payments", collection="payments"),
    Resource(
        path="recurringbills",
        collection="recurring_bills",
        create=lambda call, body, _: recurring_bills.create(
            call.organization.books, call.organization.schedule, body
        ),
        patch=lambda call, record_id, body, _: recurring_bills.patch(
            call.organization.books, call.organization.schedule, record_id, body
        ),
        put=lambda call, record_id, body, _: recurring_bills.put(
            call.organization.books, call.organization.schedule, record_id, body
        ),
        archive=lambda call, record_id, archived: recurring_bills.archive(
            call.organization.books, call.organization.schedule, record_id, archived=archived
        ),
    ),
    Resource(
        path="vendor-credits",
        collection="vendor_credits",
        create=lambda call, body, where: vendor_credits.create(call.organization.books, body, where=where),
        created_view=lambda _, record: vendor_credits.created_view(record),
        patch=lambda call, record_id, body, where: vendor_credits.patch(
            call.organization.books, record_id, body, where=where
        ),
        put=lambda call, record_id, body, where: vendor_credits.put(
            call.organization.books, record_id, body, where=where
        ),
        archive=lambda call, record_id, _: vendor_credits.archive(call.organization.books, record_id),
        restorable=False,
        bulk=Bulk(
            key="vendorCredits",
            most=50,
            operations=frozenset({"create", "patch", "put", "archive"}),
        ),
    ),
    *(_classification(collection) for collection in _CLASSIFICATION_PATHS),
    Resource(
        path="customers",
        collection="customers",
        create=lambda call, body, _: customers.create(call.organization.books, body),
        patch=lambda call, record_id, body, _: customers.patch(call.organization.books, record_id, body),
        archive=lambda call, record_id, archived: customers.archive(
            call.organization.books, record_id, archived=archived
        ),
    ),
    Resource(path="users", collection="users"),
    Resource(path="roles", collection="roles"),
    Resource(path="funding-accounts/banks", collection="bank_accounts"),
)


async def get_organization(call: Call) -> Response:
    """`GET /v3/organizations/{id}`: the session's own, for administrators."""
    _check_organization(call)
    return call.record("organization", call.organization.books.get("organization", call.id))


async def patch_organization(call: Call) -> Response:
    """`PATCH /v3/organizations/{id}`."""
    _check_organization(call)
    record = organizations.patch(call.organization.books, call.id, await call.body())
    return call.record("organization", record)


def _check_organization(call: Call) -> None:
    if call.session.login.role != ADMINISTRATOR:
        problem = Problem(Code.INVALID, "The role ADMINISTRATOR is required")
        raise Refusal([problem], status=call.switches.permission_status)
    if call.id != call.organization.id:
        raise refusal(Code.NO_SUCH_OBJECT)


async def create_payment(call: Call) -> Response:
    """`POST /v3/payments`."""
    call.require_payer()
    record = payments.create(call.organization.books, await call.body(), actor=call.actor)
    return call.record("payments", record, status=CREATED)


async def create_payments(call: Call) -> Response:
    """`POST /v3/payments/bulk`."""
    call.require_payer()
    made = payments.create_bulk(call.organization.books, await call.body(), actor=call.actor)
    return call.records("payments", made, key="payments", status=CREATED)


async def record_payment(call: Call) -> Response:
    """`POST /v3/bills/record-payment`: a payment outside BILL."""
    record = payments.record_offline(call.organization.books, await call.body(), actor=call.actor)
    return call.record("payments", record, status=CREATED)


async def cancel_payment(call: Call) -> Response:
    """`POST /v3/payments/{id}/cancel`."""
    call.require_payer()
    return call.record("payments", payment_progress.cancel(call.organization.books, call.id))


async def void_payment(call: Call) -> Response:
    """`POST /v3/payments/{id}/void`."""
    call.require_payer()
    body = await call.body()
    record = payment_progress.void(call.organization.books, call.id, body, actor=call.actor)
    return call.record("payments", record)


async def get_vendor_bank_account(call: Call) -> Response:
    """`GET /v3/vendors/{id}/bank-account`."""
    return json_response(vendors.bank_account(call.organization.books, call.id))


async def set_vendor_bank_account(call: Call) -> Response:
    """`POST /v3/vendors/{id}/bank-account`."""
    body = await call.body()
    return json_response(vendors.set_bank_account(call.organization.books, call.id, body or {}))


async def delete_vendor_bank_account(call: Call) -> Response:
    """`DELETE /v3/vendors/{id}/bank-account`: 204."""
    vendors.set_bank_account(call.organization.books, call.id, None)
    return Response(status_code=204)


#: Requests besides those of `RESOURCES`: method, path, handler.
OTHERS: Final[tuple[tuple[str, str, Handler], ...]] = (
    ("GET", "/organizations/{id}", get_organization),
    ("PATCH", "/organizations/{id}", patch_organization),
    ("POST", "/payments", create_payment),
    ("POST", "/payments/bulk", create_payments),
    ("POST", "/payments/{id}/cancel", cancel_payment),
    ("POST", "/payments/{id}/void", void_payment),
    ("POST", "/bills/record-payment", record_payment),
    ("GET", "/vendors/{id}/bank-account", get_vendor_bank_account),
    ("POST", "/vendors/{id}/bank-account", set_vendor_bank_account),
    ("DELETE", "/vendors/{id}/bank-account", delete_vendor_bank_account),
)
