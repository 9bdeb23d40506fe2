"""A look at something now and then while the rest goes on."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def beside(look: Callable[[threading.Event], None], name: str) -> Iterator[None]:
    """Run a function in a thread for the length of the block.

    Args:
        look: returns once the event that it is given is set, which the end of the block does.
        name: the thread's.
    """
    left = threading.Event()
    thread = threading.Thread(target=look, args=(left,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        left.set()
        thread.join()
