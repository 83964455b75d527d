"""Multi-factor authentication: phones, codes by text message, remembered devices (BILL manual 2.7).

The text message of every code is the switch `mfa_code`.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ap_simulator.bill.errors import Code, invalid, refusal
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.wire import Record
from ap_simulator.clock import Clock

CODE_LIFETIME: Final = timedelta(minutes=10)
REMEMBER_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Sent:
    """A code that was sent to a user, or a device that was remembered for one."""

    user_id: str
    detail: str
    moment: datetime


class Mfa:
    """What users have set up and which devices are trusted."""

    def __init__(self, *, clock: Clock, switches: BillSwitches) -> None:
        self._clock = clock
        self._switches = switches
        self._phones: dict[str, list[Record]] = defaultdict(list)
        self._setups: dict[str, _Sent] = {}
        self._challenges: dict[str, _Sent] = {}
        self._remembered: dict[str, _Sent] = {}

    def phones(self, user_id: str) -> list[Record]:
        """The user's phones."""
        return self._phones[user_id]

    def begin_setup(self, user_id: str, phone: str) -> str:
        """Send a code to a new phone; the id of the setup."""
        return self._send(self._setups, user_id, phone)

    def finish_setup(self, user_id: str, setup_id: str, code: str) -> None:
        """Add the phone of a setup.

        Raises:
            Refusal: 400: unknown setup or wrong code; BDC_1356: the code is too old.
        """
        sent = self._check(self._setups, user_id, setup_id, code, "setupId")
        digits = sent.detail[-4:]
        phone = {"type": "MOBILE", "last4digits": digits, "primary": not self._phones[user_id]}
        self._phones[user_id].append(phone)

    def begin_challenge(self, user_id: str) -> str:
        """Send a code to the user's phone; the id of the challenge."""
        return self._send(self._challenges, user_id, "")

    def finish_challenge(self, user_id: str, challenge_id: str, code: str, device: str) -> str:
        """Trust a device for 30 days; its `rememberMeId`.

        Raises:
            Refusal: 400: unknown challenge or wrong code; BDC_1356: the code is too old.
        """
        self._check(self._challenges, user_id, challenge_id, code, "challengeId")
        return self._send(self._remembered, user_id, device)

    def trusts(self, user_id: str, remember_me_id: str, device: str) -> bool:
        """Whether a device of the user is remembered under that id."""
        sent = self._remembered.get(remember_me_id)
        if sent is None or (sent.user_id, sent.detail) != (user_id, device):
            return False
        return self._clock.now() - sent.moment < REMEMBER_LIFETIME

    def _send(self, book: dict[str, _Sent], user_id: str, detail: str) -> str:
        sent_id = secrets.token_hex(16)
        book[sent_id] = _Sent(user_id, detail, self._clock.now())
        return sent_id

    def _check(self, book: dict[str, _Sent], user_id: str, sent_id: str, code: str, where: str) -> _Sent:
        sent = book.get(sent_id)
        if sent is None or sent.user_id != user_id:
            msg = f"{where}: is not known"
            raise invalid(msg)
        if self._clock.now() - sent.moment >= CODE_LIFETIME:
            del book[sent_id]
            raise refusal(Code.MFA_CODE_EXPIRED, status=400)
        if code != self._switches.mfa_code:
            msg = "token: is not the code that was sent"
            raise invalid(msg)
        return book.pop(sent_id)
