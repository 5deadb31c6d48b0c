"""Signed URLs: the query parameters of three blob stores around one HMAC.

Names, formats and expiry rules are each store's own, because clients read the expiry out of them.
The signature is a plain HMAC-SHA256 of path and parameters in each store's encoding: only the
sandbox has to verify it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from attrs import frozen

_AMAZON_TIME: Final = "%Y%m%dT%H%M%SZ"
_AZURE_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"
_CLOUDFRONT_ALPHABET: Final = str.maketrans("+=/", "-_~")


class Scheme(StrEnum):
    """A way of signing URLs."""

    amazon = "amazon"
    azure = "azure"
    cloudfront = "cloudfront"
    cloudfront_policy = "cloudfront_policy"


class Verdict(StrEnum):
    """Whether a blob store accepts a URL."""

    valid = "valid"
    expired = "expired"
    tampered = "tampered"
    unsigned = "unsigned"


@frozen
class Validity:
    """From when until when a signed URL is valid."""

    start: datetime
    end: datetime


@frozen
class Examination:
    """The result of checking a URL; the scheme is None if it has no signature."""

    verdict: Verdict
    scheme: Scheme | None = None
    end: datetime | None = None


def sign(path: str, *, scheme: Scheme, validity: Validity, secret: bytes) -> str:
    """Return the query string that makes a path's URL valid for that time."""
    form = _FORMS[scheme]
    grant = form.grant(path, validity)
    return urlencode({**grant, form.signature: form.encode(_digest(path, grant, secret))})


def examine(path: str, *, query: Mapping[str, str], secret: bytes, now: datetime) -> Examination:
    """Return whether a path with its query parameters is a valid URL at a moment."""
    for scheme, form in _FORMS.items():
        if form.marks <= query.keys():
            return _examine(path, scheme=scheme, query=query, secret=secret, now=now)
    return Examination(Verdict.unsigned)


def _examine(
    path: str, *, scheme: Scheme, query: Mapping[str, str], secret: bytes, now: datetime
) -> Examination:
    form = _FORMS[scheme]
    grant = {name: value for name, value in query.items() if name != form.signature}
    expected = form.encode(_digest(path, grant, secret))
    if not hmac.compare_digest(expected.encode(), query[form.signature].encode()):
        return Examination(Verdict.tampered, scheme)
    end = form.end(grant)
    return Examination(Verdict.valid if now < end else Verdict.expired, scheme, end)


def _digest(path: str, grant: Mapping[str, str], secret: bytes) -> bytes:
    canonical = f"{path}\n{urlencode(sorted(grant.items()))}"
    return hmac.digest(secret, canonical.encode(), hashlib.sha256)


@frozen
class _Form:
    """How one store writes the validity and the signature."""

    signature: str
    marks: frozenset[str]
    encode: Callable[[bytes], str]
    grant: Callable[[str, Validity], dict[str, str]]
    end: Callable[[Mapping[str, str]], datetime]


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def _cloudfront_base64(text: bytes) -> str:
    return _base64(text).translate(_CLOUDFRONT_ALPHABET)


def _from_cloudfront_base64(text: str) -> bytes:
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")))


def _amazon_grant(_path: str, validity: Validity) -> dict[str, str]:
    return {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"SANDBOX/{validity.start:%Y%m%d}/us-east-1/s3/aws4_request",
        "X-Amz-Date": validity.start.strftime(_AMAZON_TIME),
        "X-Amz-Expires": str(int((validity.end - validity.start).total_seconds())),
        "X-Amz-SignedHeaders": "host",
    }


def _amazon_end(grant: Mapping[str, str]) -> datetime:
    start = datetime.strptime(grant["X-Amz-Date"], _AMAZON_TIME).replace(tzinfo=UTC)
    return start + timedelta(seconds=int(grant["X-Amz-Expires"]))


def _azure_grant(_path: str, validity: Validity) -> dict[str, str]:
    return {
        "sv": "2024-11-04",
        "st": validity.start.strftime(_AZURE_TIME),
        "se": validity.end.strftime(_AZURE_TIME),
        "sr": "b",
        "sp": "r",
    }


def _azure_end(grant: Mapping[str, str]) -> datetime:
    return datetime.strptime(grant["se"], _AZURE_TIME).replace(tzinfo=UTC)


def _cloudfront_grant(_path: str, validity: Validity) -> dict[str, str]:
    return {"Expires": str(int(validity.end.timestamp())), "Key-Pair-Id": "KSANDBOX"}


def _cloudfront_end(grant: Mapping[str, str]) -> datetime:
    return datetime.fromtimestamp(int(grant["Expires"]), UTC)


def _policy_grant(path: str, validity: Validity) -> dict[str, str]:
    condition = {"DateLessThan": {"AWS:EpochTime": int(validity.end.timestamp())}}
    policy = {"Statement": [{"Resource": f"*{path}", "Condition": condition}]}
    text = json.dumps(policy, separators=(",", ":"))
    return {"Policy": _cloudfront_base64(text.encode()), "Key-Pair-Id": "KSANDBOX"}


def _policy_end(grant: Mapping[str, str]) -> datetime:
    policy = json.loads(_from_cloudfront_base64(grant["Policy"]))
    end = policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"]
    return datetime.fromtimestamp(end, UTC)


_FORMS: Final[Mapping[Scheme, _Form]] = {
    Scheme.amazon: _Form(
        signature="X-Amz-Signature",
        marks=frozenset({"X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires"}),
        encode=bytes.hex,
        grant=_amazon_grant,
        end=_amazon_end,
    ),
    Scheme.azure: _Form(
        signature="sig",
        marks=frozenset({"sig", "se"}),
        encode=_base64,
        grant=_azure_grant,
        end=_azure_end,
    ),
    Scheme.cloudfront_policy: _Form(
        signature="Signature",
        marks=frozenset({"Signature", "Policy", "Key-Pair-Id"}),
        encode=_cloudfront_base64,
        grant=_policy_grant,
        end=_policy_end,
    ),
    Scheme.cloudfront: _Form(
        signature="Signature",
        marks=frozenset({"Signature", "Expires", "Key-Pair-Id"}),
        encode=_cloudfront_base64,
        grant=_cloudfront_grant,
        end=_cloudfront_end,
    ),
}
