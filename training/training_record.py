"""What a training leaves behind while it runs: log lines for SageMaker's metric regexes, the curve, checkpoints."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from training.checkpoints import complete_checkpoint
from training.fine_tuner import TrainingClock


class TrainingRecord(TrainerCallback):
    """Prints each logged step, appends it to `curve` (JSON lines with the columns of TRAINING_CURVE), and puts the
    curve so far into each checkpoint, so that a resumed training continues it without gap or repetition."""

    def __init__(self, curve: Path, clock: TrainingClock, identity: str) -> None:
        self._curve = curve
        self._clock = clock
        self._identity = identity

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:  # noqa: ARG002
        if not state.is_world_process_zero or not ({"loss", "eval_loss"} & logs.keys()):
            return
        place = {"epoch": round(state.epoch, 4), "step": state.global_step}
        if "loss" in logs:
            rate = float(f"{logs['learning_rate']:.4g}")
            line = {"loss": round(logs["loss"], 4), "learning_rate": rate, **place}
        else:
            line = {"eval_loss": round(logs["eval_loss"], 4), **place}
        print(line, flush=True)
        row = {
            "step": state.global_step,
            "epoch": state.epoch,
            "seconds": round(self._clock.seconds, 3),
            "train_loss": logs.get("loss"),
            "validation_loss": logs.get("eval_loss"),
            "learning_rate": logs.get("learning_rate"),
        }
        with self._curve.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if state.is_world_process_zero:
            checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            complete_checkpoint(checkpoint, self._identity, self._curve)


class TrainingEnd(TrainerCallback):
    """Ends training when the time budget is used up, and validates and saves once more wherever training ends."""

    def __init__(self, clock: TrainingClock) -> None:
        self._clock = clock

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._clock.read(args.device)
        if self._clock.share >= 1:
            if state.is_world_process_zero:
                print(f"time budget of {self._clock.max_seconds:g} s used up at step {state.global_step}", flush=True)
            control.should_training_stop = True
        if control.should_training_stop:
            control.should_evaluate = control.should_save = True
        if control.should_evaluate:
            control.should_log = True  # so that each row of the curve covers the same steps after a resume


def read_curve_seconds(curve: Path) -> float:
    """Seconds of training when the last row of `curve` was written."""
    last = curve.read_text(encoding="utf-8").splitlines()[-1]
    return float(json.loads(last)["seconds"])
