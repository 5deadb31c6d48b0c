"""Azure Blob Storage and Amazon S3, each with its vendor's own code to upload and to sign links."""

import random
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final
from unittest.mock import patch
from urllib.parse import parse_qs, quote, urlsplit

import botocore.session  # type: ignore[import-untyped]
from azure.storage.blob import (
    BlobClient,
    BlobSasPermissions,
    BlobServiceClient,
    ContentSettings,
    generate_blob_sas,
)
from botocore.config import Config  # type: ignore[import-untyped]

FOLDER: Final = "exports"
"""What Azure calls a container and Amazon a bucket."""

# The one account that Azurite has: its key is in Azurite's manual.
_ACCOUNT: Final = "devstoreaccount1"
_ACCOUNT_KEY: Final = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
# The one secret whose signatures LocalStack checks.
_ACCESS_KEY: Final = "test"
_SECRET_KEY: Final = "test"  # noqa: S105 - as above
_LIFETIME: Final = timedelta(hours=1)
_SIGNATURE: Final = re.compile(r"([?&](?:sig|X-Amz-Signature)=)([^&])")


class Store(ABC):
    """A store of files that opens them to whoever has a signed link."""

    def __init__(self, origin: str) -> None:
        """Take where it is."""
        self.origin = origin

    @abstractmethod
    def put(self, name: str, content: bytes, *, encoding: str | None = None) -> None:
        """Store a file, in place of the one that has its name.

        Args:
            name: The file's.
            content: Its bytes, as they are to come out again.
            encoding: What the store is to say that they are compressed with.
        """

    @abstractmethod
    def link(self, name: str, *, at: str, until: datetime) -> str:
        """Return a link to a file that is signed by the vendor's own code.

        Args:
            name: The file's.
            at: The origin that the link leads to.
            until: When it ends, to the second.
        """


class Azure(Store):
    """Azure Blob Storage: links with a shared access signature."""

    def __init__(self, origin: str, service: BlobServiceClient) -> None:
        """Take where it is and who uploads."""
        super().__init__(origin)
        self._service = service

    @classmethod
    @contextmanager
    def opened(cls, origin: str) -> Iterator["Azure"]:
        """Yield the store with an empty container."""
        with BlobServiceClient(f"{origin}/{_ACCOUNT}", credential=_ACCOUNT_KEY) as service:
            service.create_container(FOLDER)
            yield cls(origin, service)

    def put(self, name: str, content: bytes, *, encoding: str | None = None) -> None:
        """Store a file, in one piece: of that Azure keeps the MD5."""
        settings = ContentSettings(content_type="text/csv", content_encoding=encoding)
        self._blob(name).upload_blob(content, overwrite=True, content_settings=settings)

    def claim(self, name: str, md5: bytes) -> None:
        """Let the store say that a file has another MD5 than it has."""
        settings = ContentSettings(content_type="text/csv", content_md5=bytearray(md5))
        self._blob(name).set_http_headers(settings)

    def _blob(self, name: str) -> BlobClient:
        return self._service.get_blob_client(FOLDER, name)

    def link(self, name: str, *, at: str, until: datetime) -> str:
        """Return a link with a shared access signature."""
        query = generate_blob_sas(
            _ACCOUNT,
            FOLDER,
            name,
            account_key=_ACCOUNT_KEY,
            permission=BlobSasPermissions(read=True),
            expiry=until,
        )
        return f"{at}/{_ACCOUNT}/{FOLDER}/{quote(name)}?{query}"


class Amazon(Store):
    """Amazon S3: presigned links, signature version 4."""

    def __init__(self, origin: str) -> None:
        """Take where it is."""
        super().__init__(origin)
        self._session = botocore.session.get_session()

    @classmethod
    @contextmanager
    def opened(cls, origin: str) -> Iterator["Amazon"]:
        """Yield the store with an empty bucket."""
        store = cls(origin)
        with store._client(origin) as client:
            client.create_bucket(Bucket=FOLDER)
        yield store

    def put(self, name: str, content: bytes, *, encoding: str | None = None) -> None:
        """Store a file."""
        as_what = {"ContentType": "text/csv"} | ({"ContentEncoding": encoding} if encoding else {})
        with self._client(self.origin) as client:
            client.put_object(Bucket=FOLDER, Key=name, Body=content, **as_what)

    def link(self, name: str, *, at: str, until: datetime) -> str:
        """Return a link that was presigned as long ago as it takes to end in time."""
        signed_at = until - _LIFETIME
        what, seconds = {"Bucket": FOLDER, "Key": name}, int(_LIFETIME.total_seconds())
        with (
            self._client(at) as client,
            patch("botocore.auth.get_current_datetime", return_value=signed_at),
        ):
            link = client.generate_presigned_url("get_object", Params=what, ExpiresIn=seconds)
        return str(link)

    @contextmanager
    def _client(self, origin: str) -> Iterator[Any]:
        """Yield a client; the host is signed along, so that it has to be the link's."""
        client = self._session.create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=origin,
            aws_access_key_id=_ACCESS_KEY,
            aws_secret_access_key=_SECRET_KEY,
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        try:
            yield client
        finally:
            client.close()


@cache
def content(size: int, seed: int = 0) -> bytes:
    """Return bytes that nothing makes shorter; another seed gives others."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - they are no secret


def in_an_hour() -> datetime:
    """Return when a link ends that is good for the length of any test."""
    return datetime.now(UTC) + timedelta(hours=1)


def an_hour_ago() -> datetime:
    """Return when a link ended that is good no more."""
    return datetime.now(UTC) - timedelta(hours=1)


def tampered(link: str) -> str:
    """Return a link with another signature, as well-formed as its own."""
    return _SIGNATURE.sub(lambda found: found[1] + ("1" if found[2] == "0" else "0"), link)


def signature(link: str) -> str:
    """Return a link's signature."""
    query = parse_qs(urlsplit(link).query)
    (found,) = query.get("sig") or query["X-Amz-Signature"]
    return found
