"""python-quickbooks, as it comes from its maker, against this service.

Only its base URL is pointed here; the session is the library's own, made by `intuit-oauth`.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from intuitlib.client import AuthClient
from quickbooks import QuickBooks
from quickbooks.batch import batch_create, batch_delete, batch_update
from quickbooks.cdc import change_data_capture
from quickbooks.exceptions import (
    AuthorizationException,
    ObjectNotFoundException,
    QuickbooksException,
    UnsupportedException,
    ValidationException,
)
from quickbooks.objects.account import Account
from quickbooks.objects.base import Address, EmailAddress, PhoneNumber, Ref, WebAddress
from quickbooks.objects.bill import Bill
from quickbooks.objects.billpayment import BillPayment, BillPaymentLine, CheckPayment
from quickbooks.objects.company_info import CompanyInfo
from quickbooks.objects.customer import Customer
from quickbooks.objects.department import Department
from quickbooks.objects.detailline import (
    AccountBasedExpenseLine,
    AccountBasedExpenseLineDetail,
    ItemBasedExpenseLine,
    ItemBasedExpenseLineDetail,
)
from quickbooks.objects.employee import Employee
from quickbooks.objects.exchangerate import ExchangeRate
from quickbooks.objects.item import Item
from quickbooks.objects.preferences import Preferences
from quickbooks.objects.purchaseorder import PurchaseOrder
from quickbooks.objects.taxcode import TaxCode
from quickbooks.objects.term import Term
from quickbooks.objects.trackingclass import Class
from quickbooks.objects.vendor import Vendor
from quickbooks.objects.vendorcredit import VendorCredit


@pytest.fixture
def qb(books, monkeypatch):
    """The library's client, connected to the test company."""
    base = books.simulator.url
    # oauthlib's own switch for servers without TLS.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setattr(QuickBooks, "api_url_v3", f"{base}/v3")
    monkeypatch.setattr(QuickBooks, "sandbox_api_url_v3", f"{base}/v3")
    discovery = {
        "authorization_endpoint": f"{base}/connect/oauth2",
        "token_endpoint": f"{base}/oauth2/v1/tokens/bearer",
        "revocation_endpoint": f"{base}/v2/oauth2/tokens/revoke",
        "issuer": "https://oauth.platform.intuit.com/op/v1",
        "jwks_uri": f"{base}/op/v1/jwks",
        "userinfo_endpoint": f"{base}/v1/openid_connect/userinfo",
    }
    monkeypatch.setattr("intuitlib.client.get_discovery_doc", lambda *_, **__: discovery)
    client_id, secret, refresh_token = books.credentials()
    auth = AuthClient(client_id, secret, "https://app.example/callback", "sandbox")
    return QuickBooks(
        auth_client=auth,
        refresh_token=refresh_token,
        company_id=books.realm_id,
        minorversion=75,
        use_decimal=True,
    )


def make_vendor(name: str, **fields: Any) -> Vendor:
    vendor = Vendor()
    vendor.DisplayName = name
    for key, value in fields.items():
        setattr(vendor, key, value)
    return vendor


def ref(value: str) -> Ref:
    reference = Ref()
    reference.value = value
    return reference


def account_line(books, amount) -> AccountBasedExpenseLine:
    line = AccountBasedExpenseLine()
    line.Amount = amount
    line.AccountBasedExpenseLineDetail = AccountBasedExpenseLineDetail()
    line.AccountBasedExpenseLineDetail.AccountRef = ref(books.TRAVEL)
    return line


def make_order(books, **fields: Any) -> PurchaseOrder:
    order = PurchaseOrder()
    order.VendorRef = ref(books.VENDOR)
    order.APAccountRef = ref(books.PAYABLE)
    item = ItemBasedExpenseLine()
    item.Amount = Decimal("25.50")
    item.ItemBasedExpenseLineDetail = ItemBasedExpenseLineDetail()
    item.ItemBasedExpenseLineDetail.ItemRef = ref(books.PUMP)
    item.ItemBasedExpenseLineDetail.Qty = 2
    item.ItemBasedExpenseLineDetail.UnitPrice = Decimal("12.75")
    item.ItemBasedExpenseLineDetail.ClassRef = ref(books.ENGINEERING)
    item.ItemBasedExpenseLineDetail.CustomerRef = ref(books.CUSTOMER)
    order.Line = [item, account_line(books, Decimal("80.00"))]
    for key, value in fields.items():
        setattr(order, key, value)
    return order


class TestVendors:
    def test_create_read_update(self, qb):
        vendor = make_vendor("Dianne's Auto Shop", TaxIdentifier="99-5688293", AcctNum="353")
        vendor.BillAddr = Address()
        vendor.BillAddr.Line1 = "29834 Mustang Ave."
        vendor.BillAddr.City = "Millbrae"
        vendor.PrimaryPhone = PhoneNumber()
        vendor.PrimaryPhone.FreeFormNumber = "(650) 555-2342"
        vendor.PrimaryEmailAddr = EmailAddress()
        vendor.PrimaryEmailAddr.Address = "dianne@auto.example"
        vendor.WebAddr = WebAddress()
        vendor.WebAddr.URI = "http://auto.example"
        saved = vendor.save(qb=qb)
        assert saved.TaxIdentifier == "99-5688293"

        read = Vendor.get(saved.Id, qb=qb)
        assert read.DisplayName == "Dianne's Auto Shop"
        assert read.BillAddr.City == "Millbrae"
        assert read.PrimaryEmailAddr.Address == "dianne@auto.example"
        assert read.CurrencyRef.value == "USD"
        assert read.TaxIdentifier.endswith("8293")
        assert read.Balance == 0

        read.AcctNum = "354"
        updated = read.save(qb=qb)
        assert (updated.AcctNum, updated.SyncToken) == ("354", "1")

    def test_query_filter_count_and_choose(self, qb):
        for name in ("O'Neil Supply", "A, B & C", "Ünïcode \\ Ltd"):
            make_vendor(name).save(qb=qb)
        assert [v.DisplayName for v in Vendor.filter(DisplayName="O'Neil Supply", qb=qb)] == ["O'Neil Supply"]
        chosen = Vendor.choose(["O'Neil Supply", "A, B & C", "Nobody"], "DisplayName", qb=qb)
        assert [v.DisplayName for v in chosen] == ["O'Neil Supply", "A, B & C"]
        assert Vendor.count(qb=qb) == 4
        assert Vendor.count("Active IN (true, false)", qb=qb) == 5
        assert Vendor.where("DisplayName LIKE 'O%'", order_by="DisplayName", qb=qb)
        assert len(Vendor.all(max_results=2, order_by="DisplayName DESC", qb=qb)) == 2
        assert Vendor.filter(DisplayName="Nobody", qb=qb) == []
        paged = Vendor.where(order_by="MetaData.CreateTime", start_position=3, max_results=2, qb=qb)
        assert len(paged) == 2

    def test_deactivate(self, qb):
        vendor = make_vendor("Gone").save(qb=qb)
        vendor.Active = False
        assert vendor.save(qb=qb).DisplayName == "Gone (deleted)"
        assert Vendor.filter(Active=True, DisplayName="Gone", qb=qb) == []
        assert len(Vendor.filter(Active=False, qb=qb)) == 2

    def test_request_id(self, qb):
        first = make_vendor("Once").save(qb=qb, request_id="abc")
        second = make_vendor("Once").save(qb=qb, request_id="abc")
        assert first.Id == second.Id


class TestErrors:
    def test_taken_name(self, qb):
        with pytest.raises(QuickbooksException) as caught:
            make_vendor("Cool Cars").save(qb=qb)
        assert caught.value.error_code == 6240
        assert "Another customer, vendor or employee" in caught.value.detail

    def test_stale_token(self, qb, books):
        vendor = Vendor.get(books.VENDOR, qb=qb)
        vendor.save(qb=qb)
        with pytest.raises(QuickbooksException) as caught:
            vendor.save(qb=qb)
        assert (caught.value.error_code, caught.value.message) == (5010, "Stale Object Error")

    def test_missing_field(self, qb, books):
        order = make_order(books, VendorRef=None)
        with pytest.raises(ValidationException) as caught:
            order.save(qb=qb)
        assert caught.value.error_code == 2020
        assert caught.value.detail == "Required parameter VendorRef is missing in the request"

    def test_unknown_record(self, qb):
        with pytest.raises(ObjectNotFoundException) as caught:
            Vendor.get(9999, qb=qb)
        assert caught.value.error_code == 610

    def test_bad_reference_and_bad_query(self, qb, books):
        with pytest.raises(ValidationException) as caught:
            make_order(books, VendorRef=ref("583")).save(qb=qb)
        assert caught.value.error_code == 2500
        with pytest.raises(ValidationException) as caught:
            Vendor.where("AcctNum = '1'", qb=qb)
        assert caught.value.error_code == 4001
        with pytest.raises(ValidationException) as caught:
            Vendor.query("select * from", qb=qb)
        assert caught.value.error_code == 4000

    def test_unsupported_operation(self, qb, books):
        body = json.dumps({"Id": books.VENDOR, "SyncToken": "0"})
        with pytest.raises(UnsupportedException) as caught:
            qb.delete_object("Vendor", body)
        assert caught.value.error_code == 500

    def test_expired_token(self, qb, books):
        books.simulator.control.add_fault("expired_token", times=1)
        with pytest.raises(AuthorizationException) as caught:
            Vendor.count(qb=qb)
        assert caught.value.error_code == 401

    def test_throttle_and_system_failure(self, qb, books):
        books.simulator.control.add_fault("throttle", times=1)
        with pytest.raises(QuickbooksException, match="003001"):
            Vendor.count(qb=qb)
        books.simulator.control.add_fault("server_error", status=503, times=1)
        with pytest.raises(QuickbooksException) as caught:
            Vendor.count(qb=qb)
        assert caught.value.error_code == 10000


class TestPurchaseOrders:
    def test_create_read_update_delete(self, qb, books):
        order = make_order(books, DocNumber="PO-1", TxnDate="2026-02-03", Memo="Rear dock")
        saved = order.save(qb=qb)
        read = PurchaseOrder.get(saved.Id, qb=qb)
        assert read.TotalAmt == Decimal("105.5")
        assert (read.DocNumber, read.POStatus, read.TxnDate) == ("PO-1", "Open", "2026-02-03")
        item, account = read.Line
        assert isinstance(item, ItemBasedExpenseLine)
        assert item.ItemBasedExpenseLineDetail.UnitPrice == Decimal("12.75")
        assert item.ItemBasedExpenseLineDetail.ClassRef.name == "Engineering"
        assert account.AccountBasedExpenseLineDetail.AccountRef.name == "Travel"
        assert read.VendorAddr.City == "Middlefield"

        read.POStatus = "Closed"
        updated = read.save(qb=qb)
        assert (updated.POStatus, updated.SyncToken) == ("Closed", "1")
        assert [line.Id for line in updated.Line] == ["1", "2"]

        deleted = updated.delete(qb=qb)
        assert deleted["PurchaseOrder"]["status"] == "Deleted"
        with pytest.raises(ObjectNotFoundException):
            PurchaseOrder.get(saved.Id, qb=qb)

    def test_query_and_count(self, qb, books):
        for number in range(3):
            make_order(books, DocNumber=f"PO-{number}").save(qb=qb)
        assert PurchaseOrder.count(qb=qb) == 3
        (found,) = PurchaseOrder.filter(DocNumber="PO-1", qb=qb)
        assert found.DocNumber == "PO-1"
        assert len(PurchaseOrder.where("TxnDate > '2026-01-01'", order_by="DocNumber", qb=qb)) == 3

    def test_delete_of_an_old_version(self, qb, books):
        order = make_order(books).save(qb=qb)
        order.save(qb=qb)
        with pytest.raises(QuickbooksException) as caught:
            order.delete(qb=qb)
        assert caught.value.error_code == 5010

    def test_doubled_number(self, qb, books):
        make_order(books, DocNumber="7").save(qb=qb)
        with pytest.raises(QuickbooksException) as caught:
            make_order(books, DocNumber="7").save(qb=qb)
        assert caught.value.error_code == 6140
        allowed = make_order(books, DocNumber="7").save(qb=qb, params={"include": "allowduplicatedocnum"})
        assert allowed.DocNumber == "7"

    def test_send_and_pdf(self, qb, books):
        order = make_order(books).save(qb=qb)
        sent = order.send(qb=qb, send_to="orders@hicks.example")
        assert sent["PurchaseOrder"]["EmailStatus"] == "EmailSent"
        assert qb.download_pdf("PurchaseOrder", order.Id).startswith(b"%PDF")


class TestBatches:
    def test_create_update_delete_with_a_failure(self, qb, books):
        vendors = [make_vendor(f"Vendor {n}") for n in range(34)] + [make_vendor("Cool Cars")]
        answer = batch_create(vendors, qb=qb)
        assert len(answer.successes) == 34
        assert len(answer.batch_responses) == 35
        (fault,) = answer.faults
        assert fault.original_object.DisplayName == "Cool Cars"
        assert fault.Error[0].code == "6240"
        assert books.simulator.control.stats()["quickbooks"]["by_endpoint"] == {
            "POST /v3/company/{realm_id}/batch": {"200": 2}
        }

        for vendor in answer.successes:
            vendor.AcctNum = f"A-{vendor.Id}"
        answer.successes[0].SyncToken = "9"
        updated = batch_update(answer.successes, qb=qb)
        assert [v.AcctNum for v in updated.successes] == [f"A-{v.Id}" for v in updated.successes]
        assert [fault.Error[0].code for fault in updated.faults] == ["5010"]

        orders = batch_create([make_order(books) for _ in range(3)], qb=qb).successes
        assert [len(order.Line) for order in orders] == [2, 2, 2]
        # Deletes come back as bare references, which the library reads all the same.
        assert [order.status for order in batch_delete(orders, qb=qb).successes] == ["Deleted"] * 3


class TestChanges:
    def test_change_data_capture(self, qb, books):
        vendor = make_vendor("Changed").save(qb=qb)
        order = make_order(books).save(qb=qb)
        make_order(books).save(qb=qb).delete(qb=qb)
        since = datetime(2026, 3, 1)  # noqa: DTZ001 - the library writes times without a zone
        changes = change_data_capture([Vendor, PurchaseOrder, Bill], since, qb=qb)
        assert [v.Id for v in changes.Vendor] == [vendor.Id]
        assert [o.Id for o in changes.PurchaseOrder][:1] == [order.Id]
        assert changes.PurchaseOrder[1].status == "Deleted"
        assert not hasattr(changes, "Bill")


class TestOtherEntities:
    def test_bill_and_payment(self, qb, books):
        bill = Bill()
        bill.VendorRef = ref(books.VENDOR)
        bill.Line = [account_line(books, 200)]
        bill = bill.save(qb=qb)
        assert (bill.TotalAmt, bill.Balance) == (200, 200)

        payment = BillPayment()
        payment.PayType = "Check"
        payment.TotalAmt = 200
        payment.PrivateNote = "Private Note"
        payment.VendorRef = ref(books.VENDOR)
        payment.CheckPayment = CheckPayment()
        payment.CheckPayment.BankAccountRef = ref(books.CHECKING)
        payment.APAccountRef = ref(books.PAYABLE)
        line = BillPaymentLine()
        line.Amount = 200
        line.LinkedTxn = [bill.to_linked_txn()]
        payment.Line = [line]
        payment.save(qb=qb)

        payment = BillPayment.get(payment.Id, qb=qb)
        assert payment.Line[0].LinkedTxn[0].TxnId == bill.Id
        assert Bill.get(bill.Id, qb=qb).Balance == 0
        payment.void(qb=qb)
        payment = BillPayment.get(payment.Id, qb=qb)
        assert payment.TotalAmt == 0
        assert "Voided" in payment.PrivateNote
        assert Bill.get(bill.Id, qb=qb).Balance == 200

    def test_vendor_credit(self, qb, books):
        credit = VendorCredit()
        credit.VendorRef = ref(books.VENDOR)
        credit.Line = [account_line(books, 5)]
        assert credit.save(qb=qb).TotalAmt == 5

    def test_lists(self, qb):
        account = Account()
        account.Name, account.AcctNum = "Postage", "6300"
        account.AccountType, account.AccountSubType = "Expense", "ShippingFreightDelivery"
        account = account.save(qb=qb)
        assert Account.get(account.Id, qb=qb).FullyQualifiedName == "Postage"
        assert Account.where("AccountSubType = 'AccountsPayable'", qb=qb)[0].Id

        item = Item()
        item.Name, item.Type = "Stamp", "NonInventory"
        item.ExpenseAccountRef = item.IncomeAccountRef = account.to_ref()
        assert item.save(qb=qb).Type == "NonInventory"
        assert len(Item.all(qb=qb)) == 4

        for kind in (Class, Department):
            entry = kind()
            entry.Name = "New"
            assert kind.get(entry.save(qb=qb).Id, qb=qb).FullyQualifiedName == "New"

        term = Term()
        term.Name, term.DueDays = "Net 7", 7
        assert term.save(qb=qb).Type == "STANDARD"
        assert [code.Name for code in TaxCode.all(qb=qb)] == ["NON", "TAX"]

    def test_people(self, qb):
        customer = Customer()
        customer.DisplayName = "New Customer"
        assert customer.save(qb=qb).FullyQualifiedName == "New Customer"
        employee = Employee()
        employee.GivenName, employee.FamilyName = "Ada", "King"
        assert employee.save(qb=qb).DisplayName == "Ada King"

    def test_company_and_preferences(self, qb, books):
        info = CompanyInfo.get(books.realm_id, qb=qb)
        assert info.CompanyName == "Craig's Design and Landscaping"
        preferences = Preferences.get(qb=qb)
        assert preferences.Id == "1"
        assert preferences.AccountingInfoPrefs.TaxYearMonth == "January"
        assert preferences.TimeTrackingPrefs.WorkWeekStartDate == "Monday"
        name = "SalesFormsPrefs.DefaultCustomerMessage"
        assert preferences.OtherPrefs.NameValue[0].Name == name
        preferences.EmailMessagesPrefs.EstimateMessage.Subject = "Our estimate"
        preferences.save(qb=qb)
        saved = Preferences.get(qb=qb)
        assert saved.EmailMessagesPrefs.EstimateMessage.Subject == "Our estimate"

    def test_exchange_rate(self, qb, books):
        books.profile(multicurrency=True)
        rate = ExchangeRate()
        rate.SourceCurrencyCode, rate.Rate, rate.AsOfDate = "EUR", Decimal("1.25"), "2026-03-01"
        rate.save(qb=qb)
        (found,) = ExchangeRate.where("SourceCurrencyCode = 'EUR'", qb=qb)
        assert found.Rate == Decimal("1.25")
