"""A BILL vendor as the QuickBooks vendor it should become."""

from __future__ import annotations

import pytest
from target_quickbooks.mapping.refusal import Refusal
from target_quickbooks.mapping.source import read_vendor
from target_quickbooks.mapping.vendor import display_name, map_vendor


@pytest.fixture
def mapped(vendor_record, company):
    def build(*, in_company=None, **changed):
        return map_vendor(read_vendor(vendor_record(**changed)), in_company or company())

    return build


def test_every_field_of_a_vendor_is_mapped(mapped):
    result = mapped()
    assert result.entity == "Vendor"
    assert result.label == "vendor 'Happy Music Supplies'"
    assert result.notes == ()
    assert result.payload == {
        "DisplayName": "Happy Music Supplies",
        "CompanyName": "Happy Music Inc.",
        "PrintOnCheckName": "Happy Music Payee",
        "Active": True,
        "PrimaryEmailAddr": {"Address": "info@happymusic.example"},
        "PrimaryPhone": {"FreeFormNumber": "987-654-3210"},
        "BillAddr": {
            "Line1": "123 Main Street",
            "Line2": "Suite 200",
            "City": "San Jose",
            "CountrySubDivisionCode": "CA",
            "PostalCode": "95002",
            "Country": "United States",
        },
        "AcctNum": "987000654",
        "Vendor1099": True,
        "TaxIdentifier": "99-9888777",
    }


def test_a_vendor_of_which_only_the_name_is_known_clears_the_rest(company):
    """Empty values mean "clear": what BILL no longer holds must not stay in QuickBooks."""
    payload = map_vendor(read_vendor({"id": "1", "name": "Acme"}), company()).payload
    assert payload == {
        "DisplayName": "Acme",
        "CompanyName": "Acme",
        "PrintOnCheckName": "Acme",
        "Active": True,
        "PrimaryEmailAddr": {},
        "PrimaryPhone": {},
        "BillAddr": {},
        "AcctNum": "",
        "Vendor1099": False,
    }


def test_an_archived_vendor_is_inactive(mapped):
    assert mapped(archived=True).payload["Active"] is False


def test_a_colon_in_the_name_is_written_as_a_dash_and_noted(mapped):
    result = mapped(name="Acme: West")
    assert result.payload["DisplayName"] == "Acme - West"
    assert len(result.notes) == 1
    assert "name" in result.notes[0]


def test_white_space_at_the_ends_is_not_worth_a_note(mapped):
    assert mapped(name=" Acme  West ").notes == ()


def test_a_long_name_is_cut_to_what_each_field_holds(mapped):
    payload = mapped(name="x" * 600, additionalInfo={}, paymentInformation={}).payload
    lengths = [len(payload[field]) for field in ("DisplayName", "CompanyName", "PrintOnCheckName")]
    assert lengths == [500, 100, 100]


def test_the_name_for_display_is_the_one_that_is_mapped(mapped):
    assert mapped(name="A:B\tC").payload["DisplayName"] == display_name("A:B\tC")


@pytest.mark.parametrize("name", ["🚀", ":", "\x00"])
def test_a_name_without_a_usable_character_is_refused(mapped, name):
    with pytest.raises(Refusal, match="no character that QuickBooks accepts") as refusal:
        mapped(name=name)
    assert refusal.value.code == "vendor-name-unusable"


def test_a_payee_without_a_usable_character_leaves_the_vendors_name_on_the_check(mapped):
    """The name on the check cannot be cleared, so it is never empty."""
    assert (
        mapped(paymentInformation={"payeeName": "🚀"}).payload["PrintOnCheckName"] == "Happy Music Supplies"
    )


def test_a_company_name_may_hold_a_colon(mapped):
    assert mapped(additionalInfo={"companyName": "Acme: West"}).payload["CompanyName"] == "Acme: West"


@pytest.mark.parametrize(
    "email",
    [
        "nobody",
        "a@b",
        "a@b.example, c@d.example",
        "a b@c.example",
        "rocket🚀@b.example",
        "bell\x07@b.example",
        "x" * 95 + "@b.example",
    ],
)
def test_an_address_that_quickbooks_would_refuse_is_left_out_and_noted(mapped, email):
    result = mapped(email=email)
    assert result.payload["PrimaryEmailAddr"] == {}
    assert result.notes == ("e-mail address left out: QuickBooks would refuse it",)


def test_a_phone_number_is_cut_to_thirty_characters_and_noted(mapped):
    result = mapped(phone="+1 (987) 654-3210 extension 123456")
    assert result.payload["PrimaryPhone"] == {"FreeFormNumber": "+1 (987) 654-3210 extension 12"}
    assert result.notes == ("phone number cut to 30 characters",)


@pytest.mark.parametrize("tax_id", ["XXXXX8777", "***-**-8777", "•••••8777", "", None])
def test_a_masked_tax_id_is_never_written(mapped, tax_id):
    assert "TaxIdentifier" not in mapped(additionalInfo={"taxId": tax_id}).payload


def test_a_tax_id_that_is_too_long_is_left_out_without_showing_it(mapped):
    result = mapped(additionalInfo={"taxId": "9" * 21})
    assert "TaxIdentifier" not in result.payload
    assert result.notes == ("tax id left out: longer than QuickBooks allows",)


def test_address_lines_are_cut_to_what_quickbooks_holds(mapped):
    address = mapped(address={"line1": "x" * 600, "zipOrPostalCode": "9" * 40, "country": "DE"}).payload[
        "BillAddr"
    ]
    assert {key: len(value) for key, value in address.items()} == {
        "Line1": 500,
        "PostalCode": 30,
        "Country": 2,
    }


def test_the_currency_is_only_told_to_a_company_with_several(mapped, company):
    assert "CurrencyRef" not in mapped().payload
    assert mapped(in_company=company(multicurrency=True)).payload["CurrencyRef"] == {"value": "USD"}
    foreign = mapped(in_company=company(multicurrency=True), billCurrency="EUR")
    assert foreign.payload["CurrencyRef"] == {"value": "EUR"}


def test_a_vendor_without_a_currency_is_paid_in_the_home_currency(mapped, company):
    canadian = company(multicurrency=True, home_currency="CAD")
    assert mapped(in_company=canadian, billCurrency=None).payload["CurrencyRef"] == {"value": "CAD"}


def test_a_foreign_vendor_needs_multicurrency(mapped):
    with pytest.raises(
        Refusal, match="'Happy Music Supplies' is paid in EUR, but multicurrency is off"
    ) as refusal:
        mapped(billCurrency="EUR")
    assert refusal.value.code == "currency-off"
