"""With every fault at once, a careful client still lands every file, byte for byte."""

import hashlib
import io
from collections.abc import Callable
from functools import partial
from typing import Final

import httpx
import pytest

from exportjobs.sandbox import Fault

from .support import LABELS, TLS, Customer, Hire, StruckBy

ATTEMPTS: Final = 40

# What changes a usual submit into one of several parts, where the vendor has them.
LARGE: Final[dict[str, dict[str, str]]] = {
    "demandbase": {"entityType": "activity"},
    "demandbase-v1": {"entity_type": "activities"},
}
PARTS: Final = {"demandbase": 3, "demandbase-v1": 3}


def ask(customer: Customer, path: str) -> httpx.Response:
    """Ask until there is an answer that is no fault, signing in again when the token has died."""
    for _ in range(ATTEMPTS):
        try:
            answer = customer.request("GET", path)
        except httpx.TransportError:
            continue
        if answer.status_code == httpx.codes.UNAUTHORIZED.value:
            customer.sign_in()
        if answer.is_success and _is_whole(answer):
            return answer
        if answer.is_redirect:
            return answer
    raise AssertionError(path)


def _is_whole(answer: httpx.Response) -> bool:
    try:
        answer.json()
    except ValueError:
        return False
    return True


def download(link: Callable[[], str], **headers: str) -> bytes:
    """Read a file to its end: go on where it broke off, and take a fresh link when one is stale."""
    begin = io.BytesIO()
    etag = ""
    for _ in range(ATTEMPTS):
        resume = {"Range": f"bytes={begin.tell()}-", "If-Range": etag} if etag else {}
        try:
            with httpx.stream("GET", link(), headers=headers | resume, verify=TLS) as answer:
                if not answer.is_success:
                    continue
                if answer.status_code == httpx.codes.OK.value:
                    begin = io.BytesIO()
                etag = answer.headers.get("ETag", "")
                begin.writelines(answer.iter_raw())
                return begin.getvalue()
        except httpx.TransportError:
            continue
    raise AssertionError(begin.tell())


def wait(customer: Customer, job_id: str) -> None:
    """Ask for a job until it has ended."""
    for _ in range(ATTEMPTS):
        body = ask(customer, customer.status_path(job_id)).json()
        if customer.word_of(body).lower() in {"done", "finished", "completed"}:
            return
    raise AssertionError(job_id)


def links_of(customer: Customer, job_id: str) -> list[Callable[[], str]]:
    """Return a function for each file of a job, that gives a fresh link to it."""
    label, status = customer.account.label, customer.status_path(job_id)
    if label == "demandbase-v1":
        pages = [f"{status}/download?part={part}" for part in range(1, PARTS[label] + 1)]
        return [partial(_redirect_of, customer, page) for page in pages]
    numbers = range(PARTS.get(label, 1))
    return [partial(_link_of, customer, status, number) for number in numbers]


def _redirect_of(customer: Customer, page: str) -> str:
    return ask(customer, page).headers["Location"]


def _link_of(customer: Customer, status: str, number: int) -> str:
    return customer.links_of(ask(customer, status).json())[number]


@pytest.mark.parametrize("label", LABELS)
def test_a_careful_client_lands_every_file(label: str, hire: Hire, struck_by: StruckBy) -> None:
    """Retry, resume, renew the link, renew the token: nothing more is needed."""
    stage = struck_by(*Fault.all())
    customer = hire(stage.sandbox, label)
    job_id = customer.insist(**LARGE.get(label, {}))
    stage.clock.advance(60)

    wait(customer, job_id)
    if label.startswith("clari"):
        results = f"{customer.account.base_url}/export/jobs/{job_id}/results"
        landed = [download(lambda: results, apikey=customer.account.credentials["api_key"])]
    else:
        landed = [download(link) for link in links_of(customer, job_id)]

    served = [file.sha256 for file in stage.sandbox.served if file.job_id == job_id]
    assert [hashlib.sha256(content).hexdigest() for content in landed] == served
