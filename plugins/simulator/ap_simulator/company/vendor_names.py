"""Who the company buys from: 120 vendors, the first ones each with something to get right.

All names, addresses and tax ids are invented; e-mail addresses end in `.example`, tax ids carry
prefixes that the IRS and the SSA do not assign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorProfile:
    """What is fixed about a vendor; the rest is drawn from the seed.

    Attributes:
        name: Its name in BILL, exactly.
        trade: Key of what it sells.
        role: What it is there to test; empty for an ordinary vendor.
        currency: Its currency.
        country: ISO 3166 alpha-2 code.
        tax_id_type: Which tax id it has, if any.
        track_1099: Whether its payments are reported.
        archived: Whether BILL has archived it.
        minimal: Whether BILL knows nothing beyond what it demands.
    """

    name: str
    trade: str
    role: str = ""
    currency: str = "USD"
    country: str = "US"
    tax_id_type: Literal["EIN", "SSN", ""] = "EIN"
    track_1099: bool = False
    archived: bool = False
    minimal: bool = False


_LONG_NAME: Final = (
    "Commonwealth Consortium for the Advancement of Interoperable Enterprise Records Management, "
    "Long-Term Digital Preservation and Regulatory Reporting Services of Greater New England and "
    "the Maritimes LP"
)


def _special(role: str, name: str, trade: str, **details: object) -> VendorProfile:
    return VendorProfile(role=role, name=name, trade=trade, **details)  # type: ignore[arg-type]


#: Vendors that are there for a reason, in the order of their ordinals.
SPECIAL_PROFILES: Final = (
    _special("ssn_1099", "Dana Whitlock", "contractor", tax_id_type="SSN", track_1099=True),
    _special("ein_1099", "Copperline Consulting LLC", "contractor", track_1099=True),
    _special("eur", "Rheinblick Datentechnik GmbH", "cloud", currency="EUR", country="DE"),
    _special("gbp", "Ashdown & Pryce Ltd", "software", currency="GBP", country="GB"),
    _special("cad", "Lac Bleu Services Informatiques Inc.", "contractor", currency="CAD", country="CA"),
    _special("accents", "Café Müller & Søn – Traiteur", "catering"),  # noqa: RUF001
    _special("apostrophe", "O'Malley's Office Supply", "supplies"),
    _special("double_quotes", 'The "Quick" Print Shop', "supplies"),
    _special("colon", "Ridgeway: Facilities Management", "facilities"),
    _special("tab", "Palisade\tNetworks", "telecom"),
    _special("long_name", _LONG_NAME, "services"),
    _special("trailing_spaces", "Summit Couriers  ", "courier"),
    _special("name_of_customer", "Brightwater Analytics", "contractor"),
    _special("name_of_employee", "Priya Raman", "contractor", tax_id_type="SSN", track_1099=True),
    _special("inactive_twin", "Fennimore Security Systems", "facilities"),
    _special("in_quickbooks", "Harbor Light Electric", "utilities"),
    _special("in_quickbooks_other_case", "PINECREST JANITORIAL", "facilities"),
    _special("same_name", "Delta Staffing", "recruiting"),
    _special("same_name", "Delta Staffing", "recruiting"),
    _special("archived", "Old Mill Hosting", "cloud", archived=True),
    _special("archived", "Blackbird Faxline", "telecom", archived=True),
    _special("cjk", "株式会社さくらソフト", "contractor", country="JP", tax_id_type=""),
    _special("emoji", "Sunny Side Snacks 🍳", "catering"),
    _special("query_characters", r"50% Off \ Design_Studio, Inc.", "marketing"),
    _special("minimal", "Wick & Tallow", "supplies", tax_id_type="", minimal=True),
    _special("printing", "Gutenberg & Daughters Printing", "supplies"),
    _special("training", "Lantern Hill Academy", "services"),
)

_ORDINARY: Final = {
    "cloud": "Nimbus Harbor Cloud|Stackfield Hosting|Orchard Compute|Tidewater Data Centers",
    "software": "Ticketroot|Inkwell Docs|Gatepost Identity|Mailyard|Ledgerline Apps|Pipelight CI|"
    "Codeharbor|Watchtower Monitoring|Sketchwell Design Tools|Callbridge Meetings|Signet e-Sign",
    "contractor": "Blue Mesa Engineering LLC|Fourth Wall Design Studio|Northfork Data Partners LLC|"
    "Silverpine QA Services|Redwood Integration Group|Lakeshore Analytics LLC|Sandstone Security Labs",
    "landlord": "Congress Avenue Properties LP|Back Bay Office Partners|LoDo Realty Holdings",
    "utilities": "Lone Star Power & Light|Bay State Electric|Front Range Gas",
    "telecom": "Fiberline Communications|Skyrelay Wireless|Copperwire Telephone Co.",
    "insurance": "Pemberton Mutual|Sterling Casualty Insurance|Harborview Benefits Brokers",
    "legal": "Whitcombe, Hale & Osei LLP|Barrow Tax Law PC|Sato Intellectual Property Group",
    "accounting": "Finch & Okoro CPAs|Ledger Oak Advisors",
    "recruiting": "Talent Bridge Partners|Rolecall Recruiting|Firefly Campus Hiring",
    "travel": "Compass Rose Travel|Skyline Airfares|Harbor Inn Boston|Mile High Suites",
    "catering": "Green Olive Catering|Brewlab Coffee Service|Fresh Crate Produce",
    "supplies": "Paperworks Direct|Allied Office Products|Stapleton Stationers|Deskmates Supply",
    "hardware": "Circuit Supply Co.|Bytehaus Computers|Monitor Depot|Rackmount Systems",
    "marketing": "Adlight Media|Searchlight Digital|Storyboard Films|Signal & Noise Agency",
    "events": "Lonestar Dev Conference|Expo Floor Services",
    "facilities": "Sparkle & Shine Cleaning|Evergreen Plant Care|Quickfix Maintenance|Cool Breeze HVAC",
    "courier": "Roadrunner Couriers|Parcelway Logistics|Bluebird Messenger",
    "services": "Paystream Payroll|First Meridian Bank|Software Guild of Texas",
    "licenses": "Datavault Licensing|Backupwise|Querystone Databases",
}

_PERSONS: Final = (
    "Marisol Vega|Tobias Renner|Imani Brooks|Grace Holloway|Peter Vandermeer|Anika Joshi|Rafael Quintero"
)

_FOREIGN: Final = (
    ("Société Lumière Conseil SARL", "contractor", "EUR", "FR"),
    ("Shannon Cloudworks DAC", "cloud", "EUR", "IE"),
    ("Pyrénées Événements SAS", "events", "EUR", "FR"),
    ("Kestrelbrook Analytics Ltd", "contractor", "GBP", "GB"),
    ("Thistle & Loom Design LLP", "marketing", "GBP", "GB"),
    ("King Street Towers Inc.", "landlord", "CAD", "CA"),
    ("Ontario Metro Hydro", "utilities", "CAD", "CA"),
    ("Maplewood Recruiting Corp.", "recruiting", "CAD", "CA"),
    ("Harbourfront Catering Co.", "catering", "CAD", "CA"),
    ("Rideau Software Works", "software", "CAD", "CA"),
)

PROFILES: Final = (
    *SPECIAL_PROFILES,
    *(
        VendorProfile(name=name, trade=trade)
        for trade, names in _ORDINARY.items()
        for name in names.split("|")
    ),
    *(
        VendorProfile(name=name, trade="contractor", tax_id_type="SSN", track_1099=True)
        for name in _PERSONS.split("|")
    ),
    *(
        VendorProfile(name=name, trade=trade, currency=currency, country=country, tax_id_type="")
        for name, trade, currency, country in _FOREIGN
    ),
)

#: Vendors entered in the course of the twelve months.
NEW_NAMES: Final = frozenset(
    {
        "Orchard Compute",
        "Tidewater Data Centers",
        "Callbridge Meetings",
        "Signet e-Sign",
        "Sandstone Security Labs",
        "Talent Bridge Partners",
        "Storyboard Films",
        "Cool Breeze HVAC",
        "Monitor Depot",
        "Marisol Vega",
        "Kestrelbrook Analytics Ltd",
        "Rideau Software Works",
    }
)
