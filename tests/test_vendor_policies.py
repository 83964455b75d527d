"""What becomes of vendors when people rename, merge, deactivate or archive them, on either side."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from target_quickbooks.admin import commands


def only(records):
    assert len(records) == 1, records
    return records[0]


def named(books, name):
    return [vendor for vendor in books.stored("Vendor") if vendor["DisplayName"] == name]


def by_id(books, vendor):
    """A QuickBooks vendor as it is now."""
    return only(books.stored("Vendor", record_id=vendor["Id"]))


def again(books, **policies):
    """A run to which BILL sends nothing new."""
    lines = [line for line in books.read(books.state) if json.loads(line)["type"] != "RECORD"]
    return books.write(lines, **policies)


def rename(books, vendor, name):
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"name": name})


def change_phone(books, vendor, phone="5125550199"):
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"phone": phone})
    return {"FreeFormNumber": phone}


def archive(books, vendor):
    books.bill.post(f"/v3/vendors/{vendor['id']}/archive")


def restore(books, vendor):
    books.bill.post(f"/v3/vendors/{vendor['id']}/restore")


@pytest.fixture
def books(fresh_books):
    return fresh_books


@pytest.fixture
def acme(books):
    """A vendor of BILL that is in QuickBooks."""
    vendor = books.bill.vendor("Acme", phone="5125550100")
    books.sync()
    return vendor


@pytest.fixture
def stored(books, acme):
    """The same vendor in QuickBooks."""
    return only(named(books, acme["name"]))


@pytest.fixture
def admin(books):
    """``quickbooks-admin`` with the settings of the run."""

    def run(*arguments):
        env = {name: value for name, value in books.simulator.env().items() if name.startswith("TARGET_")}
        return CliRunner(env=env).invoke(commands, arguments)

    return run


# --- names --------------------------------------------------------------------------------------------------


def test_a_vendor_renamed_in_bill_is_renamed(books, acme, stored):
    rename(books, acme, "Acme Holdings")
    run = books.sync()
    assert run.streams["vendors"] == {"updated": 1}
    assert by_id(books, stored)["DisplayName"] == "Acme Holdings"


def test_the_name_a_person_gave_it_in_quickbooks_stays(books, bookkeeper, acme, stored):
    bookkeeper.edit("Vendor", stored, DisplayName="Acme of Austin")
    phone = change_phone(books, acme)
    books.sync()
    assert by_id(books, stored)["DisplayName"] == "Acme of Austin"
    assert by_id(books, stored)["PrimaryPhone"] == phone


def test_a_name_that_a_person_freed_in_quickbooks_is_free(books, bookkeeper, stored):
    bookkeeper.edit("Vendor", stored, DisplayName="Acme of Austin")
    books.bill.vendor("Acme")
    books.sync()
    assert only(named(books, "Acme"))["Id"] != stored["Id"]


@pytest.mark.parametrize(
    ("policy", "name", "failed"),
    [("bill_wins", "By BILL", 0), ("quickbooks_wins", "By Hand", 0), ("hold", "By Hand", 1)],
)
def test_a_vendor_renamed_on_both_sides_follows_the_policy(
    books, bookkeeper, acme, stored, policy, name, failed
):
    bookkeeper.edit("Vendor", stored, DisplayName="By Hand")
    rename(books, acme, "By BILL")
    phone = change_phone(books, acme)
    run = books.sync(edit_conflict=policy)
    assert by_id(books, stored)["DisplayName"] == name
    assert (by_id(books, stored)["PrimaryPhone"] == phone) is (policy != "hold")
    assert run.streams["vendors"].get("failed", 0) == failed


def test_a_held_conflict_goes_through_once_both_sides_agree(books, bookkeeper, acme, stored):
    edited = bookkeeper.edit("Vendor", stored, DisplayName="By Hand")
    rename(books, acme, "By BILL")
    assert (
        "DisplayName changed in BILL and in QuickBooks"
        in books.sync(edit_conflict="hold").reasons[acme["id"]]
    )
    bookkeeper.edit("Vendor", edited, DisplayName="By BILL")
    run = again(books, edit_conflict="hold")
    assert run.exit_code == 0, run.reasons


def test_several_fields_edited_on_both_sides_are_decided_one_by_one(books, bookkeeper, acme, stored):
    bookkeeper.edit("Vendor", stored, PrimaryPhone={"FreeFormNumber": "1"}, AcctNum="theirs", Suffix="Jr.")
    books.bill.patch(
        f"/v3/vendors/{acme['id']}",
        {"phone": "2", "accountNumber": "ours", "email": "ap@acme.example"},
    )
    books.sync(edit_conflict="quickbooks_wins")
    now = by_id(books, stored)
    assert (now["PrimaryPhone"], now["AcctNum"]) == ({"FreeFormNumber": "1"}, "theirs")
    assert now["PrimaryEmailAddr"] == {"Address": "ap@acme.example"}
    assert now["Suffix"] == "Jr."
    assert books.sync(full=True, edit_conflict="quickbooks_wins").written() == 0


@pytest.mark.parametrize("holder", ["Vendor", "Customer", "Employee"])
def test_a_vendor_renamed_to_a_name_in_use_gets_a_suffix_and_stays_itself(
    books, bookkeeper, acme, stored, holder
):
    names = {"GivenName": "Dana", "FamilyName": "Whit"} if holder == "Employee" else {}
    held = bookkeeper.write(holder, DisplayName="Dana Whit", **names)
    rename(books, acme, "Dana Whit")
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert by_id(books, stored)["DisplayName"] == "Dana Whit (Vendor)"
    assert only(books.stored(holder, record_id=held["Id"]))["DisplayName"] == "Dana Whit"
    assert books.sync(full=True).written() == 0


def test_a_vendor_renamed_to_a_name_in_use_is_refused_where_the_policy_says_so(
    books, bookkeeper, acme, stored
):
    held = bookkeeper.write("Customer", DisplayName="Dana Whit")
    rename(books, acme, "Dana Whit")
    run = books.sync(vendor_conflict="fail")
    assert f"customer 'Dana Whit' ({held['Id']})" in run.reasons[acme["id"]]
    assert by_id(books, stored)["DisplayName"] == "Acme"
    bookkeeper.edit("Customer", held, DisplayName="Dana W.")
    assert again(books, vendor_conflict="fail").exit_code == 0
    assert by_id(books, stored)["DisplayName"] == "Dana Whit"


def test_vendors_that_pass_a_name_on_need_no_suffix(books, acme, stored):
    other = books.bill.vendor("Beta")
    books.sync()
    rename(books, other, "Gamma")
    rename(books, acme, "Beta")
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert by_id(books, stored)["DisplayName"] == "Beta"
    assert len(named(books, "Gamma")) == 1


def test_vendors_that_swap_names_get_suffixes(books, acme, stored):
    other = books.bill.vendor("Beta")
    books.sync()
    beta = only(named(books, "Beta"))
    rename(books, other, "Acme")
    rename(books, acme, "Beta")
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert {by_id(books, stored)["DisplayName"], by_id(books, beta)["DisplayName"]} <= {
        "Beta",
        "Acme",
        "Beta (Vendor)",
        "Acme (Vendor)",
    }
    assert by_id(books, stored)["DisplayName"].startswith("Beta")


@pytest.mark.parametrize("holder", ["Customer", "Employee"])
@pytest.mark.parametrize(("policy", "created"), [("suffix", 1), ("fail", 0)])
def test_a_name_of_a_customer_or_employee_follows_the_policy(books, bookkeeper, holder, policy, created):
    names = {"GivenName": "Dana", "FamilyName": "Whit"} if holder == "Employee" else {}
    held = bookkeeper.write(holder, DisplayName="Dana Whit", **names)
    vendor = books.bill.vendor("Dana Whit")
    run = books.sync(vendor_conflict=policy)
    assert len(named(books, "Dana Whit (Vendor)")) == created
    if not created:
        assert f"{holder.lower()} 'Dana Whit' ({held['Id']})" in run.reasons[vendor["id"]]


# --- an inactive twin, two vendors of one name --------------------------------------------------------------


@pytest.mark.parametrize("suffix", [True, False])
@pytest.mark.parametrize("policy", ["adopt", "suffix", "fail"])
def test_an_inactive_twin_follows_the_policy(books, bookkeeper, policy, suffix):
    books.simulator.control.set_switches({"quickbooks.deleted_suffix": suffix})
    twin = bookkeeper.write("Vendor", DisplayName="Old Friend")
    bookkeeper.edit("Vendor", twin, Active=False)
    vendor = books.bill.vendor("Old Friend")
    run = books.sync(vendor_conflict=policy)
    active = [found["DisplayName"] for found in books.stored("Vendor") if found["Active"]]
    if policy == "adopt":
        assert by_id(books, twin)["Active"] is True
        assert active == ["Old Friend"]
    elif policy == "suffix":
        assert by_id(books, twin)["Active"] is False
        assert active == ["Old Friend (Vendor)"]
    else:
        assert active == []
        assert f"({twin['Id']}), which is inactive" in run.reasons[vendor["id"]]


@pytest.mark.parametrize("policy", ["adopt", "suffix", "fail"])
def test_a_second_bill_vendor_of_a_name_never_takes_the_first_ones_place(books, stored, policy):
    second = books.bill.vendor("Acme")
    run = books.sync(vendor_conflict=policy)
    assert by_id(books, stored)["SyncToken"] == stored["SyncToken"]
    assert (second["id"] in run.reasons) is (policy == "fail")
    assert len(named(books, "Acme (Vendor)")) == (0 if policy == "fail" else 1)


@pytest.mark.parametrize("policy", ["adopt", "suffix", "fail"])
def test_the_name_of_an_archived_bill_vendor_is_free_for_another(books, acme, stored, policy):
    archive(books, acme)
    books.sync()
    books.bill.vendor("Acme")
    run = books.sync(vendor_conflict=policy)
    assert run.exit_code == 0, run.reasons
    assert only(named(books, "Acme"))["Id"] != stored["Id"]
    assert by_id(books, stored)["Active"] is False


def test_an_archived_vendor_that_comes_back_to_a_name_in_use_gets_a_suffix(books, acme, stored):
    archive(books, acme)
    books.sync()
    books.bill.vendor("Acme")
    books.sync()
    restore(books, acme)
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert (by_id(books, stored)["Active"], by_id(books, stored)["DisplayName"]) == (True, "Acme (Vendor)")


# --- archived in BILL ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("policy", "active"), [("deactivate", False), ("leave", True)])
def test_a_vendor_archived_in_bill_follows_the_policy_and_comes_back(books, acme, stored, policy, active):
    archive(books, acme)
    books.sync(archived_vendor=policy)
    assert by_id(books, stored)["Active"] is active
    restore(books, acme)
    books.sync(archived_vendor=policy)
    assert (by_id(books, stored)["Active"], by_id(books, stored)["DisplayName"]) == (True, "Acme")


def test_a_vendor_archived_before_it_was_ever_written_comes_when_it_is_restored(books):
    vendor = books.bill.vendor("Late")
    archive(books, vendor)
    assert books.sync().streams["vendors"] == {"skipped": 1}
    assert named(books, "Late") == []
    restore(books, vendor)
    books.sync()
    assert only(named(books, "Late"))["Active"] is True


def test_a_vendor_with_an_open_balance_is_deactivated_once_it_is_settled(books, bookkeeper, acme, stored):
    books.simulator.control.set_switches({"quickbooks.deactivation_with_balance": "6220"})
    account = next(a for a in books.stored("Account") if a["AccountType"] == "Expense" and a["Active"])
    bill = bookkeeper.write(
        "Bill",
        VendorRef={"value": stored["Id"]},
        CurrencyRef={"value": "USD"},
        Line=[
            {
                "Amount": 5,
                "DetailType": "AccountBasedExpenseLineDetail",
                "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account["Id"]}},
            }
        ],
    )
    archive(books, acme)
    assert "open balance in QuickBooks" in books.sync().reasons[acme["id"]]
    assert by_id(books, stored)["Active"] is True
    bank = next(a for a in books.stored("Account") if a["AccountType"] == "Bank" and a["Active"])
    paid = {"Amount": 5, "LinkedTxn": [{"TxnId": bill["Id"], "TxnType": "Bill"}]}
    bookkeeper.write(
        "BillPayment",
        VendorRef={"value": stored["Id"]},
        TotalAmt=5,
        CurrencyRef={"value": "USD"},
        PayType="Check",
        CheckPayment={"BankAccountRef": {"value": bank["Id"]}},
        Line=[paid],
    )
    run = again(books)
    assert run.exit_code == 0, run.reasons
    assert by_id(books, stored)["Active"] is False


def test_a_vendor_with_open_purchase_orders_is_deactivated(books, acme, stored, rent):
    books.bill.bill(acme["id"], "INV-1", [rent])
    books.sync()
    archive(books, acme)
    books.sync()
    assert by_id(books, stored)["Active"] is False
    assert only(books.stored("PurchaseOrder"))["POStatus"] == "Open"


# --- made inactive in QuickBooks ----------------------------------------------------------------------------


@pytest.fixture
def asleep(bookkeeper, stored):
    """Somebody made the vendor inactive in QuickBooks."""
    return bookkeeper.edit("Vendor", stored, Active=False)


def test_bills_of_a_vendor_made_inactive_wait_until_it_is_active_again(books, bookkeeper, acme, asleep, rent):
    bill = books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync()
    assert run.exit_code == 1
    assert "waits: its vendor 'Acme' is inactive in QuickBooks" in run.reasons[bill["id"]]
    assert books.stored("PurchaseOrder") == []
    assert bill["id"] in again(books).reasons
    bookkeeper.edit("Vendor", asleep, Active=True, DisplayName="Acme")
    run = again(books)
    assert (run.exit_code, run.streams["bills"]) == (0, {"created": 1})


def test_a_vendor_made_inactive_is_woken_for_its_bills_where_the_policy_says_so(books, acme, asleep, rent):
    books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync(inactive_vendor="reactivate")
    assert run.exit_code == 0, run.reasons
    assert (by_id(books, asleep)["Active"], by_id(books, asleep)["DisplayName"]) == (True, "Acme")
    assert only(books.stored("PurchaseOrder"))["VendorRef"]["value"] == asleep["Id"]
    assert books.sync(full=True, inactive_vendor="reactivate").written() == 0


def test_a_vendor_is_woken_as_often_as_somebody_makes_it_inactive(books, bookkeeper, acme, asleep, rent):
    for number in range(2):
        books.bill.bill(acme["id"], f"INV-{number}", [rent])
        run = books.sync(inactive_vendor="reactivate")
        assert run.exit_code == 0, run.reasons
        bookkeeper.edit("Vendor", by_id(books, asleep), Active=False)
    assert len(books.stored("PurchaseOrder")) == 2


def test_orders_of_a_vendor_made_inactive_are_still_closed(books, bookkeeper, acme, stored, rent):
    bill = books.bill.bill(acme["id"], "INV-1", [rent])
    books.sync()
    bookkeeper.edit("Vendor", stored, Active=False)
    books.bill.post(f"/v3/bills/{bill['id']}/archive")
    books.sync()
    assert only(books.stored("PurchaseOrder"))["POStatus"] == "Closed"


@pytest.mark.parametrize(("policy", "active"), [("hold", False), ("reactivate", True)])
def test_a_change_in_bill_of_a_vendor_made_inactive_is_written(books, acme, asleep, policy, active):
    phone = change_phone(books, acme)
    run = books.sync(inactive_vendor=policy)
    assert run.exit_code == 0, run.reasons
    assert (by_id(books, asleep)["Active"], by_id(books, asleep)["PrimaryPhone"]) == (active, phone)


def test_a_woken_vendor_whose_name_was_taken_gets_a_suffix(books, bookkeeper, acme, asleep, rent):
    bookkeeper.write("Customer", DisplayName="Acme")
    books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync(inactive_vendor="reactivate")
    assert run.exit_code == 0, run.reasons
    assert by_id(books, asleep)["DisplayName"] == "Acme (Vendor)"


def test_a_plan_tells_what_waits_for_an_inactive_vendor(books, acme, asleep, rent):
    bill = books.bill.bill(acme["id"], "INV-1", [rent])
    lines = books.read(books.state)
    assert "inactive in QuickBooks" in books.write(lines, mode="plan").reasons[bill["id"]]
    woken = books.write(lines, mode="plan", inactive_vendor="reactivate")
    assert woken.reasons == {}
    assert woken.streams["bills"]["created"] == 1
    assert by_id(books, asleep)["Active"] is False


# --- gone from QuickBooks -----------------------------------------------------------------------------------


@pytest.fixture
def gone(books, stored):
    """The vendor is no longer in QuickBooks, and nothing tells why."""
    books.simulator.control.delete_by_hand("Vendor", stored["Id"])
    return stored


def test_a_vendor_that_is_gone_is_held_with_its_bills(books, acme, gone, rent):
    change_phone(books, acme)
    bill = books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync()
    assert f"linked to Vendor {gone['Id']}, which is no longer in QuickBooks" in run.reasons[acme["id"]]
    assert "is no longer there" in run.reasons[bill["id"]]
    assert named(books, "Acme") == []


def test_a_vendor_that_is_gone_is_written_anew_where_the_policy_says_so(books, acme, gone, rent):
    phone = change_phone(books, acme)
    books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync(missing_in_quickbooks="recreate")
    assert run.exit_code == 0, run.reasons
    anew = only(named(books, "Acme"))
    assert (anew["Id"] != gone["Id"], anew["PrimaryPhone"]) == (True, phone)
    assert only(books.stored("PurchaseOrder"))["VendorRef"]["value"] == anew["Id"]


def test_bills_bring_back_a_vendor_that_did_not_change_in_bill(books, rent):
    vendor = books.bill.vendor("Acme", additionalInfo={"taxId": "12-3456789", "taxIdType": "EIN"})
    books.sync()
    books.simulator.control.delete_by_hand("Vendor", only(named(books, "Acme"))["Id"])
    books.bill.bill(vendor["id"], "INV-1", [rent])
    run = books.sync(missing_in_quickbooks="recreate")
    assert run.exit_code == 0, run.reasons
    anew = only(named(books, "Acme"))
    assert "TaxIdentifier" not in anew
    books.sync(full=True, missing_in_quickbooks="recreate")
    assert by_id(books, anew)["TaxIdentifier"] == "12-3456789"
    assert len(books.stored("PurchaseOrder")) == 1


@pytest.mark.parametrize("policy", ["hold", "recreate"])
def test_a_vendor_that_is_archived_and_gone_is_left_alone(books, acme, gone, policy):
    archive(books, acme)
    run = books.sync(missing_in_quickbooks=policy)
    assert (run.exit_code, run.streams["vendors"]) == (0, {"skipped": 1})
    assert gone["Id"] not in {vendor["Id"] for vendor in books.stored("Vendor")}


@pytest.mark.usefixtures("gone")
def test_a_vendor_written_anew_under_a_taken_name_gets_a_suffix(books, bookkeeper, acme, rent):
    bookkeeper.write("Customer", DisplayName="Acme")
    books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync(missing_in_quickbooks="recreate")
    assert run.exit_code == 0, run.reasons
    assert len(named(books, "Acme (Vendor)")) == 1


def test_a_vendor_whose_link_is_forgotten_is_written_anew(books, admin, acme, gone):
    change_phone(books, acme)
    assert "links forget" in books.sync().report["failures"][0]["advice"]
    result = admin("links", "forget", acme["id"], "--reason", "deleted by mistake", "--yes")
    assert result.exit_code == 0, result.output
    run = again(books)
    assert run.streams["vendors"] == {"created": 1}
    assert only(named(books, "Acme"))["Id"] != gone["Id"]


@pytest.fixture
def cut_off(books, answers_lost):
    """A run that ends with its first write, which QuickBooks carries out, or not, without an answer."""

    def run(*, applied, **policies):
        with answers_lost(applied=applied):
            assert books.sync(**policies).error == "cut off"

    return run


BROUGHT_BACK = {"missing_in_quickbooks": "recreate", "inactive_vendor": "reactivate"}


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("deleted", [True, False])
def test_a_vendor_is_brought_back_once_whatever_interrupts_it(
    books, bookkeeper, acme, stored, rent, cut_off, applied, deleted
):
    if deleted:
        books.simulator.control.delete_by_hand("Vendor", stored["Id"])
    else:
        bookkeeper.edit("Vendor", stored, Active=False)
    books.bill.bill(acme["id"], "INV-1", [rent])
    cut_off(applied=applied, **BROUGHT_BACK)
    run = books.sync(full=True, **BROUGHT_BACK)
    assert run.exit_code == 0, run.reasons
    vendor = only([found for found in books.stored("Vendor") if found["DisplayName"].startswith("Acme")])
    assert (vendor["Active"], vendor["PrimaryPhone"]) == (True, {"FreeFormNumber": "5125550100"})
    assert only(books.stored("PurchaseOrder"))["VendorRef"]["value"] == vendor["Id"]
    assert books.sync(full=True, **BROUGHT_BACK).written() == 0


# --- merged in QuickBooks -----------------------------------------------------------------------------------


@pytest.fixture
def merge(books, bookkeeper, acme, stored, rent):
    """Acme, which has a purchase order, is merged into another vendor."""

    def build(survivor):
        books.bill.bill(acme["id"], "INV-1", [rent])
        books.sync()
        bookkeeper.merge_vendors(losing=by_id(books, stored), surviving=survivor)
        return by_id(books, survivor)

    return build


def audited(admin, bill_id):
    rows = json.loads(admin("audit", "export", "--record", bill_id, "--format", "json").stdout)
    return [(row["outcome"], row["operation"], row["detail"]) for row in rows if "merged" in row["detail"]]


@pytest.fixture(params=["gone", "inactive"])
def whatever_is_left(request, books):
    """What QuickBooks leaves of the merged vendor is documented nowhere."""
    books.simulator.control.set_switches({"quickbooks.merged_vendor": request.param})


@pytest.mark.usefixtures("whatever_is_left")
def test_bills_of_a_merged_vendor_go_to_the_survivor(books, bookkeeper, admin, acme, merge, rent):
    survivor = merge(bookkeeper.write("Vendor", DisplayName="Acme Corp"))
    books.bill.bill(acme["id"], "INV-2", [rent])
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    orders = books.stored("PurchaseOrder")
    assert [order["VendorRef"]["value"] for order in orders] == [survivor["Id"]] * 2
    assert audited(admin, acme["id"]) == [("applied", "link", "merged in QuickBooks into 'Acme Corp'")]


@pytest.mark.usefixtures("whatever_is_left")
def test_a_merged_vendor_changes_the_survivor_only_in_what_changes_in_bill(books, bookkeeper, acme, merge):
    survivor = merge(bookkeeper.write("Vendor", DisplayName="Acme Corp", AcctNum="7"))
    phone = change_phone(books, acme)
    run = books.sync(missing_in_quickbooks="recreate", inactive_vendor="reactivate")
    assert run.exit_code == 0, run.reasons
    now = by_id(books, survivor)
    assert (now["DisplayName"], now["AcctNum"], now["PrimaryPhone"]) == ("Acme Corp", "7", phone)
    assert named(books, "Acme") == []


def test_a_changed_bill_of_a_merged_vendor_stays_with_the_survivor(books, bookkeeper, merge, rent):
    survivor = merge(bookkeeper.write("Vendor", DisplayName="Acme Corp"))
    bill = only(books.held("bills"))
    books.bill.replace(bill, billLineItems=[{**rent, "amount": 99}])
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    order = only(books.stored("PurchaseOrder"))
    assert (order["TotalAmt"], order["VendorRef"]["value"]) == (99, survivor["Id"])


@pytest.fixture
def shared(books, merge):
    """Acme is merged into the vendor of another BILL vendor, Beta; gives that one and the survivor."""
    beta = books.bill.vendor("Beta", phone="5125550200")
    books.sync()
    survivor = merge(only(named(books, "Beta")))
    return beta, survivor


@pytest.mark.usefixtures("whatever_is_left")
def test_a_survivor_keeps_following_the_bill_vendor_it_had(books, acme, shared, rent):
    beta, survivor = shared
    for vendor in (acme, beta):
        books.bill.bill(vendor["id"], f"INV-{vendor['name']}", [rent])
    books.sync()
    change_phone(books, acme, "1")
    rename(books, acme, "Acme Reborn")
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert by_id(books, survivor)["DisplayName"] == "Beta"
    assert by_id(books, survivor)["PrimaryPhone"] == {"FreeFormNumber": "5125550200"}
    phone = change_phone(books, beta, "2")
    books.sync()
    assert by_id(books, survivor)["PrimaryPhone"] == phone
    vendors = {order["VendorRef"]["value"] for order in books.stored("PurchaseOrder")}
    assert vendors == {survivor["Id"]}
    assert len(books.stored("PurchaseOrder")) == 3


def test_a_shared_survivor_stays_active_when_either_bill_vendor_is_archived(books, acme, shared, rent):
    beta, survivor = shared
    books.bill.bill(acme["id"], "INV-2", [rent])
    books.sync()
    archive(books, acme)
    books.sync()
    assert by_id(books, survivor)["Active"] is True
    restore(books, acme)
    archive(books, beta)
    books.sync()
    assert by_id(books, survivor)["Active"] is True


def test_a_survivor_whose_bill_vendor_is_unlinked_follows_the_other(books, admin, acme, shared, rent):
    beta, survivor = shared
    books.bill.bill(acme["id"], "INV-2", [rent])
    books.sync()
    forgotten = admin("links", "forget", beta["id"], "--reason", "merged", "--yes")
    assert forgotten.exit_code == 0, forgotten.output
    phone = change_phone(books, acme, "3")
    books.sync()
    assert by_id(books, survivor)["PrimaryPhone"] == phone


def test_a_merge_that_left_no_trace_is_mended_by_hand(books, bookkeeper, admin, acme, stored, rent):
    """Without orders of the merged vendor nobody can tell where it went."""
    survivor = bookkeeper.write("Vendor", DisplayName="Acme Corp")
    bookkeeper.merge_vendors(losing=stored, surviving=survivor)
    bill = books.bill.bill(acme["id"], "INV-1", [rent])
    run = books.sync()
    assert f"links move {acme['id']}" in run.report["failures"][0]["advice"]
    moved = admin("links", "move", acme["id"], survivor["Id"], "--reason", "merged", "--yes")
    assert moved.exit_code == 0, moved.output
    assert again(books).exit_code == 0
    assert only(books.stored("PurchaseOrder"))["VendorRef"]["value"] == survivor["Id"]
    assert bill["id"]


def test_a_plan_shows_a_merge_and_moves_nothing(books, bookkeeper, admin, acme, merge, rent):
    survivor = merge(bookkeeper.write("Vendor", DisplayName="Acme Corp"))
    books.bill.bill(acme["id"], "INV-2", [rent])
    run = books.write(books.read(books.state), mode="plan")
    assert run.reasons == {}
    assert run.streams["bills"]["created"] == 1
    shown = json.loads(admin("links", "show", acme["id"], "--json").stdout)
    assert only(shown)["quickbooks_id"] != survivor["Id"]


def test_an_order_that_a_person_gave_to_another_vendor_is_no_merge(books, bookkeeper, acme, stored, rent):
    """The vendor of the order is still there."""
    other = bookkeeper.write("Vendor", DisplayName="Other")
    books.bill.bill(acme["id"], "INV-1", [rent])
    books.sync()
    order = only(books.stored("PurchaseOrder"))
    bookkeeper.edit("PurchaseOrder", {**order, "VendorRef": {"value": other["Id"]}})
    books.bill.bill(acme["id"], "INV-2", [rent])
    books.sync()
    assert {found["VendorRef"]["value"] for found in books.stored("PurchaseOrder")} == {
        stored["Id"],
        other["Id"],
    }


# --- currency and tax ids -----------------------------------------------------------------------------------


@pytest.fixture
def multicurrency(books):
    """Turns multicurrency off, as it is before anybody turned it on, or on."""

    def turn(*, on):
        books.simulator.control.change_profile(multicurrency=on)

    return turn


def test_a_vendor_that_changes_its_currency_is_refused_in_plain_words(books):
    vendor = books.bill.vendor("Acme", billCurrency="USD")
    books.sync()
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"billCurrency": "EUR", "phone": "1"})
    run = books.sync()
    assert "paid in EUR in BILL now, but in USD in QuickBooks" in run.reasons[vendor["id"]]
    assert only(named(books, "Acme"))["CurrencyRef"]["value"] == "USD"
    books.bill.patch(f"/v3/vendors/{vendor['id']}", {"billCurrency": "USD"})
    assert books.sync().exit_code == 0
    assert only(named(books, "Acme"))["PrimaryPhone"] == {"FreeFormNumber": "1"}


@pytest.mark.parametrize("before", [True, False])
def test_turning_multicurrency_on_or_off_writes_no_vendor_again(books, multicurrency, before):
    multicurrency(on=before)
    acme = books.bill.vendor("Acme")
    books.sync()
    multicurrency(on=not before)
    assert books.sync(full=True).written() == 0
    phone = change_phone(books, acme)
    run = books.sync()
    assert run.exit_code == 0, run.reasons
    assert only(named(books, "Acme"))["PrimaryPhone"] == phone


def test_a_vendor_in_a_foreign_currency_waits_for_multicurrency(books, multicurrency):
    multicurrency(on=False)
    vendor = books.bill.vendor("Zürich AG", billCurrency="CHF")
    assert "multicurrency is off in QuickBooks" in books.sync().reasons[vendor["id"]]
    multicurrency(on=True)
    assert again(books).exit_code == 0
    assert only(named(books, "Zürich AG"))["CurrencyRef"]["value"] == "CHF"


@pytest.mark.parametrize("posted_mask", ["keep", "store"])
def test_a_tax_id_survives_every_kind_of_update(books, bookkeeper, posted_mask, rent):
    """Its mask is never sent back, which "store" would keep in its place."""
    books.simulator.control.set_switches({"quickbooks.masked_tax_identifier": posted_mask})
    vendor = books.bill.vendor("Acme", additionalInfo={"taxId": "12-3456789", "taxIdType": "EIN"})
    books.sync()
    stored = only(named(books, "Acme"))
    change_phone(books, vendor)
    books.sync()
    archive(books, vendor)
    books.sync()
    restore(books, vendor)
    books.sync()
    bookkeeper.edit("Vendor", by_id(books, stored), Active=False)
    books.bill.bill(vendor["id"], "INV-1", [rent])
    books.sync(inactive_vendor="reactivate")
    rename(books, vendor, "Acme Holdings")
    books.sync()
    assert by_id(books, stored)["TaxIdentifier"] == "12-3456789"
    assert by_id(books, stored)["DisplayName"] == "Acme Holdings"
