"""What a contract's test says when an adapter does not keep the contract."""


class Breach(AssertionError):
    """A mistake of an adapter's, in one sentence, and what to do about it."""

    def __init__(self, mistake: str, remedy: str) -> None:
        """Take what is wrong, and the remedy."""
        super().__init__(f"{mistake}; {remedy}")
