"""Who is who in the demo: fixed ids, logins and keys, worth nothing outside the simulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """What a client needs to reach one simulated company on both sides.

    Attributes:
        organization_id: BILL organization (20 characters, `008...`).
        company_name: The company's name on both sides.
        dev_key: BILL developer key.
        username: BILL user, an e-mail address.
        password: The user's password.
        user_id: The user's BILL id (`006...`).
        realm_id: QuickBooks company.
        client_id: Intuit app.
        client_secret: Its secret.
        redirect_uris: Its registered redirect URIs.
        refresh_token: Seed refresh token of the app for the company.
        verifier_token: The app's key for the signatures of QuickBooks' webhooks.
        encryption_key: Fernet key for the tap's session cache and the target's token store.
    """

    organization_id: str
    company_name: str
    dev_key: str
    username: str
    password: str
    user_id: str
    realm_id: str
    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]
    refresh_token: str
    verifier_token: str
    encryption_key: str


DEMO: Final = Identities(
    organization_id="00802DEMOORGANIZTN01",
    company_name="Larkfield Software Services",
    dev_key="01DEMODEVELOPERKEY01",
    username="accounts@larkfield.example",
    password="demo-password",  # noqa: S106 - of a company that exists in memory only
    user_id="00602237O2DYNJQ38rfl",
    realm_id="9341452000000001",
    client_id="ABDemoClient0000000000000000000000000000000000001",
    client_secret="demo-client-secret-0000000000000000000001",  # noqa: S106 - as above
    redirect_uris=(
        "https://larkfield.example/oauth/callback",
        "http://localhost:8765/callback",
        "http://127.0.0.1:8765/callback",
    ),
    refresh_token="AB11-demo-seed-of-larkfield",  # noqa: S106 - as above
    verifier_token="de30c0de-larkfield-webhook-verifier-00001",  # noqa: S106 - as above
    encryption_key="Zm9yIHRoZSBkZW1vIG9ubHksIG5ldmVyIGZvciByZWE=",
)
