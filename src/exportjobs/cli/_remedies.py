"""What to type: the command line's remedies, in place of those that name a call in Python."""

import shlex

from exportjobs.adapter._errors import ExportJobsError, SubmitOutcomeUnknown


def message(error: ExportJobsError) -> str:
    """Return an error on one line, as the command line prints it."""
    shown = error.copy_for(error.ref)
    shown.remedy = remedy(error)
    return str(shown)


def option(name: str, value: str) -> list[str]:
    """Return an option with its value, which may look like an option itself."""
    return [f"{name}={value}"] if value.startswith("-") else [name, value]


def remedy(error: ExportJobsError) -> str:
    """Return what to do about an error: what to type, where it was made for that."""
    match error:
        case SubmitOutcomeUnknown(number=int(number), ledger=str(ledger)):
            choices = [
                shlex.join(["exportjobs", *words, *option("--ledger", ledger)])
                for words in (
                    ["adopt", str(number), "JOB_ID"],
                    ["resubmit", str(number)],
                    ["abandon", str(number)],
                )
            ]
            return f"look for the job at the vendor, then run one of: {' | '.join(choices)}"
        case _:
            return error.remedy
