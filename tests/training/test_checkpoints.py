"""Which checkpoint a killed training goes on from, and how one process a GPU is started."""

from pathlib import Path

import pytest

from training.checkpoints import complete_checkpoint, newest_checkpoint
from training.distributed import torchrun_command
from training.errors import ModelError


def make_checkpoint(folder: Path, step: int, identity: str = "this") -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "model.safetensors").write_bytes(b"0123456789")
    (folder / "curve").write_text("{}\n")
    complete_checkpoint(checkpoint, identity, folder / "curve")
    return checkpoint


def test_the_newest_complete_checkpoint_is_taken_and_broken_ones_go(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path, "this") is None
    make_checkpoint(tmp_path, 9)
    wanted = make_checkpoint(tmp_path, 10)
    (make_checkpoint(tmp_path, 11) / "model.safetensors").write_bytes(b"01234")
    (make_checkpoint(tmp_path, 12) / "model.safetensors").unlink()
    (make_checkpoint(tmp_path, 13) / "complete.json").unlink()
    assert newest_checkpoint(tmp_path, "this") == wanted
    assert {path.name for path in tmp_path.glob("checkpoint-*")} == {"checkpoint-9", "checkpoint-10"}


def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    make_checkpoint(tmp_path, 10, identity="that")
    with pytest.raises(ModelError, match="checkpoint-10 was written by a training with other arguments or other data"):
        newest_checkpoint(tmp_path, "this")


def test_one_process_a_gpu_is_started_on_every_host() -> None:
    hosts = {"SM_HOSTS": '["algo-1", "algo-2"]', "SM_CURRENT_HOST": "algo-2"}
    assert torchrun_command({}, "training.fine_tune", [], 1) is None
    assert torchrun_command({"LOCAL_RANK": "0"}, "training.fine_tune", [], 8) is None
    single = torchrun_command({"SM_HOSTS": '["algo-1"]'}, "training.fine_tune", ["--epochs", "3"], 4)
    assert single is not None
    assert single[1:] == [
        *("-m", "torch.distributed.run", "--nproc-per-node=4", "--standalone"),
        *("-m", "training.fine_tune", "--epochs", "3"),
    ]
    several = torchrun_command(hosts, "training.fine_tune", [], 8)
    assert several is not None
    assert {"--nnodes=2", "--node-rank=1", "--master-addr=algo-1", "--nproc-per-node=8"} <= set(several)
