"""How a task's live endpoint is asked about texts that come in all the time."""

from typing import Annotated

from pydantic import Field

from stacks.settings import Settings


class Stream(Settings):
    """A stream of texts into the table `events`.

    From `notice_probability` on a notice goes to the task's topic; None for no topic. `texts_a_call` texts go to the
    endpoint in one request at most. With `comprehend_medical`, texts with the positive label also go to Amazon
    Comprehend Medical, which takes the place of the project's own rules for drugs and effects, and costs money by the
    character.
    """

    notice_probability: Annotated[float, Field(gt=0, le=1)] | None = None
    texts_a_call: Annotated[int, Field(ge=1, le=256)] = 32
    comprehend_medical: bool = False
