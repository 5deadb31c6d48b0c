"""The accounts of a poller: each is opened when it is first named, and kept until the end."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

from attrs import define, field

from exportjobs._account import Account
from exportjobs._clock import Clock
from exportjobs._decide import Counsel
from exportjobs._durations import Durations
from exportjobs._errors import UnknownAccount
from exportjobs._inputs import check_same
from exportjobs._job import JobRef, check_ref
from exportjobs._lane import MOST, WIDEST
from exportjobs._limits import Allowance
from exportjobs._network import Via
from exportjobs._registry import load_adapter
from exportjobs._schedule import Jitter, Schedule
from exportjobs._session import Session
from exportjobs._transport import Transport
from exportjobs.adapter import Adapter

AccountKey = tuple[str, str]
"""A vendor's name and an account's."""


@define(eq=False)
class Accounts:
    """What is kept of every account, by its key."""

    clock: Clock
    jitter: Jitter
    interval: timedelta | None
    """Between two polls of a job, in place of what was learned."""
    via: Via | None
    singly: bool
    """Whether an account with a list submits one export at a time, so that the list can tell."""
    learned: Mapping[AccountKey, dict[str, Durations]]
    """How long each kind of job of an account takes."""
    connections: AsyncExitStack
    """Closes them when the poller is left."""
    _known: dict[AccountKey, Account] = field(factory=dict[AccountKey, Account], init=False)

    def __iter__(self) -> Iterator[Account]:
        """Return all of them, in the order in which they were named."""
        return iter(self._known.values())

    @property
    def keys(self) -> Collection[AccountKey]:
        """Of all that were named."""
        return self._known.keys()

    def of(self, adapter: Adapter) -> Account:
        """Return an adapter's account, opened if it was not named before.

        Raises:
            InvalidArgument: If another one has its name.
        """
        known = self._known.get(adapter.account)
        if known is None:
            known = self._known[adapter.account] = self._opened(adapter)
        check_same(known.session.adapter, adapter)
        return known

    def of_key(self, key: AccountKey) -> Account:
        """Return an account that was named.

        Raises:
            KeyError: If it was not.
        """
        return self._known[key]

    def of_ref(self, ref: JobRef) -> Account:
        """Return the account that a job is of.

        Raises:
            InvalidArgument: If it is no ref.
            UnknownAccount: If it was not named.
        """
        check_ref(ref)
        try:
            return self.of_key(ref.account_key)
        except KeyError:
            reason = f"no adapter for the account {'/'.join(ref.account_key)}"
            raise UnknownAccount(reason, vendor=ref.vendor, ref=ref) from None

    def adapter_of(self, vendor: str) -> type[Adapter]:
        """Return a vendor's adapter: that of an account, or the one that is installed.

        Raises:
            ExportJobsError: If none is, or it cannot be loaded.
        """
        adapters = (account.session.adapter for account in self)
        known = (type(adapter) for adapter in adapters if adapter.vendor == vendor)
        return next(known, None) or load_adapter(vendor)

    def _opened(self, adapter: Adapter) -> Account:
        transport = Transport(self.via, connections=MOST + WIDEST)
        self.connections.push_async_exit(transport)
        schedule = Schedule(adapter.pace, self.interval)
        account = Account(
            Session(adapter, transport, self.clock),
            Counsel(schedule, self.jitter),
            Allowance(adapter.slots),
            self.learned.get(adapter.account, {}),
        )
        account.submits_singly = self.singly and account.lists
        return account
