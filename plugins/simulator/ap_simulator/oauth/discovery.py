"""The OpenID discovery document of this server (QuickBooks manual 2.1)."""

from __future__ import annotations

from typing import Any, Final

AUTHORIZATION_PATH: Final = "/connect/oauth2"
TOKEN_PATH: Final = "/oauth2/v1/tokens/bearer"  # noqa: S105 - a path
REVOCATION_PATH: Final = "/v2/oauth2/tokens/revoke"
USERINFO_PATH: Final = "/v1/openid_connect/userinfo"
ISSUER_PATH: Final = "/op/v1"
JWKS_PATH: Final = "/op/v1/jwks"
#: Production and sandbox documents; both are served with and without a final slash.
DISCOVERY_PATHS: Final = (
    "/.well-known/openid_configuration",
    "/.well-known/openid_sandbox_configuration",
)


def discovery_document(base_url: str) -> dict[str, Any]:
    """The document for clients that reach the server at `base_url` (no final slash)."""
    return {
        "issuer": base_url + ISSUER_PATH,
        "authorization_endpoint": base_url + AUTHORIZATION_PATH,
        "token_endpoint": base_url + TOKEN_PATH,
        "userinfo_endpoint": base_url + USERINFO_PATH,
        "revocation_endpoint": base_url + REVOCATION_PATH,
        "jwks_uri": base_url + JWKS_PATH,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile", "address", "phone"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
    }
