"""What Closient's sandbox does beyond the shape of its answers."""

import io
import tarfile
import zipfile
import zlib
from datetime import datetime

import pytest

from exportjobs.sandbox import Sandbox

from .support import Customer, Enter, Json, ManualClock, get

EXPORTS = "/dashboard/api/v1/data-export/vytxeTZskVKR7C7WgdSP3d"


def finished(customer: Customer, clock: ManualClock, path: str = EXPORTS) -> Json:
    """Run an export to its end and return the job."""
    job_id = customer.request("POST", path).json()["job_id"]
    clock.advance(60)
    body: Json = customer.status(job_id).json()
    return body


def test_the_archive_is_a_real_zip(enter: Enter, clock: ManualClock) -> None:
    """It holds the manifest, YAML files and binary assets, and is as long as the job says."""
    body = finished(enter("closient"), clock)

    content = get(body["download_url"]).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        broken = archive.testzip()
        manifest = archive.read("manifest.yaml").decode()

    assert broken is None
    assert len(content) == body["file_size_bytes"]
    assert {"manifest.yaml", "products/products.yaml", "products/assets/0.bin"} <= set(names)
    assert 'format_version: "1"' in manifest
    assert body["output_filename"].endswith(".zip")


def test_the_archive_can_be_a_real_tar(enter: Enter, clock: ManualClock) -> None:
    """The query parameter chooses it."""
    body = finished(enter("closient"), clock, EXPORTS + "?archive_format=tar.gz")

    content = get(body["download_url"]).content
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
        names = archive.getnames()

    assert body["archive_format"] == "tar.gz"
    assert body["output_filename"].endswith(".tar.gz")
    assert "manifest.yaml" in names


def test_another_archive_format_is_refused(enter: Enter) -> None:
    """Only the two documented ones exist."""
    assert enter("closient").request("POST", EXPORTS + "?archive_format=rar").status_code == 422


def test_a_completed_export_can_have_a_failed_section(enter: Enter, clock: ManualClock) -> None:
    """The export is best-effort, and says which part it did not get."""
    body = finished(enter("closient"), clock)

    failed = [section["key"] for section in body["sections"] if section["error"] is not None]
    assert (body["status"], body["error"], failed) == ("completed", None, ["offers"])


def test_an_export_has_no_size_before_its_end(enter: Enter) -> None:
    """Zero means not known yet."""
    body = enter("closient").submit().json()

    assert (body["file_size_bytes"], body["download_url"], body["sections"]) == (0, None, [])


def test_a_failed_export_says_why(enter: Enter, sandbox: Sandbox, clock: ManualClock) -> None:
    """The job's own error is set and no link is given."""
    sandbox.fail_next("closient")

    body = finished(enter("closient"), clock)

    assert (body["status"], body["download_url"]) == ("failed", None)
    assert body["error"]


def test_the_link_ends_when_the_job_says(enter: Enter, clock: ManualClock) -> None:
    """It opens until then, and a poll gives a fresh one."""
    customer = enter("closient")
    body = finished(customer, clock)
    left = (datetime.fromisoformat(body["expires_at"]) - clock.now()).total_seconds()

    clock.advance(left - 2)
    early = get(body["download_url"]).status_code
    clock.advance(3)
    late = get(body["download_url"]).status_code

    assert (early, late) == (200, 403)
    assert get(customer.links(body["job_id"])[0]).is_success


def test_every_answer_has_both_families_of_rate_limit_headers(
    enter: Enter, clock: ManualClock
) -> None:
    """One resets in seconds, the legacy one at an instant."""
    customer = enter("closient")

    first, second = customer.submit().headers, customer.submit().headers

    assert int(second["RateLimit-Remaining"]) == int(first["RateLimit-Remaining"]) - 1
    assert 0 <= int(first["RateLimit-Reset"]) <= 60
    assert 0 <= int(first["X-RateLimit-Reset"]) - clock.now().timestamp() <= 61
    assert first["RateLimit-Policy"] == "300;w=60, 10000;w=86400"


def test_the_key_carries_its_checksum(enter: Enter) -> None:
    """A client can tell a mistyped key from a revoked one."""
    prefix, body, checksum = enter("closient").account.credentials["api_key"].split("_")

    assert (prefix, len(body)) == ("csb", 32)
    assert checksum == f"{zlib.crc32(body.encode()):08x}"


@pytest.mark.parametrize("organization_id", ["acme", "0" * 22])
def test_an_organization_needs_an_id_of_the_right_form(organization_id: str, enter: Enter) -> None:
    """Twenty-two characters, none of which can be mistaken for another."""
    path = f"/dashboard/api/v1/data-export/{organization_id}"

    assert enter("closient").request("POST", path).status_code == 422


def test_an_export_is_found_in_its_own_organization_only(enter: Enter) -> None:
    """Polling takes both ids."""
    customer = enter("closient")
    job_id = customer.start()

    elsewhere = customer.request("GET", f"/dashboard/api/v1/data-export/{'2' * 22}/{job_id}")

    assert customer.status(job_id).status_code == 200
    assert elsewhere.status_code == 404
    assert customer.status("2" * 22).status_code == 404
