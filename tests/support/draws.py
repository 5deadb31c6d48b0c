"""Draws of which a test knows what comes out."""


def middle(low: float, high: float) -> float:
    """Draw the number in between: no jitter."""
    return (low + high) / 2


def lowest(low: float, _: float) -> float:
    """Draw the lower bound: the soonest that jitter may allow."""
    return low
