"""BILL's switches: one field for every point that its documentation leaves open.

The defaults are what public clients have seen or what the documentation suggests. A client that is
meant to work against the real service has to work with either position of each switch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["accept", "reject"]


@dataclass(slots=True, kw_only=True)
class BillSwitches:
    """Where BILL's documentation is silent, what the simulator does."""

    # Statuses and codes of refusals
    throttle_status: int = field(
        default=429,
        metadata={"about": "HTTP status of BDC_1144 (hourly quota) and BDC_1322 (concurrency); perhaps 400."},
    )
    credentials_status: int = field(
        default=401,
        metadata={"about": "HTTP status of BDC_1101 (user name or password) and BDC_1102 (developer key)."},
    )
    permission_status: int = field(
        default=403,
        metadata={"about": "HTTP status when the user's role, plan or token does not allow the operation."},
    )
    untrusted_status: int = field(
        default=403,
        metadata={"about": "HTTP status of BDC_1361, an operation that needs an MFA-trusted session."},
    )
    validation_code: str = field(
        default="BDC_1002",
        metadata={"about": "Error code of invalid bodies, filters and parameters; the status is 400."},
    )
    unknown_body_fields: Literal["ignore", "reject"] = field(
        default="ignore", metadata={"about": "What becomes of body fields that BILL does not know."}
    )

    # Limits
    requests_per_hour: int = field(
        default=20_000, metadata={"about": "Requests per developer key and clock hour."}
    )
    logins_per_hour: int = field(default=200, metadata={"about": "Logins per developer key and clock hour."})
    concurrent_requests: int = field(
        default=3, metadata={"about": "Requests at a time per developer key and organization."}
    )
    text_messages_per_minute: int = field(
        default=5, metadata={"about": "MFA text messages per user and minute."}
    )
    response_seconds: float = field(
        default=0.0,
        metadata={
            "about": "Time that every answer takes while it counts as in flight. BILL's own is some 0.2 s; "
            "with 0 only requests that arrive together are concurrent."
        },
    )

    # Sessions
    second_login_ends_first: bool = field(
        default=False,
        metadata={"about": "Whether a login ends the user's earlier sessions in that organization."},
    )
    session_lifetime_hours: float = field(
        default=0.0, metadata={"about": "Greatest age of a session however busy it is; 0 is without limit."}
    )
    expired_token_fault_ends_session: bool = field(
        default=False,
        metadata={"about": "Whether the fault `expired_token` ends the session or only fails that one call."},
    )
    mfa_required_for: Literal["nothing", "payments", "everything"] = field(
        default="nothing",
        metadata={
            "about": "What needs a trusted session. BILL's sandbox asks for none, production for payments."
        },
    )
    mfa_code: str = field(default="123456", metadata={"about": "The six digits in every MFA text message."})
    mfa_status: str = field(default="DISABLED", metadata={"about": "`mfaStatus` of the session details."})

    # Lists
    default_sort: str = field(
        default="createdTime:desc",
        metadata={"about": "Order of a list when `sort` is absent; BILL documents none."},
    )
    default_sort_direction: Literal["asc", "desc"] = field(
        default="asc", metadata={"about": "Direction of a `sort` that names none."}
    )
    default_max: int = field(
        default=20, metadata={"about": "Records per page when `max` is absent; one text says 100."}
    )
    page_token_minutes: float = field(
        default=0.0, metadata={"about": "How long `nextPage` can be used; 0 is without end."}
    )
    filter_zone_hours: float = field(
        default=0.0,
        metadata={"about": "Hours east of UTC of date-times in filters that name no zone."},
    )
    multiple_sort_keys: Verdict = field(
        default="reject",
        metadata={"about": "Several comma-separated sort keys. BILL's own samples have one."},
    )
    archived_by_default: Literal["included", "hidden"] = field(
        default="included",
        metadata={"about": "Whether lists without a filter on `archived` show archived records."},
    )
    page_token_requires_repeat: bool = field(
        default=False,
        metadata={
            "about": "Whether filters and sort have to be repeated with `page`. If not, the token's own hold "
            "and repeated ones are ignored."
        },
    )
    filter_times: Literal["documented", "any_iso"] = field(
        default="documented",
        metadata={
            "about": "Date-times in filters: only the five documented forms (zone `Z`, `+hh` or `+hhmm`, and "
            "only after milliseconds), or any ISO 8601 form, such as the one responses have."
        },
    )
    recurring_updated_time_filter: Verdict = field(
        default="reject",
        metadata={
            "about": "createdTime and updatedTime as filter and sort of recurring bills; documented are only "
            "id, archived and vendorId, sorted by archived."
        },
    )
    classification_time_filter: Verdict = field(
        default="accept",
        metadata={"about": "createdTime and updatedTime as filter of the seven classification lists."},
    )
    vendor_credit_time_filter: Verdict = field(
        default="accept", metadata={"about": "createdTime and updatedTime as filter of vendor credits."}
    )
    payment_time_filter: Verdict = field(
        default="accept", metadata={"about": "createdTime and updatedTime as filter of payments."}
    )

    # Records
    unset_fields: Literal["omit", "null"] = field(
        default="omit", metadata={"about": "Whether a record's unset top-level fields are left out or null."}
    )
    time_form: Literal["offset", "z"] = field(
        default="offset",
        metadata={"about": "Date-times in REST responses: with `+00:00`, as in samples, or with `Z`."},
    )
    sensitive_numbers: Literal["clear", "masked"] = field(
        default="clear", metadata={"about": "Tax ids and vendors' bank account numbers in REST responses."}
    )
    parent_account_visible: bool = field(
        default=True,
        metadata={
            "about": "Whether an account shows its `parentId`: the schema declares it, an "
            "integrator missed it."
        },
    )
    parent_account_archives_children: bool = field(
        default=True, metadata={"about": "Whether archiving a parent account archives the accounts below it."}
    )
    payment_bumps_bill: bool = field(
        default=True,
        metadata={"about": "Whether a payment's change of status moves its bills' `updatedTime`."},
    )
    bill_bumps_vendor: bool = field(
        default=False,
        metadata={"about": "Whether a changed vendor balance moves the vendor's `updatedTime`."},
    )
    partly_scheduled_status: Literal["SCHEDULED", "PARTIALLY_SCHEDULED"] = field(
        default="SCHEDULED",
        metadata={"about": "`paymentStatus` of a bill of which a part is scheduled and nothing paid."},
    )
    payment_lead_business_days: int = field(
        default=2,
        metadata={"about": "Business days from today to the first process date; an earlier one is BDC_1402."},
    )
    recurring_line_prefix: str = field(
        default="rbl", metadata={"about": "Prefix of the ids of recurring bill lines."}
    )

    # Webhooks
    webhook_http_urls: Literal["loopback", "never"] = field(
        default="loopback",
        metadata={
            "about": "Whether http:// notification URLs of this machine are accepted. The real "
            "service accepts https:// only."
        },
    )
    webhook_limit_status: int = field(
        default=400,
        metadata={"about": "HTTP status of an eleventh subscription, or one that another is like."},
    )
    webhook_body: Literal["plain", "escaped", "wrapped"] = field(
        default="plain",
        metadata={
            "about": "Body of a notification: the payload, the payload as one JSON string, or an "
            "object whose `payload` is that string."
        },
    )
    webhook_signature_over: Literal["body", "payload"] = field(
        default="body", metadata={"about": "What is signed when the body is not plain."}
    )
    webhook_key_encoding: Literal["text", "base64"] = field(
        default="text",
        metadata={
            "about": "Whether the key of the signature is the security key's text or what it decodes to."
        },
    )
    webhook_list_envelope: Literal["results", "named", "array"] = field(
        default="results",
        metadata={
            "about": "Webhook lists: under `results`, under `subscriptions`/`events`, or a bare array."
        },
    )
    webhook_status_actor: str = field(
        default="updatedBy",
        metadata={"about": "Field of a subscription's status that names who changed it last; '' omits it."},
    )
    webhook_timeout_seconds: float = field(
        default=10.0, metadata={"about": "Real seconds that a receiver has to answer."}
    )
    webhook_retry_factor: float = field(
        default=1.0,
        metadata={
            "about": "Multiplies the waits of 2, 4, 8 and 16 s between deliveries, which pass on the "
            "simulator's clock; 0 retries at once."
        },
    )
    webhook_events_while_disabled: Literal["dropped", "recorded"] = field(
        default="dropped",
        metadata={"about": "Whether events of a disabled subscription are kept in its event list."},
    )
    webhook_error_replay: bool = field(
        default=False,
        metadata={"about": "Whether a repeated idempotency key repeats an error, too, or tries again."},
    )
    payment_failed_on_refusal: bool = field(
        default=True, metadata={"about": "Whether a refused payment also notifies `payment.failed`."}
    )
