"""What Demandbase's sandbox does, as published, beyond the shape of its answers."""

import httpx
import pytest

from exportjobs.sandbox import Sandbox

from .support import Enter, Hire, Json, ManualClock, get

JOB = "/data/export/v1/job"
USUAL = {"entityType": "account", "jobName": "usual"}


def code_of(answer: httpx.Response) -> str:
    """Return the code of an error, which begins with the status."""
    code: str = answer.json()["errorCode"]
    assert answer.status_code == int(code[:3])
    return code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"entityType": None}, "400-103"),
        ({"entityType": "accounts"}, "400-127"),
        ({"jobName": None}, "400-126"),
        ({"jobName": "x" * 51}, "400-126"),
        ({"colour": "red"}, "400-147"),
        ({"fromDate": "2026-01-01"}, "400-112"),
        ({"fromDate": "yesterday", "toDate": "2026-01-01"}, "400-111"),
        ({"fromDate": "2026-01-02", "toDate": "2026-01-01"}, "400-113"),
        ({"entityType": "activity", "fromDate": "2026-01-01", "toDate": "2026-04-02"}, "400-114"),
        ({"format": "XML"}, "400-116"),
        ({"entityType": "campaign"}, "400-138"),
        ({"entityType": "campaign", "source": ["all"]}, "400-139"),
        ({"filters": [{"field": "{Account}.name", "operator": "Like"}]}, "400-140"),
        ({"accountListIds": [1] * 10_001}, "400-145"),
    ],
)
def test_a_wrong_request_is_refused_with_the_vendor_s_code(
    changes: Json, code: str, enter: Enter
) -> None:
    """Each rule has a code of its own."""
    assert code_of(enter("demandbase").submit(JOB, **{**USUAL, **changes})) == code


@pytest.mark.parametrize(
    "changes",
    [
        {"entityType": "Account"},
        {"jobName": "x" * 50},
        {"fromDate": "2026-01-01", "toDate": "2026-12-31"},
        {"entityType": "campaign", "source": ["google"], "adReportType": "campaign_summary"},
        {"filters": [{"field": "{Account}.name", "operator": "Exists"}], "limit": "10"},
    ],
)
def test_a_right_request_is_accepted(changes: Json, enter: Enter) -> None:
    """What partner support's collection sends is among it."""
    assert enter("demandbase").submit(JOB, **{**USUAL, **changes}).status_code == 202


def test_a_body_that_is_no_json_is_refused(enter: Enter) -> None:
    """It has a code of its own too."""
    assert code_of(enter("demandbase").request("POST", JOB, content=b"{")) == "400-102"


def test_account_lists_are_named_in_one_way_only(enter: Enter) -> None:
    """One id or several, not both."""
    body = {"jobName": "lists", "accountListId": 1, "accountListIds": [1]}

    answer = enter("demandbase").submit("/data/export/v1/accountList/job", **body)

    assert code_of(answer) == "400-144"


def test_one_job_runs_at_a_time(enter: Enter, clock: ManualClock) -> None:
    """The second is refused until the first has ended."""
    customer = enter("demandbase")
    customer.start()

    refused = customer.submit()
    clock.advance(60)

    assert code_of(refused) == "429-102"
    assert customer.submit().is_success


@pytest.mark.parametrize(("entity", "parts"), [("person", 0), ("account", 2), ("activity", 3)])
def test_large_entities_come_in_several_files(
    entity: str, parts: int, enter: Enter, clock: ManualClock
) -> None:
    """All are listed in resultsUrls, and resultsUrl is the first or only one."""
    customer = enter("demandbase")
    job_id = customer.start(JOB, entityType=entity, jobName=entity)
    empty = customer.status(job_id).json()["resultsUrl"]
    clock.advance(60)

    body = customer.status(job_id).json()

    assert empty == ""
    assert len(body.get("resultsUrls", [])) == parts
    assert body["resultsUrl"] in body.get("resultsUrls", [body["resultsUrl"]])
    assert all(get(link).is_success for link in customer.links(job_id))


def test_the_fields_asked_for_are_the_header(enter: Enter, clock: ManualClock) -> None:
    """The names are the vendor's, braces and all."""
    customer = enter("demandbase")
    job_id = customer.start(JOB, fields=["{Account}.name", "{Account}.industry"], **USUAL)
    clock.advance(60)

    text = get(customer.links(job_id)[0]).text

    assert text.splitlines()[0] == "{Account}.name,{Account}.industry"


def test_a_failed_job_says_so_and_has_no_link(
    enter: Enter, sandbox: Sandbox, clock: ManualClock
) -> None:
    """The link stays the empty string."""
    customer = enter("demandbase")
    sandbox.fail_next("demandbase")
    job_id = customer.start()
    clock.advance(60)

    body = customer.status(job_id).json()

    assert (body["jobStatus"], body["resultsUrl"]) == ("failed", "")
    assert body["message"].startswith("Error processing job.")


def test_the_list_has_pages_and_filters_but_no_links(hire: Hire) -> None:
    """The newest job comes first unless asked otherwise."""
    clock = ManualClock()
    with Sandbox(clock=clock) as sandbox:
        customer = hire(sandbox, "demandbase")
        for entity in ("account", "person", "person"):
            customer.start(JOB, entityType=entity, jobName=entity)
            clock.advance(60)

        def names(query: str) -> list[str]:
            body = customer.request("GET", f"/data/export/v1/jobs{query}").json()
            assert not [job for job in body["data"] if "resultsUrl" in job]
            return [job["jobName"] for job in body["data"]]

        assert names("") == ["person", "person", "account"]
        assert names("?sort=ascending&perPage=2") == ["account", "person"]
        assert names("?perPage=2&page=2") == ["account"]
        assert names("?entityType=account&jobStatus=Finished") == ["account"]
        assert names("?jobStatus=failed") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("page=0", "400-121"),
        ("perPage=many", "400-122"),
        ("entityType=planet", "400-123"),
        ("jobStatus=done", "400-124"),
    ],
)
def test_a_wrong_list_parameter_is_refused(query: str, code: str, enter: Enter) -> None:
    """Each has a code of its own."""
    assert code_of(enter("demandbase").request("GET", f"/data/export/v1/jobs?{query}")) == code


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("json", ("grantType", "clientId", "clientSecret")),
        ("form", ("grant_type", "client_id", "client_secret")),
    ],
)
def test_a_token_is_given_for_json_and_for_a_form(
    encoding: str, names: tuple[str, ...], enter: Enter
) -> None:
    """The OpenAPI says one, the official SDK sends the other."""
    customer = enter("demandbase")
    given = customer.account.credentials
    values = ("client_credentials", given["client_id"], given["client_secret"])
    body = dict(zip(names, values, strict=True))

    if encoding == "json":
        answer = customer.request("POST", "/auth/v1/token", json=body)
    else:
        answer = customer.request("POST", "/auth/v1/token", form=body)

    token = answer.json()
    assert (token["tokenType"], token["expiresIn"]) == ("bearer", 28_800)
    customer.http.headers["Authorization"] = f"Bearer {token['accessToken']}"
    assert customer.request("GET", "/data/export/v1/jobs").is_success


@pytest.mark.parametrize(
    ("changes", "code"), [({"clientSecret": "wrong"}, "401-100"), ({"clientId": ""}, "400-103")]
)
def test_a_wrong_secret_gets_no_token(changes: Json, code: str, enter: Enter) -> None:
    """Neither does a request without all three parts."""
    customer = enter("demandbase")
    given = customer.account.credentials
    body = {
        "grantType": "client_credentials",
        "clientId": given["client_id"],
        "clientSecret": given["client_secret"],
    }

    answer = customer.request("POST", "/auth/v1/token", json={**body, **changes})

    assert code_of(answer) == code


def test_a_token_ends_after_eight_hours(enter: Enter, clock: ManualClock) -> None:
    """After that it is an invalid one."""
    customer = enter("demandbase")
    clock.advance(28_800)

    assert code_of(customer.request("GET", "/data/export/v1/jobs")) == "401-100"
