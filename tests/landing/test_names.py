"""Names of files are made of what a vendor says, and stay in the folder all the same."""

import re
from itertools import combinations, pairwise
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from exportjobs._landing.names import file_stem, job_stem, safe_word, suffix, suffix_of_type
from exportjobs.adapter._job import Artifact, ExportJob, JobRef, JobStatus, Reading

FOLDER = Path("/landing")
CSV = Artifact("https://files.example/x", media_type="text/csv")
RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10)),
}
HOSTILE = {
    "empty": "",
    "parent": "../../etc/passwd",
    "dots": "..",
    "dot": ".",
    "hidden": ".bashrc",
    "absolute": "/etc/passwd",
    "drive": "C:\\Windows\\system32",
    "drive-relative": "C:x",
    "share": "\\\\evil.example\\share",
    "stream": "x.csv:ads",
    "nul": "a\x00b",
    "newline": "a\nb",
    "escape": "\x1b[31m",
    "reserved": "CON",
    "reserved-with-suffix": "nul.csv",
    "wildcards": "*?<>|\"'",
    "option": "-rf",
    "home": "~root",
    "variable": "$HOME%PATH%",
    "trailing": "x. ",
    "long": "x" * 5000,
    "long-suffix": "x." + "y" * 5000,
    "bidi": "fdp\u202evsc.exe",
    "zero-width": "a\u200bb",
    "surrogate": "\ud800",
    "other-script": "名前",
    "combining": "e\u0301",
    "emoji": "\U0001f4a9",
}
hostile = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)

any_text = st.text(st.characters(exclude_categories=())) | st.sampled_from(list(HOSTILE.values()))
plain = st.text("abAB01-_", min_size=1, max_size=4)
words = plain | any_text.filter(bool)
names = st.tuples(words, st.just("default") | words, st.just("") | words, words)
artifacts = st.builds(
    Artifact,
    any_text,
    name=st.none() | any_text,
    media_type=st.none() | any_text,
    part=st.none() | st.integers(0, 10**12),
)


def job(
    *artifacts: Artifact,
    vendor: str = "clari",
    account: str = "default",
    kind: str = "forecast",
    job_id: str = "r-1",
) -> ExportJob:
    """Return a done job with these artifacts."""
    ref = JobRef(vendor, account, job_id, kind=kind)
    return ExportJob(ref, Reading(JobStatus.DONE, "DONE"), artifacts=artifacts)


def file_name(job: ExportJob, index: int) -> str:
    """Return the name under which one of a job's files lands."""
    return file_stem(job, index) + suffix(job.artifacts[index])


def named(vendor: str, account: str, kind: str, job_id: str) -> str:
    """Return the name under which a job's one file lands."""
    return file_name(job(CSV, vendor=vendor, account=account, kind=kind, job_id=job_id), 0)


def assert_harmless(name: str) -> None:
    """Check that a name is one printable component on any system, and short enough to be one."""
    assert re.fullmatch(r"[A-Za-z0-9_.+@=-]{1,240}", name)
    assert (FOLDER / name).resolve().parent == FOLDER
    assert PureWindowsPath(name).name == name
    assert not PureWindowsPath(name).drive
    assert not name.startswith((".", "-"))
    assert not name.endswith(".")
    assert name.partition(".")[0].upper() not in RESERVED


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        pytest.param({}, "clari.default.forecast.r-1.csv", id="default-account"),
        pytest.param({"account": "eu"}, "clari.eu.forecast.r-1.csv", id="other-account"),
        pytest.param({"kind": "deals"}, "clari.default.deals.r-1.csv", id="other-kind"),
    ],
)
def test_a_name_tells_vendor_account_kind_and_id(ref: dict[str, str], name: str) -> None:
    """A person finds the file, and a job lands under the same name each time."""
    found = file_name(job(CSV, **ref), 0)

    assert found == name


@hostile
def test_a_hostile_word_anywhere_makes_a_harmless_name(text: str) -> None:
    """Account, kind and id may hold anything."""
    found = [
        named("clari", text or "default", "forecast", "r-1"),
        named("clari", "default", text, "r-1"),
        named("clari", "default", "forecast", text),
    ]

    for name in found:
        assert_harmless(name)


@hostile
def test_a_hostile_file_name_makes_a_harmless_name(text: str) -> None:
    """The vendor's own name for the file, and its URL, give no more than a suffix."""
    artifacts = [
        Artifact("", name=text),
        Artifact("", media_type=text),
        Artifact(f"https://h/{text}"),
    ]

    for artifact in artifacts:
        assert_harmless(file_name(job(artifact), 0))


@given(words=names, artifact=artifacts, served_as=any_text)
@example(words=("v", "default", "", "1"), artifact=Artifact("https://["), served_as="")
def test_any_words_make_a_harmless_name(
    words: tuple[str, str, str, str], artifact: Artifact, served_as: str
) -> None:
    """Whatever the vendor says, the file stays inside the folder."""
    _, account, kind, job_id = words
    done = job(artifact, CSV, account=account, kind=kind, job_id=job_id)

    known = suffix(artifact) or suffix_of_type(served_as)

    assert_harmless(file_name(done, 0))
    assert_harmless(f"{file_stem(done, 0)}{known}")
    assert_harmless(f"{job_stem(done.ref)}.manifest.json")


@given(one=names, other=names)
@example(one=("v", "default", "a", "b"), other=("v", "a", "", "b"))
@example(one=("v", "default", "", "a"), other=("v", "default", "export", "a"))
@example(one=("v", "a", "b", "c"), other=("v", "a.b", "", "c"))
@example(one=("v", "default", "k", "a/b"), other=("v", "default", "k", "a-b"))
@example(one=("v", "default", "k", "x" * 5000), other=("v", "default", "k", "x" * 5001))
def test_two_jobs_never_share_a_name(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    """One job's file never replaces another's."""
    assume(one != other)

    assert named(*one) != named(*other)


def test_two_jobs_whose_ids_differ_only_in_case_do_not_share_a_name_where_case_is_ignored() -> None:
    """Windows and macOS take `R1.csv` and `r1.csv` for one file."""
    one, other = (named("clari", "default", "forecast", job_id) for job_id in ("R1", "r1"))

    assert one.casefold() != other.casefold()


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(
            job(CSV, account="forecast", kind="r-1", job_id="part-00001"), id="id-like-a-part"
        ),
        pytest.param(
            job(Artifact(""), account="forecast", kind="r-1", job_id="csv"), id="id-like-a-suffix"
        ),
    ],
)
def test_an_id_does_not_pass_for_what_stands_behind_one(other: ExportJob) -> None:
    """The words of a name tell which is which, however many there are."""
    found = [file_name(job(CSV), 0), file_name(job(CSV, CSV), 0)]

    assert file_name(other, 0) not in found


def test_an_id_that_is_written_like_a_marked_one_does_not_take_its_name() -> None:
    """The mark of a word that had to change cannot be had by asking for it."""
    marked = safe_word("a/b")

    assert safe_word(marked) != marked


@given(count=st.integers(2, 120))
def test_parts_sort_in_their_order(count: int) -> None:
    """`cat landing/*` puts the parts together as they belong."""
    parts = job(*(Artifact("", part=number) for number in range(1, count + 1)))

    found = [file_name(parts, index) for index in range(count)]

    assert all(before < after for before, after in pairwise(found))


def test_parts_without_a_number_are_counted() -> None:
    """A plain list of URLs has an order too."""
    found = [file_name(job(CSV, CSV), index) for index in (0, 1)]

    assert found == [
        "clari.default.forecast.r-1.part-00001.csv",
        "clari.default.forecast.r-1.part-00002.csv",
    ]


def test_a_job_with_one_part_has_no_part_in_its_name() -> None:
    """One file is the export, not a part of it."""
    name = file_name(job(Artifact("", part=1, media_type="text/csv")), 0)

    assert name == "clari.default.forecast.r-1.csv"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((1, 1, 1), id="the-same-number-each-time"),
        pytest.param((2, None), id="number-of-one-that-is-counted"),
        pytest.param((None, 1), id="counted-then-its-number"),
    ],
)
def test_a_jobs_parts_never_share_a_name(parts: tuple[int | None, ...]) -> None:
    """A vendor that numbers its parts badly does not make one replace another."""
    together = job(*(Artifact("", part=part) for part in parts))

    found = [file_name(together, index) for index in range(len(parts))]

    assert all(one != other for one, other in combinations(found, 2))


@pytest.mark.parametrize(
    "word", ["r-1", "abc_def-9", "x" * 48], ids=["id", "underscore", "longest"]
)
def test_a_safe_word_stays_as_it_is(word: str) -> None:
    """Most ids can be read in the name."""
    safe = safe_word(word)

    assert safe == word


@given(word=any_text)
def test_any_word_becomes_a_short_one_without_dots(word: str) -> None:
    """Dots part the words of a name, so a word has none."""
    safe = safe_word(word)

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,57}", safe) or not word


@pytest.mark.parametrize(
    ("artifact", "found"),
    [
        pytest.param(Artifact("", name="deals.CSV"), ".csv", id="name"),
        pytest.param(Artifact("", name="deals.tar.gz"), ".tar.gz", id="compressed"),
        pytest.param(Artifact("", name="v1.2.csv"), ".csv", id="dots-before"),
        pytest.param(Artifact("", name="C:\\deals.csv.gz"), ".csv.gz", id="windows-path"),
        pytest.param(Artifact("", name="a.csv/../b.json"), ".json", id="climbing-path"),
        pytest.param(Artifact("", name="deals.c sv"), "", id="space-in-suffix"),
        pytest.param(Artifact("", name="deals.verylongsuffix"), "", id="long-suffix"),
        pytest.param(Artifact("", name="deals."), "", id="dot-at-the-end"),
        pytest.param(Artifact("", name="deals.\uff43\uff53\uff56"), "", id="full-width-letters"),
        pytest.param(Artifact("", name=".csv"), "", id="hidden-file"),
        pytest.param(
            Artifact("https://h/x.json", name="x.csv", media_type="application/zip"),
            ".csv",
            id="name-before-type-before-url",
        ),
        pytest.param(
            Artifact("https://h/x.json", name="x", media_type="application/zip"),
            ".zip",
            id="type-before-url",
        ),
        pytest.param(Artifact("https://h/x.json?f=y.csv#z.zip"), ".json", id="url-path"),
        pytest.param(Artifact("https://files.example"), "", id="host-is-no-suffix"),
        pytest.param(Artifact("https://["), "", id="no-address"),
        pytest.param(Artifact(""), "", id="nothing"),
    ],
)
def test_a_suffix_is_taken_from_what_is_known(artifact: Artifact, found: str) -> None:
    """The vendor's name first, then the type, then the URL."""
    kept = suffix(artifact)

    assert kept == found


@pytest.mark.parametrize(
    ("media_type", "found"),
    [
        pytest.param("text/csv", ".csv", id="csv"),
        pytest.param("Text/CSV; charset=utf-8", ".csv", id="parameters"),
        pytest.param("application/x-ndjson", ".jsonl", id="lines-of-json"),
        pytest.param("application/octet-stream", "", id="bytes"),
        pytest.param("", "", id="empty"),
        pytest.param(";;", "", id="garbage"),
    ],
)
def test_a_media_type_stands_for_a_suffix(media_type: str, found: str) -> None:
    """Only types that say what the file is."""
    kept = suffix_of_type(media_type)

    assert kept == found


@given(words=names, count=st.integers(1, 3))
def test_the_names_of_a_jobs_files_begin_alike(
    words: tuple[str, str, str, str], count: int
) -> None:
    """All that a job leaves stands together in the folder."""
    vendor, account, kind, job_id = words
    done = job(*[CSV] * count, vendor=vendor, account=account, kind=kind, job_id=job_id)

    stems = [file_stem(done, index) for index in range(count)]

    assert all(stem.startswith(job_stem(done.ref)) for stem in stems)
    assert len(set(stems)) == count


@given(artifact=artifacts)
@example(artifact=Artifact("", name="deals.part"))
@example(artifact=Artifact("", name="deals.json"))
@example(artifact=Artifact("", name="deals.part.gz"))
@example(artifact=Artifact("", name="deals.manifest.json"))
def test_a_suffix_never_makes_a_name_that_we_use_ourselves(artifact: Artifact) -> None:
    """What a job leaves beside its files is not overwritten by one of them."""
    done = job(artifact, CSV)
    ours = {
        f"{job_stem(done.ref)}.manifest.json",
        f"{job_stem(done.ref)}.manifest.json.part",
        *(f"{file_name(done, index)}.part" for index in (0, 1)),
        *(f"{file_name(done, index)}.part.json" for index in (0, 1)),
    }

    assert not ours & {file_name(done, 0), file_name(done, 1)}
    assert file_name(job(artifact), 0) not in ours
