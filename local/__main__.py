"""Commands on one machine; the Makefile calls them.

python -m local demo [--task TASK|all] [--tasks FOLDER] [--data FILE] [--evaluation FILE]
python -m local serve [--tasks FOLDER]
python -m local upload FILE [--task TASK] [--set SET]
python -m local approve [--task TASK]
python -m local predict TEXT [--task TASK] [--explain]
"""

import argparse
import signal
import sys
from pathlib import Path

from rich.console import Console

from local.demo import go_live, newest_package, run_demo, run_every_demo, serve
from local.demos import DEMOS
from local.errors import DataError, LocalError
from local.paths import TASKS
from local.stage import LocalStage, running_stage

TASK = "radiology_impressions"
EVERY_TASK = "all"


def main() -> int:
    arguments = _parser().parse_args()
    console = _console()
    # A caller that ends this process (a terminal that closes, CI) must not leave the local AWS behind.
    signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        if arguments.command == "demo":
            return _demo(console, arguments)
        if arguments.command == "serve":
            serve(console, arguments.tasks.resolve())
        else:
            _ask_running_stage(console, arguments)
    except LocalError as error:
        Console(stderr=True, soft_wrap=True).print(f"Stopped: {error}", style="red", highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _ask_running_stage(console: Console, arguments: argparse.Namespace) -> None:
    """Do what a command wants of the stage that another one keeps running.

    Raises:
        LocalError: there is none, it has no such task, or it refuses.
    """
    stage = running_stage()
    task = _task_of(stage, arguments.task)
    if arguments.command == "upload":
        console.print(f"Uploaded as {stage.upload(arguments.file, task, arguments.set)}")
    elif arguments.command == "approve":
        go_live(console, stage, task, newest_package(stage, task))
    else:
        # A model from before explanations would refuse the parameter, whatever its value.
        parameters = {"explain": True} if arguments.explain else {}
        answer = stage.ask_endpoint(task, arguments.text, **parameters)
        said = answer.get("generated_text") or f"{answer['label']}, probability {answer['probability']:.4f}"
        console.print(said, highlight=False, markup=False)
        for report in answer.get("similar", []):
            console.print(f"  training report {report['id']}, similarity {report['similarity']:.4f}", highlight=False)


def _demo(console: Console, arguments: argparse.Namespace) -> int:
    """Run the demo of a task, or of all that ship; the exit code.

    Raises:
        LocalError: what stopped it.
    """
    tasks, data, evaluation = arguments.tasks.resolve(), arguments.data, arguments.evaluation
    if arguments.task != EVERY_TASK:
        run_demo(console, arguments.task, tasks, data, evaluation)
        return 0
    if data is not None or evaluation is not None:
        raise DataError(f"files are of one task: name it in place of {EVERY_TASK} (TASK=..., --task ...)")
    return 1 if run_every_demo(console, list(DEMOS.values()), tasks) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="Report tuning on one machine")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="the whole way once, on example data or on your own files")
    demo.add_argument("--task", default=TASK, help=f"{EVERY_TASK}: one after another; default: %(default)s")
    demo.add_argument("--data", type=Path, help="training data instead of the example's")
    demo.add_argument("--evaluation", type=Path, help="evaluation set, named after the file")
    stay = commands.add_parser("serve", help="start, deploy, and stay until Ctrl-C")
    for command in (demo, stay):
        command.add_argument("--tasks", type=Path, default=TASKS, help="folder of task files; default: %(default)s")
    upload = commands.add_parser("upload", help="upload a file to the stage that is running")
    upload.add_argument("file", type=Path)
    upload.add_argument("--task", default=TASK)
    upload.add_argument("--set", help="name of the evaluation set; without it the file is training data")
    approve = commands.add_parser("approve", help="approve the newest model of the stage that is running")
    approve.add_argument("--task", default=TASK)
    predict = commands.add_parser("predict", help="ask the live endpoint of the stage that is running")
    predict.add_argument("text")
    predict.add_argument("--task", default=TASK)
    predict.add_argument("--explain", action="store_true", help="name the training reports that the answer rested on")
    return parser


def _task_of(stage: LocalStage, task: str) -> str:
    """`task`, which the stage must have.

    Raises:
        DataError: it has no such task.
    """
    if task not in stage.names.pipelines:
        raise DataError(f"the stage has no task {task}; say which with TASK=: {', '.join(stage.names.pipelines)}")
    return task


def _console() -> Console:
    console = Console(soft_wrap=True)
    # A pipe says nothing of its width: wide enough for the comparison table.
    return console if console.is_terminal else Console(soft_wrap=True, width=120)


def _raise_interrupt(number: int, frame: object) -> None:  # noqa: ARG001  # the signature of a signal handler
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
