"""Changes some records in BILL the way a person would: through BILL's public API.

It picks plain records, so that each change is one that a target can carry over: unpaid bills of
active domestic vendors, coded to the expense accounts that most bills use.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter
from types import TracebackType
from typing import Any, Final, Self

import requests
import simplejson

from ap_simulator.company.identities import Identities

Record = dict[str, Any]

_PAGE: Final = 100
_MOST_PAGES: Final = 10
_ORDINARY_ACCOUNTS: Final = 8
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9 .,&-]{1,60}")
_REVISION: Final = re.compile(r"(?P<text>.*?)(?: \(revision (?P<number>\d+)\))?", re.DOTALL)


class ChangeError(Exception):
    """BILL refused, or there are too few records to change. One line for the reader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One changed field of one record."""

    kind: str
    record_id: str
    name: str
    field: str
    before: str
    after: str


class BillApi:
    """A session with BILL's API."""

    def __init__(self, url: str, identities: Identities) -> None:
        """Log in.

        Raises:
            ChangeError: BILL refused or does not answer.
        """
        self._url = url.rstrip("/")
        self._http = requests.Session()
        self._http.trust_env = False
        login = {
            "username": identities.username,
            "password": identities.password,
            "organizationId": identities.organization_id,
            "devKey": identities.dev_key,
        }
        session_id = self._call("POST", "login", body=login)["sessionId"]
        self._http.headers.update({"sessionId": session_id, "devKey": identities.dev_key})

    def __enter__(self) -> Self:
        """Use the session as a context that logs out."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Log out."""
        if error is None:
            self._call("POST", "logout")
        self._http.close()

    def pages(self, path: str, **query: str) -> Iterator[list[Record]]:
        """The first pages of a list, each of at most 100 records."""
        params: dict[str, str] = {"max": str(_PAGE), **query}
        for _ in range(_MOST_PAGES):
            answer = self._call("GET", path, params=params)
            yield answer["results"]
            if not answer.get("nextPage"):
                return
            params["page"] = answer["nextPage"]

    def patch(self, path: str, body: Mapping[str, Any]) -> Record:
        """Change some fields of a record."""
        return self._call("PATCH", path, body=body)

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Record:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            response = self._http.request(
                method,
                f"{self._url}/v3/{path}",
                data=None if body is None else simplejson.dumps(body, use_decimal=True),
                params=params,
                headers=headers,
                timeout=60,
            )
        except requests.RequestException as error:
            msg = f"BILL's API does not answer at {self._url}"
            raise ChangeError(msg) from error
        if not response.ok:
            msg = f"BILL refused {method} {path}: HTTP {response.status_code} {response.text[:300]}"
            raise ChangeError(msg)
        if not response.content:
            return {}
        answer: Record = simplejson.loads(response.text, use_decimal=True)
        return answer


def change_records(api: BillApi, count: int) -> list[Change]:
    """Change `count` records: in turn a vendor's phone, a bill's amount, a bill's due date and text.

    The same records are picked as long as the company is the same.

    Raises:
        ChangeError: There are not so many plain records, or BILL refused.
    """
    vendors = _plain_vendors(api)
    bills = _plain_bills(api, vendors)
    # The vendors of those bills come first: they are sure to be in use.
    in_use = dict.fromkeys(bill["vendorId"] for bill in bills)
    vendors_left = iter([vendors[vendor_id] for vendor_id in in_use])
    bills_left = iter(bills)
    changes: list[Change] = []
    try:
        for turn in range(count):
            match turn % 3:
                case 0:
                    changes += _change_phone(api, next(vendors_left))
                case 1:
                    changes += _change_amount(api, next(bills_left))
                case _:
                    changes += _change_due_date(api, next(bills_left))
    except StopIteration as error:
        msg = f"BILL has too few plain, active records to change {count} of them"
        raise ChangeError(msg) from error
    return changes


def _plain_vendors(api: BillApi) -> dict[str, Record]:
    """Active domestic vendors with an ordinary name, by id."""
    found = {}
    query = {"filters": "archived:eq:false,billCurrency:eq:USD", "sort": "createdTime:asc"}
    for page in api.pages("vendors", **query):
        for vendor in page:
            if _PLAIN_NAME.fullmatch(vendor.get("name", "")):
                found[vendor["id"]] = vendor
    return found


def _plain_bills(api: BillApi, vendors: Mapping[str, Record]) -> list[Record]:
    """Unpaid bills of those vendors, all lines on often used expense accounts.

    The newest bill of each vendor comes first, then the second of each, and so on.
    """
    query = {"filters": "archived:eq:false,paymentStatus:eq:UNPAID", "sort": "createdTime:desc"}
    unpaid = [
        bill
        for page in api.pages("bills", **query)
        for bill in page
        if bill["vendorId"] in vendors and bill.get("recordStatus", "ACTIVE") == "ACTIVE"
    ]
    expenses = {
        account["id"]
        for page in api.pages("classifications/chart-of-accounts", filters="archived:eq:false")
        for account in page
        if account.get("account", {}).get("type") == "EXPENSE"
    }
    uses = Counter(account for bill in unpaid for account in _accounts(bill) if account in expenses)
    ordinary = {account for account, _ in uses.most_common(_ORDINARY_ACCOUNTS)}
    plain = [
        bill
        for bill in unpaid
        if bill.get("billLineItems") and set(_accounts(bill)) <= ordinary and _simple_lines(bill)
    ]
    bills_before: Counter[str] = Counter()
    rounds: list[tuple[int, int, Record]] = []
    for position, bill in enumerate(plain):
        rounds.append((bills_before[bill["vendorId"]], position, bill))
        bills_before[bill["vendorId"]] += 1
    return [bill for *_, bill in sorted(rounds, key=itemgetter(0, 1))]


def _accounts(bill: Record) -> list[str]:
    return [
        line.get("classifications", {}).get("chartOfAccountId", "") for line in bill.get("billLineItems", [])
    ]


def _simple_lines(bill: Record) -> bool:
    """Whether the lines are amounts on accounts, without items, quantities and prices."""
    return not any(
        "quantity" in line or "price" in line or "itemId" in line.get("classifications", {})
        for line in bill["billLineItems"]
    )


def _change_phone(api: BillApi, vendor: Record) -> list[Change]:
    before = vendor.get("phone", "")
    digits = re.sub(r"\D", "", before)[-2:] or "0"
    after = f"41555501{(int(digits) + 1) % 100:02d}"
    api.patch(f"vendors/{vendor['id']}", {"phone": after})
    return [_change("vendor", vendor, vendor["name"], "phone", before, after)]


def _change_amount(api: BillApi, bill: Record) -> list[Change]:
    lines = [dict(line) for line in bill["billLineItems"]]
    before = Decimal(lines[0]["amount"])
    lines[0]["amount"] = before + 1
    api.patch(f"bills/{bill['id']}", {"billLineItems": lines})
    after = f"{before + 1:.2f}"
    return [_change("bill", bill, _number(bill), "line 1, amount", f"{before:.2f}", after)]


def _change_due_date(api: BillApi, bill: Record) -> list[Change]:
    old_date, old_text = bill["dueDate"], bill.get("description", "")
    new_date = (date.fromisoformat(old_date) + timedelta(days=7)).isoformat()
    revision = _REVISION.fullmatch(old_text)
    number = int(revision["number"] or 0) + 1 if revision else 1
    text = revision["text"] if revision else old_text
    new_text = f"{text} (revision {number})".strip()
    api.patch(f"bills/{bill['id']}", {"dueDate": new_date, "description": new_text})
    return [
        _change("bill", bill, _number(bill), "due date", old_date, new_date),
        _change("bill", bill, _number(bill), "description", old_text, new_text),
    ]


def _number(bill: Record) -> str:
    number: str = bill.get("invoice", {}).get("invoiceNumber", "")
    return f"{bill.get('vendorName', '')} {number}".strip()


def _change(kind: str, record: Record, name: str, field: str, before: str, after: str) -> Change:
    return Change(kind=kind, record_id=record["id"], name=name, field=field, before=before, after=after)
