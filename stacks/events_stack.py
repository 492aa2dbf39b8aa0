"""Events: a stream of texts for each task that has one."""

from collections.abc import Mapping, Sequence

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from stacks.config import ClassificationTask
from stacks.event_stream import EventStream, StreamedTask, Surroundings
from stacks.foundation import Foundation
from stacks.glue_function import pandas_layer


def streamed_tasks(foundation: Foundation) -> list[StreamedTask]:
    """The tasks that have a stream."""
    return [
        StreamedTask(
            name=task.name,
            construct_id=task.construct_id,
            title=task.title,
            endpoint=foundation.stage.name_for(task),
            labels=(task.labels.positive, task.labels.negative),
            fields=(task.fields.input, task.fields.target),
            stream=task.stream,
        )
        for task in foundation.tasks
        if isinstance(task, ClassificationTask) and task.stream is not None
    ]


class EventsStack(Stack):
    """Texts dropped as files or sent as messages → live endpoint → table `events` and notices → reviews by people."""

    def __init__(
        self, scope: Construct, construct_id: str, *, foundation: Foundation, tasks: Sequence[StreamedTask]
    ) -> None:
        stage = foundation.stage
        super().__init__(scope, construct_id, env={"region": stage.region}, description="Report tuning: events")
        around = Surroundings(
            bucket=foundation.bucket,
            key=foundation.key,
            alarms=foundation.alarms,
            layer=pandas_layer(self, stage.pandas_layer_version),
            keep_data=stage.keep_data,
        )
        streams = {task.name: EventStream(self, task.construct_id, task=task, around=around) for task in tasks}
        self._say("TextQueues", {n: s.texts.queue_url for n, s in streams.items()}, "its queue of texts")
        self._say("FileQueues", {n: s.files.queue_url for n, s in streams.items()}, "its queue of incoming files")
        topics = {name: stream.topic.topic_arn for name, stream in streams.items() if stream.topic is not None}
        self._say("NoticeTopics", topics, "its topic of notices: subscribe to hear of events")
        functions = {name: stream.reviews.function_name for name, stream in streams.items()}
        self._say("ReviewFunctions", functions, "its function that takes verdicts on events")

    def _say(self, name: str, values: Mapping[str, str], what: str) -> None:
        CfnOutput(self, name, value=self.to_json_string(dict(values)), description=f"Task -> {what}")
