"""nginx on loopback, with its own configuration, certificate and files, all of them in memory."""

import base64
import hashlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
BIG, MEDIUM, SMALL = 1024 * MIB, 64 * MIB, 64 * 1024
SMALL_FILES = 1000
EACH_JOB = "/jobs/{}.json"
"""Where the job is described that has one of the small files alone."""
_ROOM = 3 * BIG
_STARTING = 10.0

_CONFIGURATION = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/errors.log;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 100000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{plain};
        listen 127.0.0.1:{encrypted} ssl;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        root {folder}/served;
        location = /md5/big.bin {{
            alias {folder}/served/big.bin;
            add_header Content-MD5 "{md5}";
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Host:
    """A running nginx."""

    plain: str
    encrypted: str
    authority: Path
    """Who vouches for its certificate."""
    big: Path
    """The largest of its files."""
    landing: Path
    """A folder in memory for what is fetched."""

    @property
    def trust(self) -> dict[str, str]:
        """The variables by which this client or that trusts the certificate."""
        names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        return dict.fromkeys(names, str(self.authority))


@contextmanager
def nginx() -> Generator[Host]:
    """Serve until the block is left."""
    with tempfile.TemporaryDirectory(dir=_memory(), prefix="exportjobs-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        _certify(folder)
        (folder / "landing").mkdir()
        md5 = _make_files(folder / "served")
        plain, encrypted = _free_port(), _free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        text = _CONFIGURATION.format(
            folder=folder, user=user, plain=plain, encrypted=encrypted, md5=md5
        )
        (folder / "nginx.conf").write_text(text, encoding="utf-8")
        with _running(folder, plain):
            yield Host(
                f"http://127.0.0.1:{plain}",
                f"https://127.0.0.1:{encrypted}",
                folder / "authority.pem",
                folder / "served" / "big.bin",
                folder / "landing",
            )


def _memory() -> str:
    """Return a folder that has room, in memory where there is one."""
    shared = "/dev/shm"  # noqa: S108 - it is a fresh folder in there that is used
    usable = Path(shared).is_dir() and shutil.disk_usage(shared).free > _ROOM
    return shared if usable else tempfile.gettempdir()


def _certify(folder: Path) -> None:
    """Make an authority, and a certificate by it: some trust none that vouches for itself."""
    authority, key = folder / "authority.pem", folder / "authority-key.pem"
    making = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    signing = ["-CA", str(authority), "-CAkey", str(key), "-addext", "basicConstraints=CA:FALSE"]
    addresses = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    ours = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    for more in (
        ["-subj", "/CN=exportjobs", "-keyout", str(key), "-out", str(authority)],
        [*signing, *addresses, *ours],
    ):
        subprocess.run([*making, *more], check=True, capture_output=True)


def _make_files(served: Path) -> str:
    """Make the files and the jobs that have them, and return the MD5 of the largest."""
    (served / "small").mkdir(parents=True)
    (served / "jobs").mkdir()
    md5 = hashlib.md5()  # noqa: S324 - as the hosts do
    with (served / "big.bin").open("wb") as file:
        for _ in range(BIG // MIB):
            piece = os.urandom(MIB)
            file.write(piece)
            md5.update(piece)
    (served / "medium.bin").write_bytes(os.urandom(MEDIUM))
    for number in range(SMALL_FILES):
        (served / "small" / f"{number}.bin").write_bytes(os.urandom(SMALL))
    links = {name: [f"/{name}.bin"] for name in ("big", "medium", "md5/big")}
    parts = {str(number): [f"/small/{number}.bin"] for number in range(SMALL_FILES)}
    links |= {**parts, "parts": [link for part in parts.values() for link in part]}
    for name, found in links.items():
        body = json.dumps({"id": name.replace("/", "-"), "links": found})
        (served / "jobs" / f"{name.replace('/', '-')}.json").write_text(body, encoding="utf-8")
    return base64.b64encode(md5.digest()).decode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(folder: Path, port: int) -> Generator[None]:
    command = ["nginx", "-e", str(folder / "errors.log"), "-c", str(folder / "nginx.conf")]
    # A session of its own: Ctrl-C reaches us alone.
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            _wait_for(port, process)
            yield
        finally:
            process.terminate()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _STARTING
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("nginx does not start")
