"""Single records of BILL, by id, over the tap's own session, limits and retries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from singer_sdk.exceptions import FatalAPIError, RetriableAPIError
from tap_bill import answers
from tap_bill.client import TIMEOUT
from tap_bill.connection import Connection, connect
from tap_bill.errors import NotFoundError
from tap_bill.errors import SettingsError as TapSettingsError
from tap_bill.settings import parse
from target_quickbooks.errors import SettingsError, TargetError

from webhook_shim.companies import Books


class BillUnread(TargetError):
    """A record of BILL could not be read: the message says why."""


class BillRecords:
    """Reads records of one organization.

    Raises:
        SettingsError: The tap's configuration cannot be used.
    """

    def __init__(self, books: Books) -> None:
        try:
            settings = parse({"user_agent": "webhook-shim", **books.tap_config})
        except TapSettingsError as error:
            raise SettingsError(f"Configuration of tap-bill for {books.title}: {error}") from None
        self._connection: Connection = connect(settings)
        self._base_url = settings.base_url

    def read(self, stream: str, record_id: str) -> Mapping[str, Any] | None:
        """One record; None if BILL does not know it.

        Args:
            stream: ``vendors`` or ``bills``.
            record_id: BILL's id.

        Raises:
            BillUnread: BILL cannot be asked.
        """
        connection, path = self._connection, f"/v3/{stream}/{record_id}"
        call = connection.call("GET", path)
        used: list[str | None] = [None]

        def attempt() -> Any:
            response = connection.client.http.get(
                f"{self._base_url}{path}", auth=connection.session, timeout=TIMEOUT, allow_redirects=False
            )
            used[0] = response.request.headers.get("sessionId")
            return answers.read(response.status_code, response.content, call)

        try:
            found = connection.client.run(
                attempt,
                call=call,
                governor=connection.governor,
                renew=lambda: connection.session.expire(used[0]),
            )
        except NotFoundError:
            return None
        except (FatalAPIError, RetriableAPIError) as error:
            raise BillUnread(str(error)) from None
        return found if isinstance(found, Mapping) else None

    def close(self) -> None:
        """Keep the session for the next one who needs it."""
        self._connection.session.close()
