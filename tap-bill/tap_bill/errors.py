"""What can go wrong, grouped by what one does about it.

Every message is one line that says what happened and what to do, and is free of secrets: it passes
through the redaction before the exception exists, so a traceback cannot leak more than a log can.
"""

from __future__ import annotations

from singer_sdk.exceptions import ConfigValidationError, FatalAPIError, RetriableAPIError

from tap_bill.redaction import scrub

__all__ = [  # noqa: RUF022 - by recovery
    # Correct the settings
    "SettingsError",
    "StateError",
    "CredentialsError",
    "DeveloperKeyError",
    "MfaRequiredError",
    "OrganizationError",
    "PermissionDeniedError",
    # Renew the session
    "SessionExpiredError",
    # Wait
    "ConcurrencyLimitError",
    "HourlyLimitError",
    # Try again
    "ServerFaultError",
    "UnreadableAnswerError",
    # Ask another way
    "RequestRefusedError",
    # Stop
    "GaveUpError",
    "HourlyLimitStopError",
    "NotFoundError",
    "RedirectRefusedError",
    "SessionRefusedError",
]


class _FatalError(FatalAPIError):
    """The run ends with this one line."""

    def __init__(self, message: str) -> None:
        super().__init__(scrub(message))


class _PassingError(RetriableAPIError):
    """The call may be repeated, after what the class says."""

    def __init__(self, message: str) -> None:
        super().__init__(scrub(message))


# Correct the settings -----------------------------------------------------------------------------


class SettingsError(ConfigValidationError):
    """Settings are missing or wrong."""

    def __init__(self, *problems: str) -> None:
        """Name the problems; none may quote the value of a secret setting."""
        safe = [scrub(problem) for problem in problems]
        super().__init__("; ".join(safe), errors=safe)


class StateError(_FatalError):
    """The state handed to the tap cannot be used."""


class CredentialsError(_FatalError):
    """BILL does not know the user or the password (BDC_1101)."""


class DeveloperKeyError(_FatalError):
    """BILL does not know the developer key (BDC_1102)."""


class MfaRequiredError(_FatalError):
    """BILL wants multi-factor authentication for this user."""


class OrganizationError(_FatalError):
    """The login does not lead to the organization of the settings."""


class PermissionDeniedError(_FatalError):
    """The BILL user's role does not allow the call."""


# Renew the session --------------------------------------------------------------------------------


class SessionExpiredError(_PassingError):
    """The session is unknown to BILL (BDC_1109 or 401): log in once and repeat the call."""


# Wait ---------------------------------------------------------------------------------------------


class ConcurrencyLimitError(_PassingError):
    """Too many calls at a time (BDC_1322): back off and repeat."""


class HourlyLimitError(_PassingError):
    """The hour's calls or logins are used up (BDC_1144): wait for the next full hour, or stop."""


# Try again ----------------------------------------------------------------------------------------


class ServerFaultError(_PassingError):
    """BILL or its gateway failed (5xx, BDC_1001)."""


class UnreadableAnswerError(_PassingError):
    """The answer is cut short, is no JSON or not of the expected shape."""


# Ask another way ----------------------------------------------------------------------------------


class RequestRefusedError(_FatalError):
    """BILL refused the request as such (400): a list may be asked for without filter or sort."""

    def __init__(self, message: str, *, reason: str = "") -> None:
        """Refuse.

        Args:
            message: What to show.
            reason: BILL's own words, to tell a refused filter from a refused sort.
        """
        super().__init__(message)
        self.reason = reason


# Stop ---------------------------------------------------------------------------------------------


class GaveUpError(_FatalError):
    """A call failed until patience ran out."""


class HourlyLimitStopError(_FatalError):
    """The hour's calls are used up and the settings say to stop."""


class NotFoundError(_FatalError):
    """BILL has no such path or object (404)."""


class RedirectRefusedError(_FatalError):
    """BILL answered with a redirect, which could carry the session to another host."""


class SessionRefusedError(_FatalError):
    """A session that was just renewed is refused again."""
