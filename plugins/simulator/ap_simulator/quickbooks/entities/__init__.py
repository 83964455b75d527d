"""The entities this simulator knows, by name and by path segment."""

from __future__ import annotations

from typing import Final

from ap_simulator.quickbooks.entities.company import (
    COMPANY_CURRENCY,
    COMPANY_INFO,
    EXCHANGE_RATE,
    PREFERENCES,
)
from ap_simulator.quickbooks.entities.fields import EntityType
from ap_simulator.quickbooks.entities.lists import ACCOUNT, CLASS, DEPARTMENT, ITEM, TAX_CODE, TAX_RATE, TERM
from ap_simulator.quickbooks.entities.people import CUSTOMER, EMPLOYEE, VENDOR
from ap_simulator.quickbooks.entities.purchases import (
    BILL,
    BILL_PAYMENT,
    PURCHASE_ORDER,
    VENDOR_CREDIT,
)

ENTITIES: Final[dict[str, EntityType]] = {
    entity.name: entity
    for entity in (
        VENDOR,
        CUSTOMER,
        EMPLOYEE,
        ACCOUNT,
        CLASS,
        DEPARTMENT,
        ITEM,
        TERM,
        TAX_CODE,
        TAX_RATE,
        PURCHASE_ORDER,
        BILL,
        BILL_PAYMENT,
        VENDOR_CREDIT,
        COMPANY_INFO,
        PREFERENCES,
        COMPANY_CURRENCY,
        EXCHANGE_RATE,
    )
}
BY_SEGMENT: Final[dict[str, EntityType]] = {entity.segment: entity for entity in ENTITIES.values()}
#: Query statements name entities in any case.
BY_FOLDED_NAME: Final[dict[str, EntityType]] = BY_SEGMENT
#: Vendor, Customer and Employee: one name space.
PEOPLE: Final = tuple(e.name for e in ENTITIES.values() if e.family == "people")
