"""The four vendors' export APIs as a real HTTP server on loopback, faults included.

    with Sandbox(Fault.all(), speed=10) as sandbox:
        account = sandbox.account("demandbase")

Needs the extra `exportjobs[sandbox]`.
"""

try:
    from exportjobs.sandbox._api import SandboxAccount
    from exportjobs.sandbox._faults import Fault
    from exportjobs.sandbox._http import Received
    from exportjobs.sandbox._sandbox import Sandbox, Served
except ModuleNotFoundError as missing:
    if missing.name is None or missing.name.partition(".")[0] not in {"starlette", "uvicorn"}:
        raise
    message = 'exportjobs.sandbox needs starlette and uvicorn: pip install "exportjobs[sandbox]"'
    raise ImportError(message) from None

__all__ = ["Fault", "Received", "Sandbox", "SandboxAccount", "Served"]
