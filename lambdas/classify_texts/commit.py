"""Each text becomes one event: what a function may write, in which order, and what holds if it dies in between.

    1. `standing`   reads the claims (event_claims.py) of a batch's texts
       ...          the endpoint is asked about those that nobody has claimed
    2. take         claims each of them for a new file key, with a lease longer than the function may run
    3. write        writes the file, all rows at once, if nothing lies at its key (event_files.py)
    4. send         a notice for each row that is wanted
    5. finish       marks the claims

The file of step 3 is the event: from then on its texts are in the table, before it they are not. Messages go from the
queue only after step 5, when the function returns. What a function that dies leaves behind, and what the next one that
gets the messages does once the lease is over:

* **Before 2**: nothing. It is as if the messages came for the first time.
* **During 2, or between 2 and 3**: claims for a file that is not there. The next one first *gives the file up*: S3
  makes a file without rows at its key, only if nothing lies there. Then it replaces the claims that name that file by
  its own (each only while it still names it) and writes a file of its own. If the first function is not dead but
  merely slow (its clock is wrong, or its request to S3 on the way for minutes), its own write now fails, and it gives
  its messages back: of write and give up only one can happen to a key. So nothing rests on the length of the lease;
  it only keeps functions out of each other's way.
* **Between 3 and 5**: claims for a file that is there. To give it up fails; so the events are done, and only notices
  may be missing. The next one sends those of its messages anew, reading the rows from the file, and marks the claims.
  A notice may come twice, but none is missing.
* **After 5**: finished claims. The messages, and any later ones with the same texts, are duplicates and go.

Two functions with the same text at the same time: one takes the claim, the other gives its message back and finds the
claim finished later. Two that want to take over the same claim: each gives the file up (the second finds that done),
and the condition of the claim lets one replace it.

**Lost answers.** boto3 asks again when an answer does not come. A claim that was taken then looks like somebody else's:
the text is left out of the file, so a claim names a file that is there without the text's row. Hence only a row in the
file counts; a claim without one is taken over like that of a file that was given up. A file that was written then looks
as if given up: its messages come again, and find it.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from lambdas.classify_texts.notices import Notices
from lambdas.event_claims import Claims
from lambdas.event_files import EventFiles, EventRow
from lambdas.structured_log import log_event
from lambdas.texts import identities

# Rows by the identity of their text.
Rows = Mapping[str, EventRow]


@dataclass
class Standing:
    """What is known of a batch's texts, by identity.

    Nobody has the `free` ones: None, or the file of an earlier claim that came to nothing. The `held` ones are for
    later. `written` (by file) are events already, whose notices may be missing. The `finished` need nothing more.
    """

    free: dict[str, str | None] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    written: dict[str, Rows] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class EventLog:
    """The events of one task. `clock` gives seconds since 1970; a lease is longer than a function may run."""

    claims: Claims
    files: EventFiles
    notices: Notices | None
    clock: Callable[[], float]
    lease_seconds: float
    logger: logging.Logger

    def standing(self, identities: Iterable[str]) -> Standing:
        """What is known of these texts. Claims whose lease is over are settled on the way.

        Raises:
            UnfinishedError, botocore's errors: it could not be found out.
        """
        wanted = list(identities)
        claims = self.claims.find(wanted)
        now = self.clock()
        standing = Standing()
        lapsed: dict[str, list[str]] = {}
        for identity in wanted:
            claim = claims.get(identity)
            if claim is None:
                standing.free[identity] = None
            elif claim.finished:
                standing.finished.add(identity)
            elif claim.lease_until > now:
                standing.held.add(identity)
            else:
                lapsed.setdefault(claim.file, []).append(identity)
        for file, claimed in lapsed.items():
            rows = {} if self.files.give_up(file) else self._rows(file, claimed)
            standing.free |= dict.fromkeys((identity for identity in claimed if identity not in rows), file)
            standing.written[file] = rows
        return standing

    def write(self, rows: Rows, free: Mapping[str, str | None]) -> set[str]:
        """Make events of rows that `standing` called free; those that are events and finished now.

        A file has one day's events. Of the others somebody else has the claim, or had the file given up.

        Raises:
            UnfinishedError, botocore's errors: for some it is not known; call `standing` again once the lease is over.
        """
        done: set[str] = set()
        days = sorted(rows, key=lambda identity: rows[identity].day)
        for day, group in groupby(days, key=lambda identity: rows[identity].day):
            key = self.files.new_key(day)
            until = self.clock() + self.lease_seconds
            taken = [identity for identity in group if self.claims.take(identity, key, until, free[identity])]
            if taken and self.files.write(key, [rows[identity] for identity in taken]):
                self._finish({identity: rows[identity] for identity in taken}, key)
                done.update(taken)
        return done

    def complete(self, standing: Standing) -> set[str]:
        """Send the notices of the `written`, and mark their claims; which they are. Raises as `write` does."""
        done: set[str] = set()
        for file, rows in standing.written.items():
            self._finish(rows, file)
            done |= rows.keys()
        if done:
            log_event(self.logger, "events_completed", events=len(done))
        return done

    def _rows(self, file: str, claimed: Iterable[str]) -> Rows:
        wanted = set(claimed)
        return {
            identity: row
            for row in self.files.read(file)
            for identity in identities(row.event_id, row.source)
            if identity in wanted
        }

    def _finish(self, rows: Rows, key: str) -> None:
        for row in rows.values():
            if self.notices is not None and row.notified:
                self.notices.send(row)
        self.claims.finish(rows, key)
