"""The least that a reader of BILL's lists can do: `requests`, one page after the other, nothing written.

Prints as JSON what it read and how long that took, its start and the login left out.
"""

from __future__ import annotations

import json
import os
import sys
import time

import requests

#: The lists of the tap's streams, in the tap's order, each with a sort that it takes.
LISTS = {
    "classifications/chart-of-accounts": "createdTime:asc",
    "classifications/accounting-classes": "createdTime:asc",
    "classifications/departments": "createdTime:asc",
    "classifications/locations": "createdTime:asc",
    "classifications/items": "createdTime:asc",
    "classifications/jobs": "createdTime:asc",
    "classifications/employees": "createdTime:asc",
    "customers": "createdTime:asc",
    "vendors": "createdTime:asc",
    "bills": "createdTime:asc",
    "payments": "createdTime:asc",
    "recurringbills": "archived:asc",
    "vendor-credits": "createdTime:asc",
}


def main() -> None:
    """Log in, page through the lists, print."""
    url = os.environ["TAP_BILL_API_URL"]
    http = requests.Session()
    http.trust_env = False
    login = {
        "username": os.environ["TAP_BILL_USERNAME"],
        "password": os.environ["TAP_BILL_PASSWORD"],
        "organizationId": os.environ["TAP_BILL_ORGANIZATION_ID"],
        "devKey": os.environ["TAP_BILL_DEV_KEY"],
    }
    session = http.post(f"{url}/v3/login", json=login, timeout=60).json()["sessionId"]
    http.headers.update({"sessionId": session, "devKey": login["devKey"]})
    records = calls = 0
    began = time.monotonic()
    for path, sort in LISTS.items():
        page = None
        while True:
            answer = http.get(
                f"{url}/v3/{path}", params={"max": 100, "sort": sort, "page": page}, timeout=60
            ).json()
            calls += 1
            records += len(answer["results"])
            page = answer.get("nextPage")
            if not page:
                break
    json.dump({"records": records, "calls": calls, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    main()
