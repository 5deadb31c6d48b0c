"""Where the files of finished jobs are wanted: what every such place can do."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

from exportjobs._finished import LandedFile
from exportjobs._job import ExportJob
from exportjobs._sink import Sink


class Destination(ABC):
    """A place for the files of any number of jobs."""

    def wants(self, job: ExportJob) -> bool:  # noqa: ARG002 - for overrides
        """Return whether the files of an ended job are to come here, however it ended."""
        return True

    @abstractmethod
    def sink(self, job: ExportJob, index: int) -> Sink:
        """Return where one of a job's files goes; nothing is opened yet."""

    async def landed(self, job: ExportJob) -> Mapping[int, LandedFile]:  # noqa: ARG002 - for overrides
        """Return which of a job's files landed earlier, by their index.

        Raises:
            DestinationFailed: If the place cannot be read.
        """
        return {}

    async def standing(self, files: tuple[LandedFile, ...]) -> tuple[LandedFile, ...] | None:
        """Return files that landed here earlier, all of a job's, if they are what they were.

        None if one is not, or landed elsewhere: then they are to be fetched again.

        Raises:
            DestinationFailed: If the place cannot be asked.
        """
        return files

    async def conclude(
        self, job: ExportJob, files: tuple[LandedFile, ...]
    ) -> tuple[LandedFile, ...]:
        """Say that all of a job's files are there, and return what they are to be handed over as.

        Raises:
            FileError: If that cannot be.
        """
        del job
        return files
