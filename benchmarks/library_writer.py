"""What people would write without this project: vendors by `python-quickbooks`, one by one or in batches.

Reads a tap's output and makes a vendor of each that is not archived. Prints as JSON how many it made and how
long that took, its start, the reading of the file and the token left out.

    python benchmarks/library_writer.py save|batch_create vendors.jsonl [at most so many]
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # oauthlib's own switch for servers without TLS

import intuitlib.client
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.batch import batch_create
from quickbooks.objects.base import Address, EmailAddress, PhoneNumber
from quickbooks.objects.vendor import Vendor


def client() -> QuickBooks:
    """The library's client with the library's own session; only its addresses point to the simulator."""
    url = os.environ["TARGET_QUICKBOOKS_API_URL"]
    QuickBooks.api_url_v3 = QuickBooks.sandbox_api_url_v3 = f"{url}/v3"
    discovery = {
        "authorization_endpoint": f"{url}/connect/oauth2",
        "token_endpoint": os.environ["TARGET_QUICKBOOKS_TOKEN_URL"],
        "revocation_endpoint": f"{url}/v2/oauth2/tokens/revoke",
        "issuer": "https://oauth.platform.intuit.com/op/v1",
        "jwks_uri": f"{url}/op/v1/jwks",
        "userinfo_endpoint": f"{url}/v1/openid_connect/userinfo",
    }
    intuitlib.client.get_discovery_doc = lambda *_, **__: discovery
    auth = AuthClient(
        os.environ["TARGET_QUICKBOOKS_CLIENT_ID"],
        os.environ["TARGET_QUICKBOOKS_CLIENT_SECRET"],
        "https://app.example/callback",
        "sandbox",
    )
    return QuickBooks(
        auth_client=auth,
        refresh_token=os.environ["TARGET_QUICKBOOKS_REFRESH_TOKEN"],
        company_id=os.environ["TARGET_QUICKBOOKS_REALM_ID"],
        minorversion=75,
        use_decimal=True,
    )


def vendor_of(record: dict[str, Any]) -> Vendor:
    """The main fields, without any of the checks that real data need."""
    vendor = Vendor()
    vendor.DisplayName = vendor.CompanyName = record["name"]
    vendor.AcctNum = record.get("accountNumber") or ""
    given = record.get("address") or {}
    vendor.BillAddr = Address()
    vendor.BillAddr.Line1 = given.get("line1") or ""
    vendor.BillAddr.City = given.get("city") or ""
    vendor.BillAddr.CountrySubDivisionCode = given.get("stateOrProvince") or ""
    vendor.BillAddr.PostalCode = given.get("zipOrPostalCode") or ""
    if record.get("email"):
        vendor.PrimaryEmailAddr = EmailAddress()
        vendor.PrimaryEmailAddr.Address = record["email"]
    if record.get("phone"):
        vendor.PrimaryPhone = PhoneNumber()
        vendor.PrimaryPhone.FreeFormNumber = record["phone"]
    return vendor


def main() -> None:
    """Write vendors, print."""
    how, path, *most = sys.argv[1:]
    with Path(path).open(encoding="utf-8") as lines:
        messages = [json.loads(line) for line in lines]
    records = [
        message["record"]
        for message in messages
        if message["type"] == "RECORD"
        and message["stream"] == "vendors"
        and not message["record"]["archived"]
    ]
    records = records[: int(most[0])] if most else records
    qb = client()
    began = time.monotonic()
    vendors = [vendor_of(record) for record in records]
    if how == "save":
        for vendor in vendors:
            vendor.save(qb=qb)
        made = len(vendors)
    else:
        made = len(batch_create(vendors, qb=qb).successes)
    json.dump({"records": made, "seconds": time.monotonic() - began}, sys.stdout)


if __name__ == "__main__":
    main()
