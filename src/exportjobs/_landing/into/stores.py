"""Object stores, such as Amazon S3: found by their URL, and their errors made safe.

obstore is an extra: this module and those that need it are imported when a store is wanted.
"""

import re
from urllib.parse import SplitResult, urlsplit

import obstore
from obstore.store import AzureStore, GCSStore, LocalStore, MemoryStore, S3Store, from_url

from exportjobs.adapter._errors import DestinationFailed, InvalidArgument
from exportjobs.adapter._redact import safe_text

Store = S3Store | GCSStore | AzureStore | LocalStore | MemoryStore
"""Those that take a file in parts and make it visible only when it is complete."""
_URLS = 'pass a URL such as "s3://bucket/prefix", or a store of obstore\'s'
_CREDENTIALS = (
    "leave credentials to the environment (AWS_…, GOOGLE_…, AZURE_…), or pass a store of obstore's"
)
_NAMES_CONTAINER_AS_USER = {"abfs", "abfss"}
_SCHEMES = {"s3", "s3a", "gs", "az", "azure", "adl", *_NAMES_CONTAINER_AS_USER}
_PREAMBLE = re.compile(r"Generic \w+ error: ")
_STATUS = re.compile(r"status code: (\d{3}[A-Za-z ]*)")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_DEBUG = "\n\nDebug source:"
_REMEDY = "check the store's credentials and URL, then resume the job by its ref"


def store_at(url: str) -> Store:
    """Return the store that a URL names, with the credentials that its environment has.

    Raises:
        InvalidArgument: If it names none, or holds credentials.
    """
    parts = _checked(url)
    try:
        store = from_url(url)
    except Exception as error:  # noqa: BLE001 - it has many kinds of errors
        said = cause(error)
    else:
        return _checked_store(store, parts)
    raise InvalidArgument("into", f"cannot be used ({said})", remedy=_CREDENTIALS)


def checked_store(store: object) -> Store:
    """Return a store of the caller's.

    Raises:
        InvalidArgument: If it is not one, or shows files that are not complete.
    """
    if isinstance(store, Store):
        return store
    reason = f"is a {type(store).__name__}, which is not a store for files"
    raise InvalidArgument("into", reason, remedy=_URLS)


def root(store: Store) -> str:
    """Return what the locations of a store's objects begin with; it opens nothing."""
    match store:
        case S3Store():
            return _url_of("s3", store.config.get("bucket"), store.prefix)
        case GCSStore():
            return _url_of("gs", store.config.get("bucket"), store.prefix)
        case AzureStore():
            return _url_of("az", store.config.get("container_name"), store.prefix)
        case LocalStore():
            return str(store.prefix or "/")
        case _:
            return ""


def failed(name: str, store: Store, error: Exception) -> DestinationFailed:
    """Return the error for an object that a store did not take."""
    place = root(store)
    where = f"{name} in {place}" if place else name
    return DestinationFailed(f"cannot be written: {where} ({cause(error)})", remedy=_REMEDY)


def cause(error: Exception) -> str:
    """Return what went wrong in one safe line.

    obstore's own text holds whole URLs and the store's answer, which may repeat what was signed.
    """
    said = _PREAMBLE.sub("", str(error).partition(_DEBUG)[0])
    status, code = _STATUS.search(said), _CODE.search(said)
    if status:
        return f"HTTP {status[1].strip()}" + (f", {code[1]}" if code else "")
    _, repeated, rest = said.partition(" - HTTP error: ")
    return safe_text(rest if repeated else said)


def _checked(url: str) -> SplitResult:
    """Return the parts of a URL that may be one of a store."""
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = None
    if parts is None or not url.isprintable():
        raise InvalidArgument("into", "is not a valid URL", remedy=_URLS)
    user, _, host = parts.netloc.rpartition("@")
    holds_user = ":" in user if parts.scheme in _NAMES_CONTAINER_AS_USER else bool(user)
    if holds_user or ":" in host or "?" in url or "#" in url:
        reason = "holds more than a bucket and a path: credentials do not belong into a URL"
        raise InvalidArgument("into", reason, remedy=_CREDENTIALS)
    if parts.scheme not in _SCHEMES and not _is_of_a_cloud(url, parts.scheme):
        reason = f"is not the URL of a store ({parts.scheme})"
        raise InvalidArgument("into", reason, remedy=f"{_URLS}, or the path of a folder")
    if not parts.netloc:
        raise InvalidArgument("into", "does not name a bucket", remedy=_URLS)
    return parts


def _is_of_a_cloud(url: str, scheme: str) -> bool:
    """Return whether an https URL names a bucket of Amazon, Azure or Cloudflare."""
    if scheme != "https":
        return False
    try:
        return obstore.parse_scheme(url) in {"s3", "azure"}
    except Exception:  # noqa: BLE001 - it is not a URL at all, then
        return False


def _checked_store(found: object, parts: SplitResult) -> Store:
    """Return the store found at a URL, if it is the one that a reader of the URL expects."""
    store = checked_store(found)
    _, _, inside = root(store).partition("://")
    bucket, _, prefix = inside.partition("/")
    if not bucket:
        raise InvalidArgument("into", "does not name a bucket", remedy=_URLS)
    # Dots and escapes in a path are resolved, so that it names another place than it shows.
    if parts.path.strip("/") not in {prefix, f"{bucket}/{prefix}".rstrip("/")}:
        remedy = "write the path without dots, escapes and double slashes"
        raise InvalidArgument("into", "names another place than it seems to", remedy=remedy)
    return store


def _url_of(scheme: str, bucket: object, prefix: str | None) -> str:
    return "/".join(one for one in (f"{scheme}://{bucket or ''}", prefix) if one)
