"""The simulated companies: the same books, made from a seed, on BILL's and on QuickBooks' side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, cast

if TYPE_CHECKING:
    from ap_simulator.world import World


class CompanySettings(Protocol):
    """What company a world gets; `build.populate` says what each means."""

    @property
    def company(self) -> str:
        """`demo` or `empty`."""

    @property
    def vendors(self) -> int | None:
        """How many vendors."""

    @property
    def bills(self) -> int | None:
        """How many bills."""

    @property
    def seed(self) -> int:
        """Decides all that is not fixed."""


def load(world: World, settings: CompanySettings) -> None:
    """Put the company that the settings name into a world.

    Raises:
        CompanySizeError: The company cannot have so few records.
    """
    # The tables of the company are only needed, and made, when there is a world to fill.
    from ap_simulator.company.build import populate  # noqa: PLC0415

    populate(
        world,
        company=cast("Literal['demo', 'empty']", settings.company),
        vendors=settings.vendors,
        bills=settings.bills,
        seed=settings.seed,
    )
