"""BILL's vendor records, made from the profiles and the seed (BILL manual 4.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Final

from ap_simulator.company.bill_format import ZERO, Record, bill_id, times, without_unset
from ap_simulator.company.calendar import PERIOD_END, PERIOD_START, day_between, office_moment
from ap_simulator.company.trades import TRADES, Trade
from ap_simulator.company.vendor_names import NEW_NAMES, PROFILES, SPECIAL_PROFILES, VendorProfile

#: Vendor ids by what the vendors are there to test; independent of the seed.
SPECIAL_VENDORS: Final[Mapping[str, tuple[str, ...]]] = {
    role: tuple(
        bill_id("vendors", ordinal)
        for ordinal, profile in enumerate(SPECIAL_PROFILES, 1)
        if profile.role == role
    )
    for role in dict.fromkeys(profile.role for profile in SPECIAL_PROFILES)
}

_COUNTRY_NAMES: Final = {
    "US": "United States",
    "CA": "Canada",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "DE": "Germany",
    "FR": "France",
    "JP": "Japan",
}
#: City, state or province, postal code.
_CITIES: Final = {
    "US": (
        ("Austin", "TX", "78704"),
        ("Boston", "MA", "02111"),
        ("Denver", "CO", "80205"),
        ("Portland", "OR", "97209"),
        ("Columbus", "OH", "43215"),
        ("Savannah", "GA", "31401"),
        ("Santa Fe", "NM", "87501"),
    ),
    "CA": (("Toronto", "ON", "M5H 1J9"), ("Montréal", "QC", "H2Y 1C6"), ("Ottawa", "ON", "K1P 5M7")),
    "GB": (("London", "", "EC2A 4NE"), ("Edinburgh", "", "EH1 3EG")),
    "IE": (("Limerick", "", "V94 E8XR"),),
    "DE": (("Köln", "", "50667"),),
    "FR": (("Lyon", "", "69002"), ("Pau", "", "64000")),
    "JP": (("渋谷区", "東京都", "150-0002"),),
}
_STREETS: Final = ("Main Street", "Mill Road", "Station Avenue", "Foundry Lane", "Harbor Drive", "4th Street")
_PAY_BY: Final = ("ACH", "ACH", "ACH", "CHECK", "CHECK", "VIRTUAL_CARD", "RPPS")
_LONGEST_TIME_BEFORE: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """A vendor and its BILL record, which payments and bills still complete.

    Attributes:
        ordinal: Its number, from 1.
        id: Its BILL id.
        profile: What is fixed about it.
        trade: What it sells.
        created: When it was entered.
        record: Its BILL record.
    """

    ordinal: int
    id: str
    profile: VendorProfile
    trade: Trade
    created: datetime
    record: Record

    @property
    def first_day(self) -> date:
        """The first day on which it can have sent a bill that the demo shows."""
        return max(PERIOD_START, self.created.date())


def plan_vendors(random: Random) -> list[Vendor]:
    """All 120 vendors, in the order of their ordinals."""
    return [_vendor(ordinal, profile, random) for ordinal, profile in enumerate(PROFILES, 1)]


def _vendor(ordinal: int, profile: VendorProfile, random: Random) -> Vendor:
    is_new = profile.name in NEW_NAMES
    created = office_moment(
        day_between(PERIOD_START, PERIOD_END - timedelta(days=90), random)
        if is_new
        else PERIOD_START - timedelta(days=random.randint(10, _LONGEST_TIME_BEFORE)),
        random,
    )
    changed = created + timedelta(days=random.randint(0, 60), minutes=random.randint(1, 500))
    vendor_id = bill_id("vendors", ordinal)
    return Vendor(
        ordinal=ordinal,
        id=vendor_id,
        profile=profile,
        trade=TRADES[profile.trade],
        created=created,
        record={
            "id": vendor_id,
            "archived": profile.archived,
            "name": profile.name,
            **(_minimum(profile, random) if profile.minimal else _details(ordinal, profile, random)),
            "billCurrency": profile.currency,
            "balance": {"amount": ZERO},
            **times(created, changed),
        },
    )


def _minimum(profile: VendorProfile, random: Random) -> Record:
    address = _address(profile, random)
    return {"address": {key: address[key] for key in ("line1", "city", "zipOrPostalCode", "country")}}


def _details(ordinal: int, profile: VendorProfile, random: Random) -> Record:
    handle = _handle(profile.name, ordinal)
    email = f"billing@{handle}.example"
    is_person = profile.tax_id_type == "SSN"
    connected = random.random() < 0.15  # noqa: PLR2004 - a share
    return without_unset(
        {
            "shortName": profile.name.split()[0][:20],
            "accountNumber": str(random.randint(10_000, 99_999_999)) if random.random() < 0.7 else None,  # noqa: PLR2004
            "accountType": "PERSON" if is_person else "BUSINESS",
            "email": email,
            "phone": _phone(profile, random),
            "address": _address(profile, random),
            "paymentInformation": _payment_information(profile, email, random),
            "additionalInfo": _additional_info(ordinal, profile, random),
            "paymentNetworkId": f"01{random.randrange(10**14):014d}" if connected else None,
            "bankAccountStatus": "NET_LINKED_ACCOUNT" if connected else "NO_NET_LINKED_ACCOUNT",
            "recurringPayments": False,
            "autoPay": {"enabled": False},
            "networkStatus": "CONNECTED" if connected else "NOT_CONNECTED",
        }
    )


def _address(profile: VendorProfile, random: Random) -> Record:
    city, state, postal_code = random.choice(_CITIES[profile.country])
    return {
        "line1": f"{random.randint(2, 1800)} {random.choice(_STREETS)}",
        **({"line2": f"Suite {random.randint(100, 990)}"} if random.random() < 0.4 else {}),  # noqa: PLR2004
        "city": city,
        **({"stateOrProvince": state} if state else {}),
        "zipOrPostalCode": postal_code,
        "country": profile.country,
        "countryName": _COUNTRY_NAMES[profile.country],
    }


def _payment_information(profile: VendorProfile, email: str, random: Random) -> Record:
    foreign = profile.country not in {"US", "CA"}
    return {
        "payeeName": " ".join(profile.name.split()),
        "email": email,
        "payByType": "INTERNATIONAL_E_PAYMENT" if foreign else random.choice(_PAY_BY),
        "payBySubType": "WIRE" if foreign else "NONE",
        "virtualCard": {"status": "UNKNOWN"},
    }


def _additional_info(ordinal: int, profile: VendorProfile, random: Random) -> Record:
    tax_id = None
    if profile.tax_id_type == "SSN":
        tax_id = f"9{random.randint(10, 99)}{random.randint(10, 49)}{ordinal:04d}"
    elif profile.tax_id_type == "EIN" and profile.country == "US":
        tax_id = f"07{random.randint(100, 999)}{ordinal:04d}"
    return without_unset(
        {
            "taxId": tax_id,
            "taxIdType": profile.tax_id_type if tax_id else "UNDEFINED",
            "track1099": profile.track_1099,
            "leadTimeInDays": random.choice((1, 3, 5, 10)),
            "combinePayments": random.random() < 0.5,  # noqa: PLR2004 - a share
            "companyName": " ".join(profile.name.split()),
        }
    )


def _phone(profile: VendorProfile, random: Random) -> str:
    local = f"555{random.randint(100, 199):04d}"
    return f"512{local}" if profile.country in {"US", "CA"} else f"+44 20 7946 0{random.randint(100, 999)}"


def _handle(name: str, ordinal: int) -> str:
    letters = "".join(letter for letter in name.lower() if letter.isascii() and letter.isalnum())
    return (letters or "vendor")[:24] + (str(ordinal) if not letters or name.startswith("Delta") else "")
