"""Stores of objects, such as Amazon S3: found by their address, and their errors made safe.

obstore is an extra: this room and those that need it are imported when a store is wanted.
"""

import re
from urllib.parse import SplitResult, urlsplit

import obstore
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store, from_url

from exportjobs.adapter._errors import DestinationFailed, InvalidArgument
from exportjobs.adapter._redact import safe_text

Store = S3Store | GCSStore | AzureStore | LocalStore | MemoryStore
"""Those that take a file in pieces and show it only once it is whole."""
_ADDRESSES = 'pass an address such as "s3://bucket/prefix", or a store of obstore\'s'
_CREDENTIALS = (
    "leave credentials to the environment (AWS_…, GOOGLE_…, AZURE_…), or pass a store of obstore's"
)
_NAMES_CONTAINER_AS_USER = {"abfs", "abfss"}
_SCHEMES = {"s3", "s3a", "gs", "az", "azure", "adl", *_NAMES_CONTAINER_AS_USER}
_PREAMBLE = re.compile(r"Generic \w+ error: ")
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_DEBUG = "\n\nDebug source:"
_REMEDY = "check the store's credentials and address, then resume the job by its ref"


def store_at(address: str) -> Store:
    """Return the store that an address names, with the credentials that its environment has.

    Raises:
        InvalidArgument: If it names none, or holds what opens one.
    """
    parts = _checked(address)
    try:
        store = from_url(address)
    except Exception as error:  # noqa: BLE001 - it tells in many ways what it lacks
        said = cause(error)
    else:
        return _checked_store(store, parts)
    raise InvalidArgument("into", f"cannot be used ({said})", remedy=_CREDENTIALS)


def checked_store(store: object) -> Store:
    """Return a store of the caller's.

    Raises:
        InvalidArgument: If it is none, or none that shows a file only once it is whole.
    """
    if isinstance(store, Store):
        return store
    reason = f"is a {type(store).__name__}, where no files can be put"
    raise InvalidArgument("into", reason, remedy=_ADDRESSES)


def root(store: Store) -> str:
    """Return what the locations of a store's objects begin with; it opens nothing."""
    match store:
        case S3Store():
            return _address("s3", store.config.get("bucket"), store.prefix)
        case GCSStore():
            return _address("gs", store.config.get("bucket"), store.prefix)
        case AzureStore():
            return _address("az", store.config.get("container_name"), store.prefix)
        case LocalStore():
            return str(store.prefix or "/")
        case _:
            return ""


def failed(name: str, store: Store, error: Exception) -> DestinationFailed:
    """Return what is told of an object that a store did not take."""
    place = root(store)
    where = f"{name} in {place}" if place else name
    return DestinationFailed(f"cannot be written: {where} ({cause(error)})", remedy=_REMEDY)


def cause(error: Exception) -> str:
    """Return what went wrong in one safe line.

    What obstore says holds whole URLs and the store's answer, which may repeat what was signed.
    """
    said = _PREAMBLE.sub("", str(error).partition(_DEBUG)[0])
    status, code = _STATUS.search(said), _CODE.search(said)
    if status:
        return f"HTTP {status[1].strip()}" + (f", {code[1]}" if code else "")
    _, repeated, rest = said.partition(" - HTTP error: ")
    return safe_text(rest if repeated else said)


def _checked(address: str) -> SplitResult:
    """Return the parts of an address that may be one of a store."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = None
    if parts is None or not address.isprintable():
        raise InvalidArgument("into", "is no address", remedy=_ADDRESSES)
    user, _, host = parts.netloc.rpartition("@")
    holds_user = ":" in user if parts.scheme in _NAMES_CONTAINER_AS_USER else bool(user)
    if holds_user or ":" in host or "?" in address or "#" in address:
        reason = "holds more than a bucket and a path: what opens a store is not to be seen"
        raise InvalidArgument("into", reason, remedy=_CREDENTIALS)
    if parts.scheme not in _SCHEMES and not _is_of_a_cloud(address, parts.scheme):
        reason = f"is no address that files can be put to ({parts.scheme})"
        raise InvalidArgument("into", reason, remedy=f"{_ADDRESSES}, or the path of a folder")
    if not parts.netloc:
        raise InvalidArgument("into", "names no bucket", remedy=_ADDRESSES)
    return parts


def _is_of_a_cloud(address: str, scheme: str) -> bool:
    """Return whether an address of the web leads to a bucket of Amazon, Azure or Cloudflare."""
    if scheme != "https":
        return False
    try:
        return obstore.parse_scheme(address) in {"s3", "azure"}
    except Exception:  # noqa: BLE001 - it is no address at all, then
        return False


def _checked_store(found: object, parts: SplitResult) -> Store:
    """Return what an address led to, if it is what its reader takes it to be."""
    store = checked_store(found)
    _, _, inside = root(store).partition("://")
    bucket, _, prefix = inside.partition("/")
    if not bucket:
        raise InvalidArgument("into", "names no bucket", remedy=_ADDRESSES)
    # An address may say less, where dots or escapes stand in it, than meets the eye.
    if parts.path.strip("/") not in {prefix, f"{bucket}/{prefix}".rstrip("/")}:
        remedy = "write the path in plain letters, without dots, escapes and doubled slashes"
        raise InvalidArgument("into", "does not lead where it seems to", remedy=remedy)
    return store


def _address(scheme: str, bucket: object, prefix: str | None) -> str:
    return "/".join(one for one in (f"{scheme}://{bucket or ''}", prefix) if one)
