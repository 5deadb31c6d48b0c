"""airbyte-cdk: a declarative source with an AsyncRetriever and a partition for each job."""

import logging
import os
import tempfile

from _measure import Settings, contend
from airbyte_cdk.models import (
    AirbyteStream,
    ConfiguredAirbyteCatalog,
    ConfiguredAirbyteStream,
    DestinationSyncMode,
    SyncMode,
    Type,
)
from airbyte_cdk.sources.declarative.async_job.job_orchestrator import AsyncJobOrchestrator
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

# So that no rows means no file, and not a file that was fetched and forgotten.
ROWS = 100


def main(base_url: str, settings: Settings) -> None:
    """Read the stream's records: its jobs' files, parsed."""
    logging.getLogger("airbyte").setLevel(logging.ERROR)
    if "sweep" in settings:
        # Not a setting but a constant of the CDK: what it could do if it were one.
        AsyncJobOrchestrator._WAIT_TIME_BETWEEN_STATUS_UPDATE_IN_SECONDS = settings["sweep"]  # noqa: SLF001
    catalog = ConfiguredAirbyteCatalog(
        streams=[
            ConfiguredAirbyteStream(
                stream=AirbyteStream(
                    name="exports", json_schema={}, supported_sync_modes=[SyncMode.full_refresh]
                ),
                sync_mode=SyncMode.full_refresh,
                destination_sync_mode=DestinationSyncMode.overwrite,
            )
        ]
    )
    source = ConcurrentDeclarativeSource(
        catalog=catalog, config={}, state=[], source_config=manifest(base_url, settings)
    )
    with tempfile.TemporaryDirectory() as folder:
        # The CDK writes the files that it parses into the working directory.
        os.chdir(folder)
        messages = source.read(logging.getLogger("airbyte"), {}, catalog, [])
        rows = sum(message.type is Type.RECORD for message in messages)
        os.chdir("/")
    if rows < ROWS * settings["jobs"]:
        raise RuntimeError("a file is missing")


def manifest(base_url: str, settings: Settings) -> dict:
    """Return the source's manifest, as one writes it in YAML."""
    limit = "max_concurrent_async_job_count"
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": ["exports"]},
        "streams": [
            {
                "type": "DeclarativeStream",
                "name": "exports",
                "primary_key": [],
                "schema_loader": {
                    "type": "InlineSchemaLoader",
                    "schema": {"type": "object", "additionalProperties": True, "properties": {}},
                },
                "retriever": retriever(base_url, settings["jobs"]),
            }
        ],
        **({limit: settings[limit]} if limit in settings else {}),
    }


def retriever(base_url: str, jobs: int) -> dict:
    """Return the stream's part of the manifest: how its jobs are run."""
    job = "{{ creation_response['id'] }}"
    return {
        "type": "AsyncRetriever",
        "status_mapping": {
            "running": ["running"],
            "completed": ["succeeded"],
            "failed": ["failed"],
            "timeout": ["expired"],
        },
        "status_extractor": {"type": "DpathExtractor", "field_path": ["status"]},
        "download_target_extractor": {"type": "DpathExtractor", "field_path": ["link"]},
        "creation_requester": {
            **requester(base_url, "/jobs", "POST"),
            "request_body_json": {"index": "{{ stream_partition.index | int }}"},
        },
        "polling_requester": requester(base_url, f"/jobs/{job}"),
        "download_requester": requester("{{ download_target }}", ""),
        "download_extractor": {"type": "ResponseToFileExtractor"},
        "record_selector": {
            "type": "RecordSelector",
            "extractor": {"type": "DpathExtractor", "field_path": []},
        },
        "partition_router": {
            "type": "ListPartitionRouter",
            "values": [str(index) for index in range(jobs)],
            "cursor_field": "index",
        },
    }


def requester(url_base: str, path: str, method: str = "GET") -> dict:
    """Return a requester of the manifest."""
    return {"type": "HttpRequester", "url_base": url_base, "path": path, "http_method": method}


if __name__ == "__main__":
    contend(main, "airbyte-cdk")
