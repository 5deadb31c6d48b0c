"""What the contract says of each of the ten broken adapters."""

from attrs import frozen


@frozen
class Mistake:
    """The test of the contract that finds a mistake, and its words."""

    test: str
    words: str


MISTAKES = {
    "Leaky": Mistake(
        "test_credentials_are_declared_as_such",
        "the adapter's repr shows its token, a credential; declare it as token: str = "
        "field(repr=False, validator=credential)",
    ),
    "Timed": Mistake(
        "test_flows_neither_do_io_nor_ask_the_time",
        "poll in state 'new' reads the clock (datetime.now) at reads_the_clock.py:16; yield "
        "requests, and take everything else that it needs as arguments",
    ),
    "Stubborn": Mistake(
        "test_flows_do_not_repeat_what_failed",
        "poll in state 'new' repeats GET /reports/7 after HTTP 503; send it once and do not catch "
        "errors: the library repeats what is safe to repeat",
    ),
    "Inventive": Mistake(
        "test_every_recorded_status_is_known",
        "poll in state 'working' invents the status 'stalled'; read it with a StatusMap as one of "
        "queued, running, done, failed, cancelled",
    ),
    "Counting": Mistake(
        "test_flows_keep_nothing",
        "poll in state 'new' changes the adapter's polls; keep no state between flows: a "
        "job's ref and ExportJob hold it",
    ),
    "Silent": Mistake(
        "test_nothing_that_has_a_place_is_swallowed",
        "the adapter drops $.reason of a failed job; pass it on as the job's error, or name it "
        "in Recorded.ignored",
    ),
    "Generous": Mistake(
        "test_credentials_go_to_the_adapters_own_origin_only",
        "the artifact in state 'ready' sends the credentials to another origin; leave "
        "out authenticated: a signed URL needs no credentials",
    ),
    "Forgetful": Mistake(
        "test_every_recorded_status_is_known",
        "the adapter does not know the vendor's status 'error'; add it to the StatusMap: an "
        "unknown one counts as running until the deadline",
    ),
    "Loose": Mistake(
        "test_what_flows_return_is_well_formed",
        "submit: the ExportJob's artifacts is list, not tuple; read answers with structure() or "
        "Response.body(), which check types",
    ),
    "Slow": Mistake(
        "test_importing_the_adapter_does_nothing_else",
        "importing acme.blocks_on_import sleeps (time.sleep) at blocks_on_import.py:9; define "
        "functions and classes in modules, and do no work at import",
    ),
}
