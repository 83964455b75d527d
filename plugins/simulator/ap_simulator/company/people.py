"""Who works with BILL, and the accounts that payments are made from (BILL manual 4.8, 4.11)."""

from __future__ import annotations

from typing import Final

from ap_simulator.bill.identifiers import PREFIXES, identifier
from ap_simulator.company.bill_format import Record, bill_id, times
from ap_simulator.company.bill_lists import bill_lists
from ap_simulator.company.bills import USER_IDS
from ap_simulator.company.calendar import BOOKS_OPENED
from ap_simulator.company.identities import DEMO

_USERS: Final = (
    ("Joanna", "Kowalska", "joanna.kowalska@larkfield.example", "APPROVER"),
    ("Samuel", "Achebe", "samuel.achebe@larkfield.example", "APPROVER"),
)


def users() -> list[Record]:
    """Those who approve bills. The demo's login is added with its password, by the service."""
    return [
        {
            "id": user_id,
            "archived": False,
            "firstName": first_name,
            "lastName": last_name,
            "email": email,
            "role": {
                "id": identifier(PREFIXES["roles"], seed=f"{DEMO.organization_id}/{role}", number=1),
                "type": role,
                "description": role.capitalize(),
            },
            **times(BOOKS_OPENED),
        }
        for user_id, (first_name, last_name, email, role) in zip(USER_IDS[1:], _USERS, strict=True)
    ]


def bank_accounts() -> list[Record]:
    """The company's checking account and the account behind its card."""
    lists = bill_lists()
    return [
        {
            "id": bill_id("bank_accounts", number),
            "archived": False,
            "status": "VERIFIED",
            "createdBy": USER_IDS[0],
            "routingNumber": "074900783",
            "accountNumber": f"************{last_digits}",
            "nameOnAccount": DEMO.company_name,
            "type": "CHECKING",
            "ownerType": "BUSINESS",
            "bankName": "First Meridian Bank",
            "accessToAdmins": True,
            "default": {"payables": False, "receivables": False},
            "chartOfAccountId": lists.id_of("chart_of_accounts", key),
            **times(BOOKS_OPENED),
        }
        for number, (last_digits, key) in enumerate((("4471", "checking"), ("9023", "card")), 1)
    ]
