"""What is to be done about a vendor: create, update, link, skip or block."""

from __future__ import annotations

import pytest
from target_quickbooks.changes import link_after
from target_quickbooks.mapping.names import comparable
from target_quickbooks.mapping.refusal import Awaited, Refusal
from target_quickbooks.mapping.source import read_vendor
from target_quickbooks.mapping.vendor import map_vendor
from target_quickbooks.planning import Operation, plan_linked, refused, resolve_edits
from target_quickbooks.policies import EditConflict, Policies, VendorConflict
from target_quickbooks.vendor_planning import (
    NamesInUse,
    plan_linked_vendor,
    plan_renamed,
    plan_vendor,
    update_of_nothing,
    woken,
)

NAME = "Happy Music Supplies"
TWIN = {"Id": "137", "SyncToken": "4", "DisplayName": NAME, "Active": True, "CurrencyRef": {"value": "USD"}}
INACTIVE_TWIN = {**TWIN, "Active": False, "DisplayName": f"{NAME} (deleted)"}


@pytest.fixture(scope="session")
def vendor(vendor_record, company, make_item):
    """The item of a BILL vendor."""

    def build(*, link=None, several_currencies=False, **changed):
        read = read_vendor(vendor_record(**changed))
        mapped = map_vendor(read, company(multicurrency=several_currencies))
        return make_item(mapped, link=link, archived=read.archived)

    return build


@pytest.fixture(scope="session")
def written(vendor):
    """The link of a vendor that was written as given."""

    def build(**record):
        item = vendor(**record)
        created = plan_vendor(item, NamesInUse(vendors={}), Policies())
        return link_after(created, {"Id": "137", "SyncToken": "0", "DisplayName": NAME})

    return build


@pytest.fixture(scope="session")
def replanned(vendor, written):
    """The plan for a vendor that was written as ``before`` says and is now as ``after`` says."""

    def build(before, after):
        link = written(**before)
        return plan_linked(vendor(link=link, **after), link)

    return build


def taken_by(twin=None, *, others=(), owners=None):
    vendors = {comparable(NAME): twin} if twin else {}
    holders = {comparable(name): f"customer '{name}' (58)" for name in others}
    return NamesInUse(vendors=vendors, others=holders, owners=owners or {})


def fields(change):
    """What an update changes."""
    return {found.field: change.body[found.field] for found in change.differences}


def test_a_new_vendor_is_created_with_what_is_set(vendor):
    change = plan_vendor(vendor(email=None, phone=None), taken_by(), Policies())
    assert change.operation is Operation.CREATE
    assert "PrimaryPhone" not in change.body
    assert "PrimaryEmailAddr" not in change.body
    assert change.body["Vendor1099"] is True
    assert {found.field for found in change.differences} == set(change.body)
    assert all(found.before is None for found in change.differences)


def test_a_no_is_sent_like_a_yes(vendor):
    """Only empty texts and objects are left out of a create."""
    change = plan_vendor(vendor(additionalInfo={"track1099": False}), taken_by(), Policies())
    assert change.body["Vendor1099"] is False


def test_a_vendor_archived_before_it_was_ever_written_is_skipped(vendor):
    change = plan_vendor(vendor(archived=True), taken_by(), Policies())
    assert change.operation is Operation.SKIP


def test_an_unchanged_vendor_is_skipped(replanned):
    assert replanned({}, {}).operation is Operation.SKIP


def test_only_what_changed_is_sent(replanned):
    change = replanned({}, {"phone": "555-1234"})
    assert change.operation is Operation.UPDATE
    assert change.body == {
        "Id": "137",
        "SyncToken": "0",
        "sparse": True,
        "PrimaryPhone": {"FreeFormNumber": "555-1234"},
    }
    [difference] = change.differences
    assert difference.before == {"FreeFormNumber": "987-654-3210"}


@pytest.mark.parametrize(
    ("after", "sent"),
    [
        ({"phone": None}, {"PrimaryPhone": {}}),
        ({"email": None}, {"PrimaryEmailAddr": {}}),
        ({"accountNumber": None}, {"AcctNum": ""}),
        ({"address": None}, {"BillAddr": {}}),
    ],
)
def test_what_bill_no_longer_holds_is_cleared_by_empty_values(replanned, after, sent):
    """QuickBooks ignores null in a sparse update (manual 6.0.1)."""
    assert fields(replanned({}, after)) == sent


def test_a_renamed_vendor_keeps_its_object(replanned):
    change = replanned({}, {"name": "New Name", "additionalInfo": {"companyName": "x"}})
    assert change.body["Id"] == "137"
    assert change.body["DisplayName"] == "New Name"


def test_an_archived_vendor_is_deactivated(replanned):
    assert fields(replanned({}, {"archived": True})) == {"Active": False}


def test_a_restored_vendor_gets_its_name_back(replanned):
    """QuickBooks writes "(deleted)" behind the name of an inactive one (manual 6.1)."""
    change = replanned({"archived": True}, {})
    assert (change.body["Active"], change.body["DisplayName"]) == (True, NAME)


def test_a_restored_vendor_keeps_the_name_a_person_gave_it(vendor, written):
    link = written(archived=True)
    live = {**link.desired, "Id": "137", "SyncToken": "7", "DisplayName": "By Hand (deleted)"}
    change = resolve_edits(plan_linked(vendor(link=link), link), link, live, Policies())
    assert (change.body["Active"], change.body["DisplayName"]) == (True, "By Hand")


def test_a_changed_tax_id_is_sent_whole(replanned):
    change = replanned(
        {}, {"additionalInfo": {"taxId": "12-3456789", "track1099": True, "companyName": "Happy Music Inc."}}
    )
    assert fields(change) == {"TaxIdentifier": "12-3456789"}


def test_the_last_write_keeps_only_the_end_of_a_tax_id(written):
    assert written().desired["TaxIdentifier"] == "XXXXXX8777"


def with_tax_id(tax_id):
    return {"additionalInfo": {"taxId": tax_id, "track1099": True, "companyName": "Happy Music Inc."}}


def test_a_tax_id_that_differs_before_its_last_four_digits_is_sent(replanned):
    """The fingerprint tells, although what is kept does not."""
    assert fields(replanned({}, with_tax_id("11-1118777"))) == {"TaxIdentifier": "11-1118777"}


def test_another_change_does_not_send_the_same_tax_id_again(replanned):
    assert fields(replanned({}, {"phone": "555-1234"})) == {"PrimaryPhone": {"FreeFormNumber": "555-1234"}}


@pytest.mark.parametrize("tax_id", [None, "XX-XXX8777"])
def test_a_tax_id_that_bill_no_longer_shows_costs_no_write(replanned, tax_id):
    """It must not be cleared: BILL may merely have masked it."""
    change = replanned({}, with_tax_id(tax_id))
    assert (change.operation, change.quickbooks_id, change.sync_token) == (Operation.LINK, "137", "0")


# --- names that are taken -----------------------------------------------------------------------------------


def test_a_vendor_of_the_same_name_is_adopted(vendor):
    change = plan_vendor(vendor(), taken_by(TWIN), Policies())
    assert change.operation is Operation.UPDATE
    assert (change.quickbooks_id, change.sync_token) == ("137", "4")
    assert change.body["TaxIdentifier"] == "99-9888777"
    assert "DisplayName" not in fields(change)


def test_an_adopted_vendor_loses_nothing_it_holds(vendor):
    """What BILL does not know is left as it is in QuickBooks."""
    twin = {**TWIN, "PrimaryPhone": {"FreeFormNumber": "1"}, "AcctNum": "7"}
    change = plan_vendor(vendor(phone=None, accountNumber=None), taken_by(twin), Policies())
    assert not {"PrimaryPhone", "AcctNum"} & set(fields(change))
    assert change.body.get("AcctNum", "7") == "7"


def test_a_vendor_that_is_already_as_it_should_be_is_only_linked(vendor):
    """Sub-fields and ids of QuickBooks' own make no difference, nor does the mask of a tax id."""
    item = vendor()
    twin = {**item.mapped.payload, **TWIN, "TaxIdentifier": "XXXXXX8777", "Balance": 390}
    twin["BillAddr"] = {**item.mapped.payload["BillAddr"], "Id": "423", "Lat": "INVALID"}
    change = plan_vendor(item, taken_by(twin), Policies())
    assert (change.operation, change.quickbooks_id, change.sync_token) == (Operation.LINK, "137", "4")


def test_an_inactive_twin_is_adopted_and_comes_back_under_its_name(vendor):
    change = plan_vendor(vendor(), taken_by({**TWIN, "Active": False}), Policies())
    assert (change.body["Active"], change.body["DisplayName"]) == (True, NAME)


def test_a_name_is_compared_as_quickbooks_does(vendor):
    change = plan_vendor(vendor(name="  HAPPY  music supplies"), taken_by(TWIN), Policies())
    assert change.quickbooks_id == "137"


def test_a_vendor_that_belongs_to_another_bill_vendor_is_not_adopted(vendor):
    change = plan_vendor(vendor(), taken_by(TWIN, owners={"137": "00902OTHER"}), Policies())
    assert (change.operation, change.body["DisplayName"]) == (Operation.CREATE, f"{NAME} (Vendor)")


def test_a_vendor_of_the_same_id_in_another_organization_is_another_vendor(vendor):
    item = vendor()
    change = plan_vendor(item, taken_by(TWIN, owners={"137": item.bill_id}), Policies())
    assert change.operation is Operation.CREATE


def test_a_vendor_in_another_currency_is_not_adopted(vendor):
    item = vendor(billCurrency="EUR", several_currencies=True)
    change = plan_vendor(item, taken_by(TWIN), Policies())
    assert (change.operation, change.body["DisplayName"]) == (Operation.CREATE, f"{NAME} (EUR)")


@pytest.mark.parametrize(
    ("taken", "name"),
    [
        ([], f"{NAME} (Vendor)"),
        ([f"{NAME} (Vendor)"], f"{NAME} (ABC123)"),
    ],
)
def test_a_name_held_by_a_customer_gets_the_first_suffix_that_is_free(vendor, taken, name):
    others = [NAME, *taken]
    assert plan_vendor(vendor(), taken_by(others=others), Policies()).body["DisplayName"] == name


def test_when_every_name_is_taken_the_vendor_is_blocked(vendor):
    others = [NAME, f"{NAME} (Vendor)", f"{NAME} (ABC123)"]
    change = plan_vendor(vendor(), taken_by(others=others), Policies())
    assert (change.operation, change.code) == (Operation.BLOCKED, "name-taken")


@pytest.mark.parametrize("names", [taken_by(TWIN), taken_by(others=[NAME])])
def test_a_taken_name_is_refused_where_the_policy_says_so(vendor, names):
    change = plan_vendor(vendor(), names, Policies(vendor_conflict=VendorConflict.FAIL))
    assert (change.operation, change.code) == (Operation.BLOCKED, "name-taken")
    assert NAME in change.reason


def test_nothing_is_adopted_where_the_policy_says_so(vendor):
    change = plan_vendor(vendor(), taken_by(TWIN), Policies(vendor_conflict=VendorConflict.SUFFIX))
    assert (change.operation, change.body["DisplayName"]) == (Operation.CREATE, f"{NAME} (Vendor)")


@pytest.mark.parametrize(("attempt", "name"), [(1, f"{NAME} (Vendor)"), (2, f"{NAME} (ABC123)")])
def test_each_refused_name_leads_to_the_next(vendor, attempt, name):
    """Also when nobody can be found who holds it."""
    change = plan_vendor(vendor(), taken_by(), Policies(), attempt=attempt)
    assert change.body["DisplayName"] == name


def test_a_name_that_quickbooks_just_refused_is_not_tried_again(vendor):
    """The twin cannot be adopted, and the first suffix is held by a customer."""
    names = taken_by(TWIN, others=[f"{NAME} (Vendor)"], owners={"137": "00902OTHER"})
    change = plan_vendor(vendor(), names, Policies(), attempt=1)
    assert change.body["DisplayName"] == f"{NAME} (ABC123)"


def test_a_twin_that_turns_up_after_a_refusal_is_adopted(vendor):
    change = plan_vendor(vendor(), taken_by(TWIN, others=[NAME]), Policies(), attempt=1)
    assert change.quickbooks_id == "137"


def test_a_long_name_makes_room_for_its_suffix(vendor):
    change = plan_vendor(vendor(name="x" * 500), taken_by(), Policies(), attempt=1)
    assert len(change.body["DisplayName"]) == 500
    assert change.body["DisplayName"].endswith(" (Vendor)")


@pytest.fixture(scope="session")
def renamed(vendor, written):
    """The plan for a vendor renamed to ``New`` in BILL, after QuickBooks refused a name."""

    def build(refused, names, policy=VendorConflict.ADOPT, **after):
        link = written()
        change = plan_linked(vendor(link=link, name="New", **after), link)
        return plan_renamed(change, refused, names, Policies(vendor_conflict=policy))

    return build


NEW_TWIN = {**TWIN, "Id": "58", "DisplayName": "New"}


@pytest.mark.parametrize(
    ("refused", "others", "name"),
    [
        ("New", ["New"], "New (Vendor)"),
        ("New (Vendor)", ["New", "New (Vendor)"], "New (ABC123)"),
        ("New", [], "New"),
        ("new", ["New", "New (Vendor)"], "New (ABC123)"),
    ],
)
@pytest.mark.parametrize("policy", [VendorConflict.ADOPT, VendorConflict.SUFFIX])
def test_a_new_name_that_is_taken_gets_a_suffix(renamed, refused, others, name, policy):
    """The name itself is tried again where nobody holds it any more."""
    change = renamed(refused, taken_by(others=others), policy)
    assert change.operation is Operation.UPDATE
    assert change.body["DisplayName"] == name


def test_a_vendor_renamed_to_the_name_of_another_stays_the_vendor_it_is(renamed):
    """The link is identity: it never moves to the vendor that has the name."""
    names = NamesInUse(vendors={"new": NEW_TWIN})
    change = renamed("New", names)
    assert (change.quickbooks_id, change.body["DisplayName"]) == ("137", "New (Vendor)")


def test_a_name_that_the_vendor_itself_holds_is_free(renamed):
    names = NamesInUse(vendors={"new": {**NEW_TWIN, "Id": "137"}})
    assert renamed("New", names).body["DisplayName"] == "New"


def test_a_rename_is_given_up_when_every_name_is_taken(renamed):
    change = renamed("New (ABC123)", taken_by(others=["New", "New (Vendor)", "New (ABC123)"]))
    assert (change.operation, change.code) == (Operation.BLOCKED, "name-taken")


def test_a_rename_to_a_taken_name_is_refused_where_the_policy_says_so(renamed):
    change = renamed("New", NamesInUse(vendors={"new": NEW_TWIN}), VendorConflict.FAIL)
    assert (change.operation, change.code) == (Operation.BLOCKED, "name-taken")
    assert "vendor 'New' (58)" in change.reason


def test_a_vendor_that_comes_back_under_a_taken_name_gets_a_suffix(vendor, written):
    """Its name did not change in BILL; somebody else took it while it was inactive."""
    link = written(archived=True)
    change = plan_renamed(plan_linked(vendor(link=link), link), NAME, taken_by(others=[NAME]), Policies())
    live = {**link.desired, "Id": "137", "SyncToken": "7", "DisplayName": f"{NAME} (deleted)"}
    resolved = resolve_edits(change, link, live, Policies(edit_conflict=EditConflict.HOLD))
    assert (resolved.body["Active"], resolved.body["DisplayName"]) == (True, f"{NAME} (Vendor)")


@pytest.mark.parametrize(
    ("names", "holder"),
    [
        (taken_by(TWIN), f"vendor '{NAME}' (137)"),
        (taken_by(INACTIVE_TWIN), f"vendor '{NAME} (deleted)' (137), which is inactive"),
        (taken_by(others=[NAME]), f"customer '{NAME}' (58)"),
        (NamesInUse(vendors={}, others={comparable(NAME): ""}), "another customer, vendor or employee"),
    ],
)
def test_a_refusal_names_who_holds_the_name(vendor, names, holder):
    change = plan_vendor(vendor(), names, Policies(vendor_conflict=VendorConflict.FAIL))
    assert change.reason == f"The name '{NAME}' is already used in QuickBooks: {holder}."


def test_an_inactive_twin_does_not_share_its_name_where_nothing_is_adopted(vendor):
    change = plan_vendor(vendor(), taken_by(INACTIVE_TWIN), Policies(vendor_conflict=VendorConflict.SUFFIX))
    assert (change.operation, change.body["DisplayName"]) == (Operation.CREATE, f"{NAME} (Vendor)")


@pytest.mark.parametrize("policy", list(VendorConflict))
def test_the_name_of_an_archived_bill_vendor_is_free(vendor, policy):
    """QuickBooks wrote "(deleted)" behind it when we deactivated it."""
    names = taken_by(INACTIVE_TWIN, owners={"137": "00902OTHER"})
    change = plan_vendor(vendor(), names, Policies(vendor_conflict=policy))
    assert (change.operation, change.body["DisplayName"]) == (Operation.CREATE, NAME)


@pytest.mark.parametrize("policy", [VendorConflict.ADOPT, VendorConflict.SUFFIX])
def test_an_archived_bill_vendor_that_kept_its_name_holds_it(vendor, policy):
    """Where QuickBooks writes nothing behind it."""
    names = taken_by({**TWIN, "Active": False}, owners={"137": "00902OTHER"})
    change = plan_vendor(vendor(), names, Policies(vendor_conflict=policy))
    assert change.body["DisplayName"] == f"{NAME} (Vendor)"


# --- currency for life --------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def in_currency(vendor, written):
    """The plan for a vendor whose currency was and is as given; None is multicurrency off."""

    def build(before, after):
        def record(currency):
            return {"several_currencies": True, "billCurrency": currency} if currency else {}

        link = written(**record(before))
        return plan_linked_vendor(vendor(link=link, **record(after)), link, "USD")

    return build


@pytest.mark.parametrize(("before", "after"), [("USD", "EUR"), ("EUR", "USD"), (None, "EUR")])
def test_a_changed_currency_is_refused_in_plain_words(in_currency, before, after):
    """A vendor that was written while multicurrency was off is in the home currency."""
    change = in_currency(before, after)
    assert (change.operation, change.code) == (Operation.BLOCKED, "currency-fixed")
    assert f"paid in {after} in BILL now, but in {before or 'USD'} in QuickBooks" in change.reason
    assert f"new vendor in {after} in BILL" in change.advice


@pytest.mark.parametrize(
    ("before", "after", "operation"),
    [("EUR", "EUR", Operation.SKIP), (None, "USD", Operation.LINK), ("USD", None, Operation.LINK)],
)
def test_multicurrency_that_is_turned_on_or_off_costs_no_write(in_currency, before, after, operation):
    assert in_currency(before, after).operation is operation


# --- brought back -------------------------------------------------------------------------------------------


def test_a_woken_vendor_gets_the_name_it_had(vendor, written):
    link = written()
    live = {**link.desired, "Id": "137", "SyncToken": "7", "Active": False, "DisplayName": "X (deleted-3)"}
    change = woken(update_of_nothing(vendor(link=link), link), live)
    assert fields(change) == {"Active": True}
    assert (change.body["DisplayName"], change.body["SyncToken"]) == ("X", "7")


# --- edited in QuickBooks -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def edited(vendor, written):
    """The plan for a phone that changed in BILL, after QuickBooks said that somebody was faster."""

    def build(live, policy, **after):
        link = written()
        stored = {**link.desired, "Id": "137", "SyncToken": "7", "TaxIdentifier": "XXXXXX8777", **live}
        item = vendor(link=link, **(after or {"phone": "555-1234"}))
        return resolve_edits(plan_linked(item, link), link, stored, Policies(edit_conflict=policy))

    return build


THEIRS = {"PrimaryPhone": {"FreeFormNumber": "222-2222"}}


@pytest.mark.parametrize("policy", list(EditConflict))
def test_an_edit_of_other_fields_is_no_conflict(edited, policy):
    change = edited({"PrimaryEmailAddr": {"Address": "new@acme.example"}}, policy)
    assert (change.operation, change.body["SyncToken"]) == (Operation.UPDATE, "7")
    assert fields(change) == {"PrimaryPhone": {"FreeFormNumber": "555-1234"}}


def test_bill_wins_a_conflict(edited):
    change = edited(THEIRS, EditConflict.BILL_WINS)
    assert (change.operation, change.body["SyncToken"]) == (Operation.UPDATE, "7")
    assert fields(change) == {"PrimaryPhone": {"FreeFormNumber": "555-1234"}}


def test_quickbooks_wins_a_conflict(edited):
    change = edited(THEIRS, EditConflict.QUICKBOOKS_WINS)
    assert (change.operation, change.sync_token) == (Operation.LINK, "7")
    assert "PrimaryPhone changed in BILL and in QuickBooks" in change.reason


#: All of these change in BILL; two of them were changed in QuickBooks, too.
SEVERAL = {"phone": "555-1234", "email": "new@acme.example", "accountNumber": "A-2"}
TWO_EDITED = {**THEIRS, "AcctNum": "7", "PrintOnCheckName": "Theirs"}


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        (
            EditConflict.BILL_WINS,
            {
                "PrimaryPhone": {"FreeFormNumber": "555-1234"},
                "PrimaryEmailAddr": {"Address": "new@acme.example"},
                "AcctNum": "A-2",
            },
        ),
        (EditConflict.QUICKBOOKS_WINS, {"PrimaryEmailAddr": {"Address": "new@acme.example"}}),
    ],
)
def test_the_policy_decides_field_by_field(edited, policy, sent):
    """What only BILL changed is sent under either; what only QuickBooks changed stays."""
    change = edited(TWO_EDITED, policy, **SEVERAL)
    assert change.operation is Operation.UPDATE
    assert fields(change) == sent
    assert change.body["PrintOnCheckName"] == "Theirs"
    lost = policy is EditConflict.QUICKBOOKS_WINS
    assert (change.body["AcctNum"], change.body["PrimaryPhone"]["FreeFormNumber"]) == (
        ("7", "222-2222") if lost else ("A-2", "555-1234")
    )


def test_a_conflict_in_some_fields_holds_all_and_names_them(edited):
    change = edited(TWO_EDITED, EditConflict.HOLD, **SEVERAL)
    assert change.operation is Operation.BLOCKED
    assert "PrimaryPhone, AcctNum changed in BILL and in QuickBooks" in change.reason


@pytest.mark.parametrize("policy", list(EditConflict))
@pytest.mark.parametrize("suffix", [" (deleted)", " (deleted-2)"])
def test_what_quickbooks_writes_behind_an_inactive_name_is_no_edit(edited, policy, suffix):
    live = {"Active": False, "DisplayName": f"{NAME}{suffix}"}
    change = edited(live, policy, name="New Name")
    assert (change.operation, change.body["DisplayName"]) == (Operation.UPDATE, "New Name")
    assert change.body["Active"] is False


def test_a_conflict_waits_for_a_person(edited):
    change = edited(THEIRS, EditConflict.HOLD)
    assert (change.operation, change.code) == (Operation.BLOCKED, "edit-conflict")
    assert "PrimaryPhone changed in BILL and in QuickBooks" in change.reason


@pytest.mark.parametrize("policy", [EditConflict.HOLD, EditConflict.QUICKBOOKS_WINS])
def test_what_is_already_as_bill_wants_it_is_no_conflict(edited, policy):
    """Such as our own write whose answer was lost."""
    change = edited({"PrimaryPhone": {"FreeFormNumber": "555-1234"}}, policy)
    assert change.operation is Operation.UPDATE


@pytest.mark.parametrize("held", [None, {}, {"Id": "423"}])
def test_nothing_is_nothing_however_quickbooks_writes_it(vendor, written, held):
    link = written(address=None)
    live = {**link.desired, "Id": "137", "SyncToken": "7", "BillAddr": held}
    item = vendor(link=link, address={"line1": "1 New Street"})
    change = resolve_edits(plan_linked(item, link), link, live, Policies(edit_conflict=EditConflict.HOLD))
    assert change.operation is Operation.UPDATE


def test_an_update_carries_along_what_people_entered_in_quickbooks(edited):
    """So that nothing is lost where QuickBooks does not honour sparse (manual 6.0.1)."""
    change = edited({"WebAddr": {"URI": "https://acme.example"}, **THEIRS}, EditConflict.BILL_WINS)
    assert change.body["WebAddr"] == {"URI": "https://acme.example"}
    assert change.body["PrimaryPhone"] == {"FreeFormNumber": "555-1234"}


def test_what_only_quickbooks_writes_is_not_sent_back(edited):
    live = {"Balance": 390, "MetaData": {"CreateTime": "2015-07-28"}, "domain": "QBO", "status": "x"}
    change = edited(live, EditConflict.BILL_WINS)
    assert not set(live) & set(change.body)


def test_a_masked_tax_id_is_never_sent_back(edited):
    """The whole one goes along where BILL has it; else none does."""
    assert edited({}, EditConflict.BILL_WINS).body["TaxIdentifier"] == "99-9888777"
    without = edited({}, EditConflict.BILL_WINS, phone="555-1234", additionalInfo={})
    assert "TaxIdentifier" not in without.body


def test_a_change_of_the_first_digits_of_a_tax_id_goes_with_another_change(edited):
    change = edited({}, EditConflict.BILL_WINS, phone="555-1234", **with_tax_id("11-1118777"))
    assert change.body["TaxIdentifier"] == "11-1118777"


def test_a_masked_tax_id_is_no_conflict(edited):
    change = edited({}, EditConflict.HOLD, **with_tax_id("12-3456789"))
    assert fields(change) == {"TaxIdentifier": "12-3456789"}


def test_a_refusal_blocks_with_all_it_knows(vendor):
    refusal = Refusal("some-code", "Reason.", advice="Advice.", awaited=Awaited("vendors", "1"))
    change = refused(vendor(), refusal)
    assert (change.operation, change.code, change.reason, change.advice) == (
        Operation.BLOCKED,
        "some-code",
        "Reason.",
        "Advice.",
    )
    assert change.awaited == Awaited("vendors", "1")
