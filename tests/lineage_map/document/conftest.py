import sys

import pytest


@pytest.fixture
def count_steps():
    """Return what counts the lines of Python that a call runs: work, whatever the machine's speed."""

    def count(call, *arguments):
        steps = 0

        def trace(_frame, _event, _argument):
            nonlocal steps
            steps += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            call(*arguments)
        finally:
            sys.settrace(before)
        return steps

    return count
