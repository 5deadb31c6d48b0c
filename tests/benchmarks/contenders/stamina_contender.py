"""stamina around httpx: the loop that one writes without a library, with our own dependencies."""

import asyncio
import tempfile
from pathlib import Path

import httpx
import stamina
from _measure import Settings, contend


class NotYet(Exception):
    """The job goes on, or there is no slot for it: ask again."""


def main(base_url: str, settings: Settings) -> None:
    """See every job to its end and land its file, all at once."""
    asyncio.run(every(base_url, settings))


async def every(base_url: str, settings: Settings) -> None:
    """Run a task for each job."""
    limits = httpx.Limits(max_connections=settings["jobs"])
    async with httpx.AsyncClient(base_url=base_url, limits=limits) as client:
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.TaskGroup() as tasks:
                for index in range(settings["jobs"]):
                    tasks.create_task(one(client, index, Path(folder), settings))


async def one(client: httpx.AsyncClient, index: int, folder: Path, settings: Settings) -> None:
    """See one job to its end."""
    async for attempt in stamina.retry_context(NotYet, **settings.get("submits", {})):
        with attempt:
            job = await submit(client, index)
    await asyncio.sleep(settings.get("first", 0))
    async for attempt in stamina.retry_context(NotYet, **settings.get("polls", {})):
        with attempt:
            job = await ended(client, job["id"])
    async with client.stream("GET", job["link"]) as response:
        response.raise_for_status()
        with (folder / str(index)).open("wb") as file:
            async for chunk in response.aiter_bytes():
                file.write(chunk)


async def submit(client: httpx.AsyncClient, index: int) -> dict:
    """Submit a job, if there is a slot."""
    response = await client.post("/jobs", json={"index": index})
    if response.is_client_error and response.json()["code"] == "TOO_MANY_JOBS":
        raise NotYet
    return response.raise_for_status().json()


async def ended(client: httpx.AsyncClient, number: str) -> dict:
    """Return a job that has ended."""
    job = (await client.get(f"/jobs/{number}")).raise_for_status().json()
    if job["status"] == "running":
        raise NotYet
    return job


if __name__ == "__main__":
    contend(main, "stamina", "httpx")
