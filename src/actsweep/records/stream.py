"""The one stream of a study's events: to the ledger first, then, in the same form, to every subscriber."""

from collections.abc import Sequence

from actsweep.events import Event, StudyRecord, Subscriber
from actsweep.records.ledger import Ledger


class EventStream:
    """Writes each event to the ledger, folds it into `record`, and hands it on.

    Args:
        ledger: an open ledger; its earlier events are already in `record`.
        subscribers: called with every event, in this order.

    Attributes:
        history: what the ledger held when it was opened.
        record: the state that all events so far lead to.
    """

    def __init__(self, ledger: Ledger, subscribers: Sequence[Subscriber]) -> None:
        self._ledger = ledger
        self._subscribers = list(subscribers)
        self.history = ledger.content.events
        self.record: StudyRecord = ledger.content.fold()

    def __call__(self, *events: Event) -> None:
        """Publish events, in order; a process that is killed has recorded all of them or none."""
        self._ledger(*events)
        for event in events:
            self.record(event)
            for subscriber in self._subscribers:
                subscriber(event)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Hand every later event to one more, after the others."""
        self._subscribers.append(subscriber)

    def tick(self) -> None:
        """To be called often: brings what is due to the disk."""
        self._ledger.sync_if_due()
