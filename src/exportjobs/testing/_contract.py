"""The contract: what the library expects of every adapter, as pytest tests."""

from collections.abc import Callable
from typing import ParamSpec

import pytest

from exportjobs.testing import _answers as answers
from exportjobs.testing import _arguments as arguments
from exportjobs.testing import _command_line as command_line
from exportjobs.testing import _coverage as coverage
from exportjobs.testing import _flows as flows
from exportjobs.testing import _isolation as isolation
from exportjobs.testing import _refs as refs
from exportjobs.testing import _secrets as secrets
from exportjobs.testing import _statuses as statuses
from exportjobs.testing import _swallowed as swallowed
from exportjobs.testing import _values as values
from exportjobs.testing import _variants as variants
from exportjobs.testing._any_answer import check_any_answer
from exportjobs.testing._breach import Breach
from exportjobs.testing._importing import check_import
from exportjobs.testing._imports import check_imports
from exportjobs.testing._recorded import Recorded

P = ParamSpec("P")


def keep(check: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Fail, if a check finds a breach, with its text alone and without a traceback."""
    try:
        check(*args, **kwargs)
    except Breach as breach:
        raise pytest.fail.Exception(str(breach), pytrace=False) from None


class AdapterContract:
    """What the library expects of an adapter, as tests of its author's own package.

    Subclass it, and return from the fixture `recorded` an export and the vendor's answers. For
    several recordings, such as one for each kind of export, give the fixture params.

        class TestAcme(AdapterContract):
            @pytest.fixture
            def recorded(self) -> Recorded:
                return Recorded(
                    export=Acme(token="k-7f3a91").report("q3"),
                    accepted={"id": "7", "state": "new"},
                    states={
                        "new": {"id": "7", "state": "new"},
                        "ready": {"id": "7", "state": "ready", "url": "https://files.example/7"},
                        "error": {"id": "7", "state": "error", "reason": "out of paper"},
                    },
                )

    Nothing is sent: the flows run on the recorded answers, and on variants of them. A test that
    fails names the mistake and the remedy. The same adapter gets the same result in every run.
    """

    @pytest.fixture
    def recorded(self) -> Recorded:
        """Return the recording; every subclass has its own fixture."""
        mistake = f"{type(self).__name__} does not say what to test"
        pytest.fail(f"{mistake}; define a fixture `recorded` in it", pytrace=False)

    def test_the_recording_has_answers_for_every_flow(self, recorded: Recorded) -> None:
        """A flow without answers is an error, not skipped."""
        keep(coverage.check_capabilities, recorded)

    def test_the_recording_has_a_body_for_every_status(self, recorded: Recorded) -> None:
        """For each of the five statuses for which the adapter's status map has words."""
        keep(coverage.check_covered, recorded)

    def test_the_vendors_terms_are_of_their_types(self, recorded: Recorded) -> None:
        """The vendor's name, poll policy, slots, budgets and error codes."""
        keep(values.check_terms, recorded)

    def test_the_adapter_and_its_kinds_are_documented(self, recorded: Recorded) -> None:
        """Docstrings are the help text of the command line."""
        keep(arguments.check_documented, recorded)

    def test_importing_the_adapter_does_nothing_else(self, recorded: Recorded) -> None:
        """A program that imports an adapter neither waits for its vendor nor sends requests."""
        keep(check_import, recorded)

    def test_the_adapter_imports_nothing_else_of_the_library(self, recorded: Recorded) -> None:
        """What is not in `exportjobs.adapter` may change at any time."""
        keep(check_imports, recorded)

    def test_the_adapter_cannot_be_changed(self, recorded: Recorded) -> None:
        """Many jobs share one adapter."""
        keep(values.check_frozen, recorded)

    def test_flows_neither_do_io_nor_ask_the_time(self, recorded: Recorded) -> None:
        """Nor use random numbers, start threads or read the environment."""
        keep(isolation.check_pure, recorded)

    def test_flows_keep_nothing(self, recorded: Recorded) -> None:
        """The adapter, its classes and their modules are unchanged afterwards."""
        keep(isolation.check_unchanged, recorded)

    def test_the_same_answers_give_the_same_job(self, recorded: Recorded) -> None:
        """In any order of the flows."""
        keep(isolation.check_repeatable, recorded)

    def test_flows_do_not_repeat_what_failed(self, recorded: Recorded) -> None:
        """The library decides what is repeated, and when."""
        keep(flows.check_no_repeating, recorded)

    def test_a_failure_is_not_taken_for_an_answer(self, recorded: Recorded) -> None:
        """Errors leave the flow."""
        keep(flows.check_no_swallowing, recorded)

    def test_a_submit_is_sent_once(self, recorded: Recorded) -> None:
        """A second request could create, and cost, a second job."""
        keep(flows.check_submits_once, recorded)

    def test_credentials_are_declared_as_such(self, recorded: Recorded) -> None:
        """Their fields have repr=False, by which the library recognises credentials."""
        keep(secrets.check_declared, recorded)

    def test_an_account_that_cannot_be_right_is_refused(self, recorded: Recorded) -> None:
        """Neither blank credentials nor a URL without encryption are accepted."""
        keep(secrets.check_refused, recorded)

    def test_credentials_are_shown_nowhere(self, recorded: Recorded) -> None:
        """Neither in a repr nor in JSON."""
        keep(secrets.check_shown_nowhere, recorded)

    def test_credentials_go_to_the_adapters_own_origin_only(self, recorded: Recorded) -> None:
        """Neither requests nor artifacts send them elsewhere."""
        keep(secrets.check_own_origin, recorded)

    def test_arguments_are_checked_before_anything_is_sent(self, recorded: Recorded) -> None:
        """An invalid one is an InvalidArgument that names it."""
        keep(arguments.check_arguments, recorded)

    def test_every_kind_can_be_given_on_the_command_line(self, recorded: Recorded) -> None:
        """The options, made from the signature, are tried if the extra `cli` is installed."""
        keep(command_line.check_command_line, recorded)

    def test_a_job_is_found_again_by_its_ref(self, recorded: Recorded) -> None:
        """A poll by the ref, written to JSON and read again, sends the same request."""
        keep(refs.check_refs, recorded)

    def test_an_id_is_quoted_in_the_path_of_a_poll(self, recorded: Recorded) -> None:
        """The vendor chooses it, and it may have any character."""
        keep(refs.check_quoted, recorded)

    def test_every_recorded_status_is_known(self, recorded: Recorded) -> None:
        """As one of the five statuses, with the vendor's own word kept."""
        keep(statuses.check_known, recorded)

    def test_an_unknown_status_is_neither_an_error_nor_an_end(self, recorded: Recorded) -> None:
        """A vendor may add one at any time."""
        keep(statuses.check_unknown, recorded)

    def test_a_job_that_has_ended_stays_ended(self, recorded: Recorded) -> None:
        """Whatever a later answer says."""
        keep(statuses.check_sticky, recorded)

    def test_what_flows_return_is_well_formed(self, recorded: Recorded) -> None:
        """Of the declared types, with aware times in UTC."""
        keep(values.check_well_formed, recorded)

    def test_artifacts_are_well_formed(self, recorded: Recorded) -> None:
        """They have a URL that may be requested, and part numbers if there are several."""
        keep(values.check_artifacts, recorded)

    def test_nothing_that_has_a_place_is_swallowed(self, recorded: Recorded) -> None:
        """URLs, errors, progress, counts, sizes and expiries are in the job.

        They are recognised by the names of members outside lists. A failed job's `error`, `message`
        or `reason` must be in its `error` or a warning; a running job with `progress`, `percent` or
        `processed_items` must have `progress`; a done job with `record_count`, `file_size`,
        `expires_at` or the like must have its own. Each URL in a done job's answers must be an
        artifact's, unless it is on a host of no artifact. Name in `Recorded.ignored` what the
        adapter leaves out on purpose.
        """
        keep(swallowed.check_nothing_swallowed, recorded)

    def test_unknown_members_change_nothing(self, recorded: Recorded) -> None:
        """A vendor may add one to any object at any time."""
        keep(answers.check_extended, recorded)

    @pytest.mark.parametrize(
        "varying",
        [
            variants.garbled,
            variants.truncated,
            variants.lacking,
            variants.nulled,
            variants.retyped,
            variants.enlarged,
        ],
        ids=lambda varying: varying.__name__,
    )
    def test_a_wrong_answer_is_a_job_or_an_error_with_a_path(
        self, recorded: Recorded, varying: answers.Varying
    ) -> None:
        """The answer is not JSON, or cut off; a member is missing, null, or of another type."""
        keep(answers.check_variants, recorded, varying)

    def test_any_answer_is_a_job_or_an_error_with_a_path(self, recorded: Recorded) -> None:
        """Any JSON value, at any path."""
        keep(check_any_answer, recorded)
