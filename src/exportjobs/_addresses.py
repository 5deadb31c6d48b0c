"""The addresses of a finished job's files: leases, renewed before they end or when refused."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import anyio

from exportjobs._clock import Clock
from exportjobs._errors import DownloadFailed
from exportjobs._job import Artifact, ExportJob

Renew = Callable[[], Awaitable[ExportJob]]
"""Asks the vendor to describe a job again, for the sake of fresh addresses."""

_MARGIN = timedelta(seconds=5)


class Addresses:
    """Where the files of one job are, shared by all that fetch them."""

    def __init__(self, job: ExportJob, renew: Renew, clock: Clock) -> None:
        """Take the job as it was described last."""
        self.job = job
        self._renew = renew
        self._clock = clock
        self._refused: set[Artifact] = set()
        # Getting a turn that is free need not wait a round of the loop: the host is waited for.
        self._one_at_a_time = anyio.Lock(fast_acquire=True)

    async def of(self, index: int) -> Artifact:
        """Return an artifact whose address is still good, asking the vendor anew if need be.

        Raises:
            DownloadFailed: If the vendor offers this part of the job no more.
            ExportJobsError: If the vendor cannot be asked.
        """
        async with self._one_at_a_time:
            artifact = self._artifact(index)
            end = artifact.lease_ends_at
            over = end is not None and end <= self._clock.now() + _MARGIN
            if over or artifact in self._refused:
                self._refused.clear()
                self.job = await self._renew()
            return self._artifact(index)

    def refuse(self, artifact: Artifact) -> None:
        """Note that a host refuses an address; if it has been renewed since, that is past."""
        self._refused.add(artifact)

    def _artifact(self, index: int) -> Artifact:
        try:
            return self.job.artifacts[index]
        except IndexError:
            raise DownloadFailed("the vendor offers this part of the job no more") from None
