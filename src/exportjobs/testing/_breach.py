"""How a test of the contract fails."""


class Breach(AssertionError):
    """What an adapter does wrong, in one sentence, and what to do."""

    def __init__(self, mistake: str, remedy: str) -> None:
        """Take what is wrong, and the remedy."""
        super().__init__(f"{mistake}; {remedy}")
