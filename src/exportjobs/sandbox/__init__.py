"""The four vendors' export APIs as a real HTTP server on this machine, with faults.

    with Sandbox(Fault.all(), speed=10) as sandbox:
        account = sandbox.account("demandbase")

Needs the extra `exportjobs[sandbox]`.
"""

try:
    from exportjobs.sandbox._api import SandboxAccount
    from exportjobs.sandbox._faults import Fault
    from exportjobs.sandbox._http import Received
    from exportjobs.sandbox._sandbox import Sandbox, Served
except ModuleNotFoundError as _missing:
    if _missing.name is None or _missing.name.partition(".")[0] not in {"starlette", "uvicorn"}:
        raise
    raise ImportError(
        'exportjobs.sandbox needs starlette and uvicorn: pip install "exportjobs[sandbox]"'
    ) from None

__all__ = ["Fault", "Received", "Sandbox", "SandboxAccount", "Served"]
