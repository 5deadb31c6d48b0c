"""From what callers pass as `into` to the place where files land."""

from pathlib import Path

from exportjobs._clock import Clock
from exportjobs._destination import Destination
from exportjobs._disk import prepare_folder
from exportjobs._errors import InvalidArgument
from exportjobs._folder import Folder
from exportjobs._handover import Handover, Taker
from exportjobs._inputs import Place

Into = Place | Taker | Destination
"""A folder, or a function that takes each file as it comes."""


def destination(into: Into | None, clock: Clock, *, unpack: bool) -> Destination | None:
    """Return where files are to land, ready to take them; None where they are not wanted.

    Raises:
        DestinationFailed: If nothing can be written there.
        InvalidArgument: If it is no such place, or archives cannot be unpacked there.
    """
    if into is None or isinstance(into, Destination):
        return into
    if callable(into):
        if unpack:
            raise InvalidArgument("unpack", "needs a folder", remedy='pass into="a folder"')
        return Handover(into)
    return Folder(prepare_folder(Path(into)), clock, unpacks=unpack)
