"""Reading ahead: order, a bounded number of items, overlap, errors and an early end."""

import threading
import time

import pytest

from robustiqa.core.prefetch import prefetched


def test_items_keep_their_order():
    """All of them, also when there is none."""
    assert list(prefetched(range(50))) == list(range(50))
    assert list(prefetched([])) == []


def test_no_more_items_are_made_than_allowed():
    """However slow the caller is: one in hand, those waiting, one being made."""
    made = []

    def items():
        for i in range(100):
            made.append(i)
            yield i

    for taken, _ in enumerate(prefetched(items(), ahead=2), start=1):
        time.sleep(0.002)
        assert len(made) <= taken + 3
    assert len(made) == 100


def test_the_next_item_is_made_while_the_caller_works():
    """The second item is begun before the first is given back."""
    second = threading.Event()

    def items():
        yield 1
        second.set()
        yield 2

    stream = prefetched(items())
    assert next(stream) == 1
    assert second.wait(5)
    assert list(stream) == [2]


def test_an_error_comes_where_its_item_would_have():
    """Earlier items arrive; the error keeps its type."""

    def items():
        yield 1
        raise KeyError("broken")

    stream = prefetched(items(), ahead=3)
    assert next(stream) == 1
    with pytest.raises(KeyError, match="broken"):
        next(stream)


def test_closing_ends_the_thread():
    """Even where the maker could go on for ever."""

    def items():
        while True:
            yield 0

    before = threading.active_count()
    stream = prefetched(items())
    next(stream)
    stream.close()
    assert threading.active_count() == before
