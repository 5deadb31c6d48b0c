"""Signed links, without a server."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exportjobs.sandbox._signing import Scheme, Validity, Verdict, examine, sign

SECRET: Final = b"secret"
START: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
LEASE: Final = Validity(START, START + timedelta(hours=1))
PATH: Final = "/csv/exp_1/clients.csv"


def query_of(scheme: Scheme) -> dict[str, str]:
    """Return the parameters of a link."""
    return dict(parse_qsl(sign(PATH, scheme=scheme, validity=LEASE, secret=SECRET)))


def verdict(query: dict[str, str], *, path: str = PATH, after: float = 0) -> Verdict:
    """Return what is made of a link a number of seconds after it was signed."""
    now = START + timedelta(seconds=after)
    return examine(path, query=query, secret=SECRET, now=now).verdict


@pytest.mark.parametrize("scheme", Scheme)
def test_a_link_opens_its_file_until_its_end_and_not_at_it(scheme: Scheme) -> None:
    """The last second of the validity is good, the first after it is not."""
    query = query_of(scheme)

    assert verdict(query, after=3599) is Verdict.valid
    assert verdict(query, after=3600) is Verdict.expired


@pytest.mark.parametrize("scheme", Scheme)
def test_a_link_opens_no_other_file(scheme: Scheme) -> None:
    """The path is part of what is signed."""
    assert verdict(query_of(scheme), path="/csv/exp_2/clients.csv") is Verdict.tampered


@given(data=st.data(), scheme=st.sampled_from(Scheme))
def test_no_parameter_of_a_link_can_be_changed(data: st.DataObject, scheme: Scheme) -> None:
    """A longer validity, another algorithm, a guessed signature: all are noticed."""
    query = query_of(scheme)
    name = data.draw(st.sampled_from(sorted(query)))
    value = data.draw(
        st.text(st.characters(codec="ascii")).filter(lambda text: text != query[name])
    )

    assert verdict({**query, name: value}) is Verdict.tampered


@pytest.mark.parametrize("scheme", Scheme)
def test_a_link_with_a_parameter_taken_away_opens_nothing(scheme: Scheme) -> None:
    """What is left is a wrong signature, or none."""
    query = query_of(scheme)

    for name in query:
        rest = {key: value for key, value in query.items() if key != name}
        assert verdict(rest) in {Verdict.tampered, Verdict.unsigned}


def test_the_expiry_is_where_each_store_has_it() -> None:
    """Azure says se, Amazon a date and a number of seconds, CloudFront an epoch or a policy."""
    amazon, azure = query_of(Scheme.amazon), query_of(Scheme.azure)
    policy = query_of(Scheme.cloudfront_policy)["Policy"].translate(str.maketrans("-_~", "+=/"))
    statement = json.loads(base64.b64decode(policy))["Statement"][0]

    assert (amazon["X-Amz-Date"], amazon["X-Amz-Expires"]) == ("20260301T120000Z", "3600")
    assert azure["se"] == "2026-03-01T13:00:00Z"
    assert query_of(Scheme.cloudfront)["Expires"] == "1772370000"
    assert statement["Condition"]["DateLessThan"]["AWS:EpochTime"] == 1772370000
