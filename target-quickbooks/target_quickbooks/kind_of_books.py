"""Refuses to go on in another kind of books: what was written as orders is not written as bills beside them.

The same bill would be there twice, once as an order and once as a bill.
"""

from __future__ import annotations

from target_quickbooks.errors import PreflightFailed
from target_quickbooks.links import Company
from target_quickbooks.policies import Policies, TransactionType
from target_quickbooks.preflight import Finding, Severity
from target_quickbooks.store import link_table
from target_quickbooks.store.database import Store

_ENTITIES = {
    TransactionType.PURCHASE_ORDER: ("PurchaseOrder",),
    TransactionType.BILL: ("Bill", "VendorCredit", "BillPayment"),
}
_OTHER = {
    TransactionType.PURCHASE_ORDER: TransactionType.BILL,
    TransactionType.BILL: TransactionType.PURCHASE_ORDER,
}
_NOUNS = {
    "PurchaseOrder": "purchase orders",
    "Bill": "bills",
    "VendorCredit": "vendor credits",
    "BillPayment": "bill payments",
}


def problem_with(store: Store, company: Company, policies: Policies) -> Finding | None:
    """Why a run with these settings must not write to a company; None if it may."""
    wanted = policies.transaction_type
    before = _OTHER[wanted]
    with store.reading() as connection:
        held = link_table.holds(connection, company, _ENTITIES[before])
    if not held:
        return None
    return Finding(
        Severity.ERROR,
        "transaction-type-changed",
        f"transaction_type is {wanted}, but bills of organization {company.organization_id} were written to "
        f"company {company.realm_id} as {_NOUNS[held]}: written again in another way, each would be there "
        "twice.",
        f"Set transaction_type back to {before}; or begin anew with another store_url, after the "
        f"{_NOUNS[held]} were closed, voided or deleted in QuickBooks.",
        "transaction_type",
    )


def problems_of_realm(store: Store, realm_id: str, policies: Policies) -> list[Finding]:
    """The same for all organizations that were written to a company of QuickBooks."""
    with store.reading() as connection:
        organizations = {row[1] for row in link_table.counts(connection) if row[0] == realm_id}
    found = (problem_with(store, Company(realm_id, one), policies) for one in sorted(organizations))
    return [one for one in found if one]


def admit(store: Store, company: Company, policies: Policies) -> None:
    """Let a run write to a company.

    Raises:
        PreflightFailed: It was written to in the other way.
    """
    problem = problem_with(store, company, policies)
    if problem:
        raise PreflightFailed(f"Stopped before the first write: {problem.text} {problem.advice}")
