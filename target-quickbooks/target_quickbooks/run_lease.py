"""One run at a time per QuickBooks company: the lease a run holds from its first look to its last write.

Two runs that plan from the same links would both create what neither has created yet. A thread renews the
lease while the run lives, also while it waits for input or for an answer; a run that died loses it within
``LEASE_SECONDS``, or at once where the next one can see that the process is gone. Hosts that share a store
need clocks that agree to within a few seconds.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable

from target_quickbooks.errors import RunConflict, StoreError
from target_quickbooks.process import is_gone, this_process
from target_quickbooks.store import lease_table
from target_quickbooks.store.database import Store

LEASE_SECONDS = 90
_RENEWALS = 3
_POLL_SECONDS = 1.0
_JOIN_SECONDS = 5.0

logger = logging.getLogger("target-quickbooks")


class RunLease:
    """The right to write to a realm.

    Args:
        store: Where processes meet; its address decides who excludes whom.
        realm_id: The company.
        run_id: The run that wants to write.
        wait_seconds: How long to wait for another run to end; 0 does not wait.
        now: The current time, aware.
        sleep: How to wait; may raise to interrupt the wait.
    """

    def __init__(
        self,
        store: Store,
        *,
        realm_id: str,
        run_id: str,
        wait_seconds: int,
        now: Callable[[], dt.datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self._store = store
        self._realm_id = realm_id
        self._name = f"run:{realm_id}"
        self._owner = f"{this_process()} run {run_id[:8]}"
        self._wait_seconds = wait_seconds
        self._seconds = LEASE_SECONDS
        self._now = now
        self._sleep = sleep
        self._until = now()
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name=f"lease {self._name}", daemon=True)

    def take(self) -> None:
        """Take the lease, waiting for another run to end as long as the settings allow.

        Raises:
            RunConflict: Another run still holds it.
        """
        try:
            self._wait_for_it()
        except BaseException:
            self.release()
            raise
        self._keeper.start()

    def check(self) -> None:
        """Make sure that the lease is still ours. Costs nothing while the renewals succeed.

        Raises:
            RunConflict: It ran out, say while the machine slept, and another run took it.
        """
        if self._now() >= self._until and not self._renew():
            msg = (
                f"Another run has begun to write to company (realm) {self._realm_id} while this one was "
                "suspended. What this one wrote is recorded; run again when the other has ended."
            )
            raise RunConflict(msg)

    def release(self) -> None:
        """Let the next run begin."""
        self._ended.set()
        if self._keeper.is_alive():
            self._keeper.join(_JOIN_SECONDS)
        lease_table.release(self._store, self._name, self._owner)

    def _wait_for_it(self) -> None:
        give_up = self._now() + dt.timedelta(seconds=self._wait_seconds)
        began, told = self._now(), False
        while not self._acquire():
            holder = lease_table.holder(self._store, self._name)
            if holder is None:
                continue
            if is_gone(holder.owner):
                logger.info("A run that was killed (%s) left its lease behind.", holder.owner)
                lease_table.release(self._store, self._name, holder.owner)
                continue
            if self._now() >= give_up:
                raise self._busy(holder.owner)
            if not told:
                logger.info(
                    "Another run (%s) is writing to company (realm) %s; its lease lasts until %s unless it "
                    "is renewed. Waiting for it, at most %d s.",
                    holder.owner,
                    self._realm_id,
                    holder.expires_at.strftime("%H:%M:%S UTC"),
                    self._wait_seconds,
                )
                told = True
            self._sleep(_POLL_SECONDS)
        if told:
            logger.info("The other run has ended; going on after %d s.", (self._now() - began).seconds)

    def _busy(self, owner: str) -> RunConflict:
        waited = f" and did not end within {self._wait_seconds} s" if self._wait_seconds else ""
        return RunConflict(
            f"Another run ({owner}) is writing to company (realm) {self._realm_id}{waited}. Nothing was "
            "written; run again when it has ended, or set wait_for_run_seconds higher."
        )

    def _acquire(self) -> bool:
        now = self._now()
        if not lease_table.acquire(self._store, self._name, self._owner, now=now, seconds=self._seconds):
            return False
        self._until = now + dt.timedelta(seconds=self._seconds)
        return True

    def _renew(self) -> bool:
        now = self._now()
        if not lease_table.renew(self._store, self._name, self._owner, now=now, seconds=self._seconds):
            return False
        self._until = now + dt.timedelta(seconds=self._seconds)
        return True

    def _keep(self) -> None:
        """Renew until the run ends. Where that fails, ``check`` finds out before the next request."""
        while not self._ended.wait(self._seconds / _RENEWALS):
            try:
                if not self._renew():
                    return
            except StoreError as error:
                logger.warning("The lease on company (realm) %s was not renewed: %s", self._realm_id, error)
