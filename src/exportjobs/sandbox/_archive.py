"""Closient's archives: real zip and tar.gz files with YAML, binary assets and a manifest."""

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Final

from attrs import frozen

from exportjobs.sandbox import _draw
from exportjobs.sandbox._content import Made, Recipe, target_size

FORMAT_VERSION: Final = "1"

_ZIP_EPOCH: Final = (2026, 1, 1, 0, 0, 0)
_ASSET_COUNT: Final = 3


@frozen
class Section:
    """One part of an organization's data, as the job and the manifest list it."""

    key: str
    records: int
    binaries: int = 0
    error: str | None = None

    @property
    def status(self) -> str:
        """The section's own state; the vendor publishes no values (VENDORS.md section 2)."""
        return "ok" if self.error is None else "error"


def sections(key: str) -> tuple[Section, ...]:
    """Return the inventory of an archive; the export is best-effort, so one section has failed."""
    return (
        Section("products", records=20 + int(_draw.uniform(f"{key}/products") * 80), binaries=3),
        Section("locations", records=5 + int(_draw.uniform(f"{key}/locations") * 20)),
        Section("offers", records=0, error="Timed out while reading offers."),
    )


def zip_archive(recipe: Recipe) -> Made:
    """Make a zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in _tree(recipe.key).items():
            archive.writestr(zipfile.ZipInfo(name, _ZIP_EPOCH), content, zipfile.ZIP_DEFLATED)
    return Made(buffer.getvalue(), _record_count(recipe.key))


def tar_archive(recipe: Recipe) -> Made:
    """Make a gzipped tar file."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in _tree(recipe.key).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return Made(buffer.getvalue(), _record_count(recipe.key))


def _record_count(key: str) -> int:
    return sum(section.records for section in sections(key))


def _tree(key: str) -> Mapping[str, bytes]:
    """Return the files of an archive by their path in it."""
    size = target_size(key) // _ASSET_COUNT
    tree = {"manifest.yaml": _manifest(key)}
    for section in sections(key):
        if section.error is None:
            tree[f"{section.key}/{section.key}.yaml"] = _records(section)
        for number in range(section.binaries):
            asset = _draw.draw_bytes(f"{key}/{section.key}/{number}", size=size)
            tree[f"{section.key}/assets/{number}.bin"] = asset
    return tree


def _manifest(key: str) -> bytes:
    lines = [f'format_version: "{FORMAT_VERSION}"', "sections:"]
    for section in sections(key):
        lines += [
            f"  - key: {section.key}",
            f"    status: {section.status}",
            f"    record_count: {section.records}",
            f"    binary_count: {section.binaries}",
        ]
    return "\n".join([*lines, ""]).encode()


def _records(section: Section) -> bytes:
    lines = [f"- id: {number}\n  name: {section.key} {number}" for number in range(section.records)]
    return "\n".join([*lines, ""]).encode()
