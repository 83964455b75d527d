"""One organization: who may log in, its books, its schedule of recurring bills, its webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ap_simulator.bill.books import Books
from ap_simulator.bill.identifiers import PREFIXES, identifier
from ap_simulator.bill.records.recurring_bills import Schedule
from ap_simulator.bill.sessions import Login
from ap_simulator.bill.switches import BillSwitches
from ap_simulator.bill.webhooks.delivery import Courier
from ap_simulator.bill.webhooks.hooks import Hooks
from ap_simulator.bill.wire import Record, stamp
from ap_simulator.calls import CallLog
from ap_simulator.clock import Clock

ADMINISTRATOR = "ADMINISTRATOR"
_ROLE_TEXTS = {
    "ADMINISTRATOR": "Administrator",
    "ACCOUNTANT": "Accountant",
    "APPROVER": "Approver",
    "AUDITOR": "Auditor",
    "CLERK": "Clerk",
    "PAYER": "Payer",
}


class Organization:
    """A BILL organization."""

    def __init__(
        self,
        organization_id: str,
        *,
        name: str,
        profile: Mapping[str, Any],
        clock: Clock,
        switches: BillSwitches,
        calls: CallLog,
        courier: Courier,
    ) -> None:
        self.id = organization_id
        self.hooks = Hooks(organization_id, clock=clock, switches=switches, courier=courier)
        self.books = Books(
            organization_id,
            clock=clock,
            switches=switches,
            calls=calls,
            publish=self.hooks.publish,
        )
        self.schedule = Schedule()
        self.developer_keys: set[str] = set()
        self._logins: dict[str, Login] = {}
        self._load_own_records(name, profile)

    def add_user(self, username: str, password: str, *, role: str = ADMINISTRATOR) -> None:
        """Let a user log in; a known one gets a new password and role."""
        user_id = identifier(PREFIXES["users"], seed=f"{self.id}/{username}", number=1)
        self._logins[username] = Login(user_id=user_id, password=password, role=role)
        first_name, _, last_name = username.partition("@")[0].partition(".")
        record = self._timed(
            {
                "id": user_id,
                "archived": False,
                "firstName": first_name.title(),
                "lastName": last_name.title(),
                "email": username,
                "role": {"id": self._role_id(role), "type": role, "description": _role_text(role)},
            }
        )
        self.books["users"].load([record])

    def add_sync_token(self, name: str, value: str) -> None:
        """Let somebody log in with a sync token: `name` as user name and `value` as password."""
        user_id = identifier(PREFIXES["users"], seed=f"{self.id}/{name}", number=1)
        self._logins[name] = Login(user_id=user_id, password=value, sync_token=True)

    def login(self, username: str) -> Login | None:
        """Who logs in by that name."""
        return self._logins.get(username)

    def load(self, collection: str, records: Iterable[Record]) -> None:
        """Take complete records as they are."""
        if collection != "recurring_bills":
            self.books[collection].load(records)
            return
        recurring = list(records)
        self.books[collection].load(recurring)
        for record in recurring:
            self.schedule.set_anchor(record)

    def catch_up(self) -> None:
        """Bring forth the bills that recurring bills have been due to."""
        self.schedule.catch_up(self.books)

    def _load_own_records(self, name: str, profile: Mapping[str, Any]) -> None:
        record = {"id": self.id, "archived": False, **profile, "name": name}
        self.books["organization"].load([self._timed(record)])
        roles = [
            self._timed({"id": self._role_id(role), "type": role, "description": text})
            for role, text in _ROLE_TEXTS.items()
        ]
        self.books["roles"].load(roles)
        bank_account = {
            "id": identifier(PREFIXES["bank_accounts"], seed=self.id, number=0),
            "archived": False,
            "status": "VERIFIED",
            "routingNumber": "074000010",
            "accountNumber": "************1111",
            "nameOnAccount": name,
            "type": "CHECKING",
            "ownerType": "BUSINESS",
            "bankName": "First Example Bank",
            "accessToAdmins": True,
            "default": {"payables": True, "receivables": True},
        }
        self.books["bank_accounts"].load([self._timed(bank_account)])

    def _role_id(self, role: str) -> str:
        return identifier(PREFIXES["roles"], seed=f"{self.id}/{role}", number=1)

    def _timed(self, record: Record) -> Record:
        moment = stamp(self.books.now())
        return {"createdTime": moment, "updatedTime": moment, **record}


def _role_text(role: str) -> str:
    return _ROLE_TEXTS.get(role, role.replace("_", " ").capitalize())
