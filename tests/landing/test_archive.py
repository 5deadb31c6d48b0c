"""An archive is known to be whole or broken, and nothing in it lands where it should not."""

import errno
import gzip
import io
import os
import random
import stat
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path, PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.disks import full_disk
from tests.support.errors import raises_error

from exportjobs import Corrupted, DestinationFailed, DownloadFailed
from exportjobs._landing.into.archive import Bounds, check_structure, unpack
from exportjobs._landing.names import safe_place
from exportjobs.sandbox._archive import tar_archive, zip_archive
from exportjobs.sandbox._content import Made, Recipe

MEBIBYTE = 1024 * 1024
FILES = {"manifest.yaml": b"a: 1\n", "products/assets/0.bin": bytes(range(256)) * 9, "empty": b""}
NOISE = random.Random(7).randbytes(200_000)  # noqa: S311
FORMATS = ("zip", "tar", "tar.gz")

CLIMBING = {
    "parent": "../x",
    "parent-alone": "..",
    "parent-inside": "a/../x",
    "parent-beyond": "a/../../x",
    "parent-at-the-end": "a/..",
    "absolute": "/etc/x",
    "absolute-twice": "//etc/x",
    "drive": "C:\\x",
    "drive-relative": "C:x",
    "drive-with-slash": "c:/x",
    "drive-inside": "a/C:/x",
    "backslash": "..\\x",
    "backslash-root": "\\x",
    "backslash-inside": "a\\..\\..\\x",
    "share": "\\\\evil.example\\share\\x",
    "newline": "a\nb",
    "escape": "\x1b[31mx",
    "long-part": "x" * 256,
    "long-part-in-bytes": "名" * 86,
    "long": "/".join(["x" * 100] * 11),
    "deep": "/".join("x" * 66),
}
# Alone in a process of its own: threads that tests before it left behind would count, too.
PEAK = """
import sys, tracemalloc
from pathlib import Path
from exportjobs._landing.into.archive import check_structure, unpack
path = Path(sys.argv[1])
tracemalloc.start()
{call}
print(tracemalloc.get_traced_memory()[1])
"""
climbing = pytest.mark.parametrize("name", CLIMBING.values(), ids=CLIMBING)
formats = pytest.mark.parametrize("form", FORMATS)
SPECIAL = {
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "character-device": tarfile.CHRTYPE,
    "block-device": tarfile.BLKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "sparse": tarfile.GNUTYPE_SPARSE,
    "unknown": b"V",
}


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of some files; a name that ends in a slash is a folder's."""
    return zip_of(
        *((zipfile.ZipInfo(name), content) for name, content in files.items()), how=method
    )


def zip_of(*entries: tuple[zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of entries as they are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for info, content in entries:
            archive.writestr(info, content, how)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar of some files; a name that ends in a slash is a folder's."""
    return tar_of(*(entry(name, content) for name, content in files.items()), form=form)


def tar_of(*entries: tuple[tarfile.TarInfo, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar of entries as they are."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for info, content in entries:
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def entry(
    name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE
) -> tuple[tarfile.TarInfo, bytes]:
    """Return a tar's entry of a kind."""
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if name.endswith("/") else kind
    info.size = len(content)
    return info, content


def packed(form: str, files: Mapping[str, bytes]) -> bytes:
    """Return some files in one of the formats."""
    if form == "zip":
        return zipped(files)
    return tarred(files) if form == "tar" else gzip.compress(tarred(files))


def put(folder: Path, content: bytes) -> Path:
    """Put an archive into a folder of its own, under a name that says nothing of its format."""
    path = folder / "delivered" / "archive"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def tree(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder by their paths in it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def refuse(folder: Path, content: bytes, match: str, bounds: Bounds | None = None) -> None:
    """Check that an archive is refused, and that nothing is changed, here or elsewhere."""
    archive, into = put(folder, content), folder / "out"
    into.mkdir()
    (into / "before").write_bytes(b"1")
    before = tree(folder)
    with pytest.raises(DownloadFailed, match=match) as caught:
        unpack(archive, into, bounds or Bounds())
    assert isinstance(caught.value, Corrupted) == ("not a complete" in caught.value.reason)
    assert tree(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == ["delivered", "out"]


def flagged(archive: bytes, *, offset: int, value: bytes) -> bytes:
    """Return a zip of one entry with some bytes of its central directory replaced."""
    at = archive.index(b"PK\x01\x02") + offset
    return archive[:at] + value + archive[at + len(value) :]


def peak_memory(call: str, path: Path) -> int:
    """Return how many bytes a call holds at most that is made with an archive, `path`."""
    measured = [sys.executable, "-c", PEAK.format(call=call), str(path)]
    printed = subprocess.check_output(measured, text=True)  # noqa: S603 - our own code
    return int(printed)


# Whether a file is whole


@pytest.mark.parametrize("suffix", ["", ".csv", ".json", ".tar", ".zip.csv", ".gzip"])
def test_a_file_without_a_telling_suffix_is_not_looked_at(tmp_path: Path, suffix: str) -> None:
    """Anything passes, even if there is nothing."""
    check_structure(tmp_path / "absent", suffix)


@pytest.mark.parametrize("content", [zipped(FILES), zipped({}), b"MZ stub" + zipped(FILES)])
def test_a_whole_zip_passes(tmp_path: Path, content: bytes) -> None:
    """An empty one too, and one with something in front, as one that unpacks itself has."""
    check_structure(put(tmp_path, content), ".zip")


@pytest.mark.parametrize("suffix", [".gz", ".csv.gz", ".tar.gz", ".tgz"])
@pytest.mark.parametrize("tail", [b"", gzip.compress(b"more"), b"\0" * 1000], ids=len)
def test_a_whole_gzip_passes(tmp_path: Path, suffix: str, tail: bytes) -> None:
    """It may have several members, and zeros at its end."""
    check_structure(put(tmp_path, gzip.compress(b"a,b\n" * 9) + tail), suffix)


@pytest.mark.parametrize("content", [b"", b"PK", b"a,b\n1,2\n", b"<html>Expired</html>"])
@pytest.mark.parametrize(
    ("suffix", "reason"),
    [
        (".zip", "not a complete zip archive (File is not a zip file)"),
        (".gz", "not a complete gzip file ("),
    ],
)
def test_what_is_no_archive_fails(tmp_path: Path, content: bytes, suffix: str, reason: str) -> None:
    """The error names what it should have been."""
    with pytest.raises(Corrupted) as caught:
        check_structure(put(tmp_path, content), suffix)
    assert caught.value.reason.startswith(f"the file is {reason}")


def test_a_zip_fails_wherever_it_was_cut_off(tmp_path: Path) -> None:
    """It ends with the list of what is in it."""
    whole = zipped(FILES)
    for end in range(len(whole)):
        with pytest.raises(Corrupted, match="not a complete zip archive"):
            check_structure(put(tmp_path, whole[:end]), ".zip")


def test_a_gzip_fails_wherever_it_was_cut_off(tmp_path: Path) -> None:
    """It is decoded to its end."""
    whole = gzip.compress(b"a,b\n" * 99)
    for end in range(len(whole)):
        with pytest.raises(Corrupted, match="not a complete gzip file"):
            check_structure(put(tmp_path, whole[:end]), ".gz")


@pytest.mark.parametrize("at", [-1, -5, 40, 1000])
def test_a_gzip_with_a_wrong_byte_fails(tmp_path: Path, at: int) -> None:
    """Its checksum and length are compared."""
    broken = bytearray(gzip.compress(NOISE))
    broken[at] ^= 1
    with pytest.raises(Corrupted, match="not a complete gzip file"):
        check_structure(put(tmp_path, bytes(broken)), ".gz")


def test_a_gzip_with_something_else_behind_it_fails(tmp_path: Path) -> None:
    """Only another member or zeros may follow."""
    with pytest.raises(Corrupted, match="Not a gzipped file"):
        check_structure(put(tmp_path, gzip.compress(b"x") + b"<html>"), ".gz")


@pytest.mark.parametrize(("lost", "kept"), [((0, 60), b""), ((40, 90), b"\0" * 50)])
def test_a_zip_that_lost_its_beginning_or_middle_fails(
    tmp_path: Path, lost: tuple[int, int], kept: bytes
) -> None:
    """Each entry has to begin where the list says."""
    whole = zipped({"a": b"", "b": b"", "c": NOISE[:900]})
    with pytest.raises(Corrupted, match="is not in its place"):
        check_structure(put(tmp_path, whole[: lost[0]] + kept + whole[lost[1] :]), ".zip")


def test_an_entry_beyond_the_list_of_entries_fails(tmp_path: Path) -> None:
    """A size that is a lie is found without decoding anything."""
    lie = flagged(zipped({"a": b"1"}), offset=20, value=struct.pack("<I", 10_000))
    with pytest.raises(Corrupted, match="is not in its place"):
        check_structure(put(tmp_path, lie), ".zip")


def test_a_zip_is_not_decoded(tmp_path: Path) -> None:
    """Its structure is checked, which is cheap; its contents are not."""
    whole = bytearray(zipped({"a": NOISE}))
    whole[500] ^= 1
    check_structure(put(tmp_path, bytes(whole)), ".zip")


def test_a_very_long_list_of_entries_is_taken_at_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that costs so much memory is not worth a file that is probably good."""
    whole = zipped({str(n): b"" for n in range(50)})
    monkeypatch.setattr("exportjobs._landing.into.archive_members._LONGEST_DIRECTORY", 1000)
    check_structure(put(tmp_path, whole), ".zip")


def test_a_big_gzip_is_decoded_in_little_memory(tmp_path: Path) -> None:
    """The output is thrown away as it comes."""
    path = put(tmp_path, gzip.compress(bytes(40 * MEBIBYTE), compresslevel=1))
    assert peak_memory('check_structure(path, ".gz")', path) < MEBIBYTE


@pytest.mark.parametrize("suffix", [".zip", ".gz"])
def test_a_file_that_cannot_be_read_is_the_disks_fault(tmp_path: Path, suffix: str) -> None:
    """The vendor is not to blame for it."""
    with pytest.raises(DestinationFailed, match="No such file"):
        check_structure(tmp_path / "absent", suffix)


def test_a_zip_of_a_later_version_is_not_fetched_again(tmp_path: Path) -> None:
    """It is no damage that we cannot read it."""
    later = flagged(zipped({"a": b"1"}), offset=6, value=struct.pack("<H", 99))
    with pytest.raises(DownloadFailed, match=r"version 9\.9") as caught:
        check_structure(put(tmp_path, later), ".zip")
    assert not isinstance(caught.value, Corrupted)


# Unpacking


@formats
def test_an_archive_is_unpacked(tmp_path: Path, form: str) -> None:
    """Its format is seen from its content; the files come back sorted."""
    out = tmp_path / "new" / "out"
    found = unpack(put(tmp_path, packed(form, FILES)), out)
    assert tree(out) == FILES
    assert found == tuple(sorted(out / name for name in FILES))
    assert [path.name for path in out.parent.iterdir()] == ["out"]


@pytest.mark.parametrize("make", [zip_archive, tar_archive])
def test_the_sandboxs_archives_are_unpacked(tmp_path: Path, make: Callable[[Recipe], Made]) -> None:
    """They are like Closient's."""
    made = make(Recipe(make, "organization"))
    assert tmp_path / "out/manifest.yaml" in unpack(put(tmp_path, made.body), tmp_path / "out")


@formats
def test_an_empty_archive_is_an_empty_folder(tmp_path: Path, form: str) -> None:
    """It is there, and there is nothing in it."""
    assert unpack(put(tmp_path, packed(form, {})), tmp_path / "out") == ()
    assert list((tmp_path / "out").iterdir()) == []


@formats
def test_folders_are_unpacked(tmp_path: Path, form: str) -> None:
    """They may be empty, come after what is in them, or be told of twice."""
    names = ["./", "a/b/c/x", "a/", "a/b/", "./a/", "hollow/deep/"]
    found = unpack(put(tmp_path, packed(form, dict.fromkeys(names, b""))), tmp_path / "out")
    assert found == (tmp_path / "out/a/b/c/x",)
    assert (tmp_path / "out/hollow/deep").is_dir()


@formats
def test_names_of_any_script_are_kept(tmp_path: Path, form: str) -> None:
    """Also such as are unusual, or reserved on another system."""
    names = ["名前.csv", "é/ü.txt", "💩", "CON", "nul.csv", "a. ", "12:30.csv", "...", "~", "-rf"]
    unpack(put(tmp_path, packed(form, dict.fromkeys(names, b"1"))), tmp_path / "out")
    assert set(tree(tmp_path / "out")) == set(names)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_dialect_of_tar_is_unpacked(tmp_path: Path, form: int) -> None:
    """They differ in how they hold a long name."""
    files = {"/".join(["long" * 12] * 4): b"1", "b": b"2" * 512, "c": b"3" * 513}
    unpack(put(tmp_path, tarred(files, form)), tmp_path / "out")
    assert tree(tmp_path / "out") == files


def test_a_tar_whose_last_file_is_a_zip_is_a_tar(tmp_path: Path) -> None:
    """A zip is known by its end, which is then the tar's too."""
    inner = zipped(FILES)
    unpack(put(tmp_path, tarred({"inner.zip": inner})), tmp_path / "out")
    assert tree(tmp_path / "out") == {"inner.zip": inner}


def test_a_stored_zip_is_unpacked(tmp_path: Path) -> None:
    """It need not be compressed."""
    unpack(put(tmp_path, zipped(FILES, zipfile.ZIP_STORED)), tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


@formats
def test_modes_and_owners_are_not_the_archives_to_give(tmp_path: Path, form: str) -> None:
    """Nothing is made executable, or more."""
    tool, folder = zipfile.ZipInfo("d/x"), zipfile.ZipInfo("d/")
    tool.external_attr, folder.external_attr = 0o106777 << 16, 0o40000 << 16
    member, held = entry("d/x")[0], entry("d/")[0]
    member.mode, held.mode, member.uid = 0o6777, 0o000, 12345
    tar = tar_of((held, b""), (member, b""))
    content = {"zip": zip_of((folder, b""), (tool, b"")), "tar": tar, "tar.gz": gzip.compress(tar)}
    (path,) = unpack(put(tmp_path, content[form]), tmp_path / "out")
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert path.stat().st_uid == os.getuid()
    assert stat.S_IMODE(path.parent.stat().st_mode) == stat.S_IMODE(
        path.parent.parent.stat().st_mode
    )


def test_unpacking_takes_little_memory(tmp_path: Path) -> None:
    """Files are copied piece by piece, and headers are not kept."""
    files = {f"{n}": b"" for n in range(500)} | {"big": bytes(20 * MEBIBYTE)}
    for content in (zipped(files), gzip.compress(tarred(files), compresslevel=1)):
        peak = peak_memory('unpack(path, path.parent / "out")', put(tmp_path, content))
        assert peak < 3 * MEBIBYTE


# What is refused


@climbing
@formats
def test_a_name_that_could_land_elsewhere_is_refused(tmp_path: Path, form: str, name: str) -> None:
    """On every system alike, whether for a file or a folder."""
    refuse(tmp_path, packed(form, {"good": b"1", name: b"2"}), "refused")
    with pytest.raises(DownloadFailed):
        unpack(put(tmp_path, packed(form, {name + "/": b""})), tmp_path / "out")


def test_a_name_with_a_nul_is_refused(tmp_path: Path) -> None:
    """Zipfile cuts it there; a tar's long name is not cut."""
    long = tarfile.TarInfo("x")
    long.pax_headers = {"path": "a\0b"}
    refuse(tmp_path, zipped({"aXb": b""}).replace(b"aXb", b"a\0b"), "control character")
    with raises_error(
        DownloadFailed,
        reason=r"the archive is refused: 'a\x00b' has a control character",
        remedy="check the archive before you trust it",
    ):
        unpack(put(tmp_path, tar_of((long, b""))), tmp_path / "out")


def test_a_name_in_no_known_encoding_is_refused(tmp_path: Path) -> None:
    """It could neither be shown nor recorded."""
    latin = tarred({"naXve": b""}).replace(b"naXve", b"na\xefve")
    head = bytearray(latin[:512])
    head[148:156] = b"%06o\0 " % (sum(head[:148]) + 8 * 32 + sum(head[156:]))
    refuse(tmp_path, bytes(head) + latin[512:], "not valid Unicode")


@pytest.mark.parametrize("kind", SPECIAL.values(), ids=SPECIAL)
@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "good", ""])
def test_a_tar_holds_files_and_folders_alone(tmp_path: Path, kind: bytes, target: str) -> None:
    """A link is refused even if it stays inside."""
    special = entry("special", kind=kind)
    special[0].linkname = target
    refuse(tmp_path, tar_of(entry("good", b"1"), special), "neither a file nor a folder")


@pytest.mark.parametrize("kind", ["LNK", "CHR", "BLK", "IFO", "SOCK"])
def test_a_zip_holds_files_and_folders_alone(tmp_path: Path, kind: str) -> None:
    """What is a link or a device is known by its mode."""
    info = zipfile.ZipInfo("special")
    info.external_attr = (getattr(stat, f"S_IF{kind}") | 0o777) << 16
    refuse(tmp_path, zip_of((info, b"good")), "neither a file nor a folder")


def test_a_file_cannot_be_written_through_a_link(tmp_path: Path) -> None:
    """The link is refused before there is anything to write."""
    link = entry("a", kind=tarfile.SYMTYPE)
    link[0].linkname = str(tmp_path)
    refuse(tmp_path, tar_of(link, entry("a/x", b"1")), "neither a file nor a folder")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("flag", [0x01, 0x41, 0x2000])
def test_an_encrypted_zip_is_refused(tmp_path: Path, flag: int) -> None:
    """The error says what it is and what to do."""
    locked = flagged(zipped({"a": b"1"}), offset=8, value=struct.pack("<H", flag))
    with raises_error(
        DownloadFailed,
        reason="the archive is refused: 'a' is encrypted",
        remedy="unpack it by hand, with its password",
    ):
        unpack(put(tmp_path, locked), tmp_path / "out")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_compressed_in_an_unusual_way_is_refused(tmp_path: Path, method: int) -> None:
    """Such an entry decides itself how much memory it takes."""
    content = zipped({"a": b"1"}, method)
    refuse(tmp_path, content, "compressed in an unusual way")
    with raises_error(
        DownloadFailed,
        reason="the archive is refused: 'a' is compressed in an unusual way",
        remedy="unpack it by hand",
    ):
        unpack(put(tmp_path, content), tmp_path / "out")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a", "a"),
        ("a.csv", "A.csv"),
        ("d/a", "D/b"),
        ("d/", "D/"),
        ("straße", "STRASSE"),
        ("caf\u00e9", "cafe\u0301"),
        ("a", "a/b"),
        ("a/b", "a"),
        ("a/", "a"),
        ("a", "a/"),
        ("a", "./a"),
        ("a/b", "a//b"),
        ("a", ""),
        ("a", "."),
    ],
)
@pytest.mark.parametrize("form", ["zip", "tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_things_of_one_name_are_refused(
    tmp_path: Path, form: str, first: str, second: str
) -> None:
    """So are names that only some file systems tell apart."""
    infos = zipfile.ZipInfo(first), zipfile.ZipInfo(second)
    made = {
        "zip": zip_of(*((info, b"") for info in infos)),
        "tar": tar_of(entry(first), entry(second)),
    }
    refuse(tmp_path, made[form], "has the name of")


@formats
def test_no_more_bytes_come_out_than_may(tmp_path: Path, form: str) -> None:
    """All files together count."""
    content = packed(form, {"a": bytes(600), "b": bytes(401)})
    refuse(tmp_path, content, "more than 1000 bytes", Bounds(total=1000))
    unpack(put(tmp_path, content), tmp_path / "out", Bounds(total=1001))


@formats
def test_a_bomb_is_refused_by_its_own_words(tmp_path: Path, form: str) -> None:
    """What it claims is enough to refuse it, before anything is written."""
    content = packed(form, {"a": bytes(5 * MEBIBYTE)})
    path = put(tmp_path, content)
    is_refused = raises_error(
        DownloadFailed,
        reason="the archive holds more than 1048576 bytes",
        remedy="unpack it yourself, if you trust it",
    )
    with full_disk(), is_refused:
        unpack(path, tmp_path / "out", Bounds(total=MEBIBYTE))


@pytest.mark.parametrize("claimed", [0, 1, 1000, 5 * MEBIBYTE - 1, 5 * MEBIBYTE + 1])
def test_a_bomb_that_lies_is_refused(tmp_path: Path, claimed: int) -> None:
    """It holds more or less than it says."""
    bomb = zipped({"a": bytes(5 * MEBIBYTE)})
    refuse(
        tmp_path,
        flagged(bomb, offset=24, value=struct.pack("<I", claimed)),
        "not a complete archive",
    )


def test_one_entry_cannot_be_listed_many_times(tmp_path: Path) -> None:
    """A small archive could else give very much."""
    one = zipped({"a": bytes(MEBIBYTE)})
    at, end = one.index(b"PK\x01\x02"), one.index(b"PK\x05\x06")
    listed = one[at:end] * 20
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 20, 20, len(listed), at, 0)
    refuse(
        tmp_path, one[:at] + listed + tail, "has the name of|overlap", Bounds(total=2 * MEBIBYTE)
    )


@formats
def test_no_more_files_come_out_than_may(tmp_path: Path, form: str) -> None:
    """Even if they are tiny."""
    content = packed(form, {str(n): b"" for n in range(100)})
    refuse(tmp_path, content, "more than 99 files", Bounds(files=99))
    assert len(unpack(put(tmp_path, content), tmp_path / "out", Bounds(files=100))) == 100


@formats
def test_folders_count_as_files(tmp_path: Path, form: str) -> None:
    """Whether they are entries or only part of a path; and an entry counts each time."""
    deep = packed(form, {"a/b/c/d/e": b""})
    refuse(tmp_path, deep, "more than 4 files", Bounds(files=4))
    unpack(put(tmp_path, deep), tmp_path / "out", Bounds(files=5))
    again = packed(form, {"a/": b"", "./a/": b"", "././a/": b""})
    with pytest.raises(DownloadFailed, match="more than 2 files"):
        unpack(put(tmp_path, again), tmp_path / "out", Bounds(files=2))


@formats
def test_an_archive_that_was_cut_off_is_refused(tmp_path: Path, form: str) -> None:
    """Wherever that was, nothing of it is kept."""
    whole = packed(form, FILES)
    end = len(whole.rstrip(b"\0")) if form == "tar" else len(whole)
    for cut in {*range(0, end, 7), end - 1, end // 512 * 512}:
        with pytest.raises(DownloadFailed):
            unpack(put(tmp_path, whole[:cut]), tmp_path / "out")
        assert [path.name for path in tmp_path.iterdir()] == ["delivered"]


def test_a_tar_has_an_end(tmp_path: Path) -> None:
    """One that was cut off between two files, or has a hole there, is not taken for whole."""
    two = tarred({"a": b"1", "b": b"2"})
    refuse(tmp_path, two[:1024], "not a complete archive")
    for broken in (two[:1024] + bytes(512) + two[1536:], two[:1024] + b"x" * 512 + two[1536:]):
        with pytest.raises(Corrupted, match="not a complete archive"):
            unpack(put(tmp_path, broken), tmp_path / "new")


@pytest.mark.parametrize("form", ["zip", "tar.gz"])
def test_a_wrong_byte_is_noticed(tmp_path: Path, form: str) -> None:
    """Checksums are compared, a gzipped tar's too, which comes after its last file."""
    broken = bytearray(packed(form, {"a": NOISE}))
    broken[1000] ^= 1
    refuse(tmp_path, bytes(broken), "not a complete archive")
    whole = bytearray(packed("tar.gz", {"a": b"1"}))
    whole[-8] ^= 1
    with pytest.raises(Corrupted, match="CRC check failed"):
        unpack(put(tmp_path, bytes(whole)), tmp_path / "new")


@pytest.mark.parametrize(
    "content",
    [b"", b"a,b\n", gzip.compress(b"a,b\n"), b"BZh91AY&SY", b"\xfd7zXZ\0", b"7z\xbc\xaf"],
    ids=["empty", "text", "gzip", "bzip2", "xz", "7z"],
)
def test_what_is_no_zip_and_no_tar_is_refused(tmp_path: Path, content: bytes) -> None:
    """Nor are other compressions opened, which take what memory they like."""
    refuse(tmp_path, content, "neither a zip nor a tar|not a complete archive")


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_cannot_take_memory_with_its_headers(tmp_path: Path, kind: bytes) -> None:
    """A header of a gigabyte is not read, and neither is a chain of very many."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 1 << 30
    huge = info.tobuf(tarfile.GNU_FORMAT)
    refuse(tmp_path, huge + bytes(4096), "headers are too long")
    info.size = 0
    chain = info.tobuf(tarfile.GNU_FORMAT) * 5000
    with pytest.raises(DownloadFailed):
        unpack(put(tmp_path, chain), tmp_path / "new")


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_negative_size_is_refused(tmp_path: Path, kind: bytes) -> None:
    """It would lead back to where the reading began, for ever."""
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, -1024
    refuse(tmp_path, info.tobuf(tarfile.GNU_FORMAT) + tarred({}), "not a complete archive")


def test_a_zip_cannot_take_memory_with_its_list(tmp_path: Path) -> None:
    """The longer it is, the more files have to be allowed."""
    listed = zipped({str(n): b"" for n in range(50_000)}, zipfile.ZIP_STORED)
    refuse(tmp_path, listed, "headers are too long", Bounds(files=1000))


# The folder appears as a whole or not at all


def test_a_second_unpacking_takes_the_place_of_the_first(tmp_path: Path) -> None:
    """Nothing of the first is left."""
    unpack(put(tmp_path, zipped({"a": b"1", "b": b"1"})), tmp_path / "out")
    unpack(put(tmp_path, tarred({"a": b"2", "c": b"2"})), tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": b"2", "c": b"2"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delivered", "out"]


def test_what_an_earlier_try_left_is_removed(tmp_path: Path) -> None:
    """It does not get in the way, and nothing of it is mixed in."""
    for name in ("out", "out.part", "out.old.part"):
        (tmp_path / name / "left").mkdir(parents=True)
    unpack(put(tmp_path, zipped({"a": b"1"})), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["delivered", "out"]


def test_a_swap_that_was_cut_off_is_undone(tmp_path: Path) -> None:
    """The folder that had been moved aside is back, even if the next archive is bad."""
    (tmp_path / "out.old.part").mkdir()
    (tmp_path / "out.old.part" / "before").touch()
    with pytest.raises(DownloadFailed):
        unpack(put(tmp_path, zipped({"../x": b""})), tmp_path / "out")
    assert tree(tmp_path / "out") == {"before": b""}


@pytest.mark.parametrize("before", [["out/before"], []], ids=["again", "first"])
def test_the_folder_is_not_there_before_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: list[str]
) -> None:
    """Until then its files lie beside it; and if it cannot appear, the old one is back."""
    for name in before:
        (tmp_path / name).mkdir(parents=True)
    rename, seen = Path.rename, list[dict[str, bytes]]()

    def fails(self: Path, target: Path) -> Path:
        if self.name == "out.part":
            seen.append(tree(self))
            raise OSError(errno.EIO, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(DestinationFailed, match="Input/output error"):
        unpack(put(tmp_path, zipped(FILES)), tmp_path / "out")
    assert seen == [FILES]
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("out*/*"))
    assert found == before
    assert not list(tmp_path.glob("*.part"))


def test_the_folder_is_there_to_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are synced before it has its name, and then its name is."""
    fsync, rename, happened = os.fsync, Path.rename, list[int | str]()

    def syncs(handle: int) -> None:
        happened.append(os.fstat(handle).st_ino)
        fsync(handle)

    def renames(self: Path, target: Path) -> Path:
        happened.append(target.name)
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", syncs)
    monkeypatch.setattr(Path, "rename", renames)
    unpack(put(tmp_path, zipped(FILES)), tmp_path / "out")
    files = [(tmp_path / "out" / name).stat().st_ino for name in FILES]
    assert happened == [*files, "out", tmp_path.stat().st_ino]


@formats
def test_a_full_disk_is_the_destinations_fault(tmp_path: Path, form: str) -> None:
    """Nothing is left of what was written."""
    path = put(tmp_path, packed(form, FILES))
    with full_disk(), pytest.raises(DestinationFailed, match="File too large"):
        unpack(path, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["delivered"]


def test_a_folder_that_cannot_be_made_is_the_destinations_fault(tmp_path: Path) -> None:
    """As below a file."""
    path = put(tmp_path, zipped(FILES))
    with pytest.raises(DestinationFailed, match="Not a directory"):
        unpack(path, path / "out")


def test_an_absent_archive_is_the_destinations_fault(tmp_path: Path) -> None:
    """It is on our side that it is missing."""
    with pytest.raises(DestinationFailed, match="No such file"):
        unpack(tmp_path / "absent", tmp_path / "out")


def test_only_a_folder_is_replaced(tmp_path: Path) -> None:
    """A file or a link of the name is somebody's, and so is a file beside it."""
    path = put(tmp_path, zipped(FILES))
    (tmp_path / "file").write_bytes(b"1")
    (tmp_path / "link").symlink_to(path.parent)
    (tmp_path / "new.part").write_bytes(b"1")
    for name in ("file", "link", "new"):
        with pytest.raises(DestinationFailed):
            unpack(path, tmp_path / name)
    assert (tmp_path / "file").read_bytes() == (tmp_path / "new.part").read_bytes() == b"1"
    assert (tmp_path / "link").is_symlink()


@pytest.mark.parametrize("into", [".", "../delivered", "..", "link", "/", ""])
def test_the_archive_does_not_go_with_the_folder(
    tmp_path: Path, into: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that holds it is not replaced, by whatever path it is named."""
    path = put(tmp_path, zipped(FILES))
    (path.parent / "link").symlink_to(path.parent)
    monkeypatch.chdir(path.parent)
    for folder in (path.parent, path.parent / into, Path(into)):
        with pytest.raises(DestinationFailed):
            unpack(path, folder)
    assert path.exists()


# Whatever an archive holds

parts = st.sampled_from(["..", ".", "", "a", "A", "b", "C:", "\\", "x.", "CON", "\0"]) | st.text(
    st.characters(exclude_categories=["Cs"]), max_size=3
)
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
needs_filter = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"), reason="this Python's tarfile has no filters"
)


@needs_filter
@given(names)
@example("a/../b")
def test_a_name_that_passes_would_pass_the_filter_of_tarfile(name: str) -> None:
    """And it stays below the folder; ours are the stricter rules."""
    try:
        place = safe_place(name)
    except DownloadFailed:
        return
    assert tarfile.data_filter(tarfile.TarInfo(name), "/out").name == name
    path = os.path.normpath(f"/out/{place}")
    assert path == "/out" or path.startswith("/out/")


@given(names)
@example("nul.csv")
@example("a/Com1")
@example("lpt³ .x")
@example("x:ads")
@example("a/x. ")
def test_a_name_that_passes_on_windows_is_safe_there(name: str) -> None:
    """What Windows would take for something else is refused there, though not elsewhere."""
    try:
        place = safe_place(name, windows=True)
    except DownloadFailed:
        return
    path = PureWindowsPath("D:/out", *place.parts)
    assert path.parts[2:] == place.parts
    for part in place.parts:
        assert part.partition(".")[0].rstrip().upper() not in {"CON", "NUL", "COM1", "LPT³"}
        assert part == part.rstrip(". ")
        assert not set(part) & set('<>:"|?*')


# Those who write archives cut a name at a NUL.
written = names.map(lambda name: name.replace("\0", "")).filter(bool)
contents = st.dictionaries(written, st.binary(max_size=600), max_size=4)


@given(contents, st.sampled_from(FORMATS))
def test_an_archive_lands_as_it_is_or_not_at_all(files: dict[str, bytes], form: str) -> None:
    """Every file is there under its own name, or none is."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        try:
            found = unpack(put(folder, packed(form, files)), folder / "out")
        except DownloadFailed:
            assert [path.name for path in folder.iterdir()] == ["delivered"]
        else:
            wanted = {os.path.normpath(n): c for n, c in files.items() if not n.endswith("/")}
            assert tree(folder / "out") == wanted
            assert sorted(found) == sorted(folder / "out" / n for n in wanted)


whole = {form: packed(form, {**FILES, "d/": b"", "名": NOISE[:700]}) for form in FORMATS}
wounds = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=4), st.integers(0, 4)),
    min_size=1,
    max_size=4,
)


@given(wounds, st.sampled_from([*FORMATS, "gzipped later"]))
def test_a_broken_archive_is_an_error_of_ours_or_none(
    wounds: list[tuple[float, bytes, int]], form: str
) -> None:
    """Its parser may fail in any way; nobody else's error comes out, and nothing is left."""
    content = whole.get(form, whole["tar"])
    for where, value, lost in wounds:
        at = int(where * len(content))
        content = content[:at] + value + content[at + lost :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = put(folder, content if form in whole else gzip.compress(content, 1))
        for suffix in (".zip", ".gz"):
            with suppress(DownloadFailed):
                check_structure(path, suffix)
        with suppress(DownloadFailed):
            unpack(path, folder / "out", Bounds(total=MEBIBYTE, files=50))
        assert {path.name for path in folder.iterdir()} <= {"delivered", "out"}
