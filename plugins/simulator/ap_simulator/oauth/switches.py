"""The open points of Intuit's OAuth server as switches, each with the suggested default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class OAuthSwitches:
    """What the OAuth server does where Intuit's documentation is silent or contradicts itself."""

    rotation: Literal["daily", "always"] = field(
        default="daily",
        metadata={
            "about": "When a refresh returns a new refresh token: on the first one 24 hours or "
            "more after the last new value, or always."
        },
    )
    old_token_lingers: bool = field(
        default=False,
        metadata={
            "about": "Whether a replaced refresh token goes on working for 24 hours, or is dead at once."
        },
    )
    reuse_revokes: bool = field(
        default=False,
        metadata={
            "about": "Whether presenting a replaced refresh token revokes the whole connection, "
            "or is only refused."
        },
    )
    refresh_invalidates_access: bool = field(
        default=False,
        metadata={"about": "Whether a refresh ends the access tokens issued before it."},
    )
    reconnect_revokes: bool = field(
        default=False,
        metadata={
            "about": "Whether a new consent of the same client for the same company revokes the "
            "connection made before."
        },
    )
    refresh_token_days: int = field(
        default=100,
        metadata={
            "about": "Rolling life of a refresh token in days from its last use; 101 has been seen as well."
        },
    )
    invalid_grant_description: bool = field(
        default=True,
        metadata={
            "about": "Whether invalid_grant carries an error_description; answers without one "
            "have been seen as well."
        },
    )
    loopback_redirects: Literal["any", "registered"] = field(
        default="any",
        metadata={
            "about": "Which http redirect URIs on localhost a development client may use: any, "
            "or only those it registered."
        },
    )
