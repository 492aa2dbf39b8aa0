"""One file below `uploads/<task>/incoming/`: its texts go to the task's queue, its bad lines to a quarantine object.

**Repeated without harm.** The file is read in the version that the event names, its texts keep their identity (the
sender's id, or the text itself; lambdas/texts.py), and classify_texts lets each identity become one event. So an event
that comes twice, or a reading that breaks off and begins again, sends messages twice and makes no event twice. The
quarantine object's key depends on the file's key and version alone.

**A file of any size.** A reading ends a minute before the function's time does. It then puts its event back on its
own queue, with the number of lines that are done (`after`), and the next reading passes over those. Everything is sent
before that, so whatever breaks off between, nothing is passed over that was not sent.
"""

import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, Any, BinaryIO

from botocore.exceptions import ClientError

from lambdas.names import incoming_quarantine_key
from lambdas.object_created import ObjectCreated, parse_object_created, read_event
from lambdas.read_incoming.files import Found, read_file
from lambdas.read_incoming.sender import REQUEST_BYTES, Sender
from lambdas.structured_log import key_digest, log_event
from lambdas.texts import SentText, message

AFTER = "after"
# What a last batch of messages and the quarantine object take, generously.
_RESERVE_SECONDS = 60.0
_GONE = ("NoSuchKey", "NoSuchVersion")
# Bytes that are asked of S3 at a time.
_BUFFER = 1024**2


@dataclass(frozen=True)
class Places:
    """What a reading works with: boto3 clients, the bucket, the task, and the URLs of its two queues."""

    s3: Any
    sqs: Any
    bucket: str
    task: str
    text_queue: str
    incoming_queue: str


def read_incoming(body: str, places: Places, remaining: Callable[[], float], logger: logging.Logger) -> None:
    """Handle one message: an event of S3, perhaps with the number of lines that are done already.

    `remaining` gives the seconds that the function has left.

    Raises:
        EventError: the message is something else.
        UnfinishedError, botocore's errors: not all was sent; it is safe to call again.
    """
    event = read_event(body)
    created = parse_object_created(event, places.bucket)
    if created.key.endswith("/"):
        return  # What consoles write for an empty folder.
    name = key_digest(created.key)
    version = {} if created.version_id is None else {"VersionId": created.version_id}

    def open_stream() -> BinaryIO:
        answer = places.s3.get_object(Bucket=places.bucket, Key=created.key, **version)
        return io.BufferedReader(answer["Body"], _BUFFER)

    def warn(what: str) -> None:
        log_event(logger, "incoming_file_warning", level=logging.WARNING, key_sha256=name, warning=what)

    items = read_file(created.key, open_stream, f"file-{name}", warn)
    try:
        _read_on(items, event, created, places, remaining, logger)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
        log_event(logger, "incoming_file_gone", level=logging.WARNING, key_sha256=name)


def _read_on(
    items: Iterator[Found],
    event: dict[str, Any],
    created: ObjectCreated,
    places: Places,
    remaining: Callable[[], float],
    logger: logging.Logger,
) -> None:
    after = int(event.get(AFTER, 0))
    done, bad, in_time = after, 0, True
    with TemporaryFile() as quarantine, Sender(places.sqs, places.text_queue) as sender:
        for line, found in islice(items, after, None):
            if not (in_time := remaining() > _RESERVE_SECONDS):
                break
            reason = _send(found, sender)
            if reason is not None:
                bad += 1
                quarantine.write(json.dumps({"object": created.key, "line": line, "reason": reason}).encode() + b"\n")
            done += 1
        sender.flush()
        if bad:
            _write_quarantine(quarantine, created, after, places)
        if not in_time:
            body = json.dumps({**event, AFTER: done})
            places.sqs.send_message(QueueUrl=places.incoming_queue, MessageBody=body)
    log_event(
        logger,
        "incoming_read",
        task=places.task,
        key_sha256=key_digest(created.key),
        after=after,
        sent=done - after - bad,
        quarantined=bad,
        complete=in_time,
    )


def _send(found: SentText | str, sender: Sender) -> str | None:
    """Send a text. Why there is nothing to send, otherwise."""
    if isinstance(found, str):
        return found
    body = message(found)
    if len(body.encode()) > REQUEST_BYTES:
        # Of 50,000 characters only control characters take that much.
        return f"its message would be larger than {REQUEST_BYTES:,} bytes"
    sender.add(body)
    return None


def _write_quarantine(lines: IO[bytes], created: ObjectCreated, after: int, places: Places) -> None:
    identity = "\0".join((created.key, created.version_id or created.etag))
    name = f"{hashlib.sha256(identity.encode()).hexdigest()[:16]}-{after}"
    lines.seek(0)
    places.s3.put_object(
        Bucket=places.bucket,
        Key=incoming_quarantine_key(places.task, name),
        Body=lines,
        ContentType="application/x-ndjson",
    )
