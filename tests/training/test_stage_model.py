"""StageModel of models that write text: its sources, and what it refuses. The hub is a folder."""

import fnmatch
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer, BartConfig, BertConfig

from tests.training.tiny_model import invented_pairs, write_part
from training.errors import ArgumentError, ModelError, UploadError
from training.generation import TextGenerator
from training.model_directory import read_model_card, unpacked_model, weights_sha256
from training.stage_model import Arguments, main

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class FolderHub:
    """Stands for huggingface_hub.snapshot_download: copies the files of a folder that match `allow_patterns`."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository
        self.revisions: list[str] = []

    def __call__(self, *, repo_id: str, revision: str, local_dir: Path, allow_patterns: list[str]) -> None:
        self.revisions.append(revision)
        for path in self.repository.iterdir():
            if any(fnmatch.fnmatch(path.name, pattern) for pattern in allow_patterns):
                shutil.copyfile(path, local_dir / path.name)


def hub_arguments(output: Path, **more: Any) -> Arguments:
    return Arguments(
        **{"source": "huggingface", "model_id": "someone/model", "revision": COMMIT, "output": output, **more}
    )


@pytest.fixture
def repository(tiny_model_directory: Path, tmp_path: Path) -> Path:
    """A hub repository: model and tokenizer, and code that must never come along."""
    folder = tmp_path / "repository"
    ignored = shutil.ignore_patterns("code", "model_card.json", "generation_config.json")
    shutil.copytree(tiny_model_directory, folder, ignore=ignored)
    (folder / "modeling_custom.py").write_text("raise SystemExit")
    return folder


def pickle_weights(folder: Path) -> None:
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def test_a_hub_model_is_staged_at_its_pinned_revision_without_code(
    repository: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    hub = FolderHub(repository)
    output = tmp_path / "staged"
    main(hub_arguments(output, prompt_template="Summarize: {input}", max_new_tokens=40, num_beams=2), hub)

    assert set(hub.revisions) == {COMMIT}
    assert not (output / "modeling_custom.py").exists()
    assert weights_sha256(output) == weights_sha256(tiny_model_directory)
    card = read_model_card(output)
    assert (card.source, card.model_id, card.revision, card.stand_in) == ("huggingface", "someone/model", COMMIT, False)
    assert card.prompt_template == "Summarize: {input}"
    generator = TextGenerator.load(output)
    assert (generator.defaults.max_new_tokens, generator.defaults.num_beams) == (40, 2)
    assert generator.model.generation_config.decoder_start_token_id == generator.tokenizer.pad_token_id
    assert json.loads((output / "stage_model_arguments.json").read_text())["revision"] == COMMIT


def test_a_hub_model_without_a_revision_is_staged_at_the_newest_commit_and_names_it(
    repository: Path, tmp_path: Path
) -> None:
    hub = FolderHub(repository)
    output = tmp_path / "staged"
    main(hub_arguments(output, revision=None), hub, lambda _: COMMIT)
    assert set(hub.revisions) == {COMMIT}
    assert read_model_card(output).revision == COMMIT
    assert json.loads((output / "stage_model_arguments.json").read_text())["revision"] == COMMIT


def test_pickled_weights_are_converted_when_there_is_nothing_else(
    repository: Path, tiny_model_directory: Path, tmp_path: Path
) -> None:
    pickle_weights(repository)
    output = tmp_path / "staged"
    main(hub_arguments(output), FolderHub(repository))
    assert not list(output.glob("*.bin"))
    expected = AutoModelForSeq2SeqLM.from_pretrained(tiny_model_directory).state_dict()
    staged = AutoModelForSeq2SeqLM.from_pretrained(output).state_dict()
    assert all(torch.equal(expected[name], staged[name]) for name in expected)


def test_pickles_are_not_fetched_beside_safetensors(repository: Path, tmp_path: Path) -> None:
    (repository / "pytorch_model.bin").write_bytes(b"not to be opened")
    main(hub_arguments(tmp_path / "staged"), FolderHub(repository))
    assert not list((tmp_path / "staged").glob("*.bin"))


def test_an_unreachable_hub_is_a_named_error(tmp_path: Path) -> None:
    def unreachable(**_: Any) -> None:
        raise ConnectionError("no route")

    with pytest.raises(ModelError, match=f"someone/model at {COMMIT} cannot be downloaded: ConnectionError"):
        main(hub_arguments(tmp_path / "staged"), unreachable)


@pytest.mark.parametrize("revision", ["main", COMMIT[:-1], COMMIT + "0", COMMIT.upper(), "v1.0"])
def test_a_revision_that_can_move_is_refused(revision: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="40 lower-case hexadecimal digits"):
        Arguments(source="huggingface", model_id="someone/model", revision=revision, output=tmp_path)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"source": "elsewhere"}, "source must be one of huggingface, jumpstart, s3, stand_in"),
        ({"source": "jumpstart", "model_id": "m", "revision": "1.0.0"}, "source jumpstart needs --model"),
        (
            {"source": "jumpstart", "model_id": "m", "revision": "1.*", "model": Path("m")},
            r"revision must be an exact version such as 2.0.3, got '1.\*'",
        ),
        ({"source": "s3"}, "source s3 needs --model"),
        ({"source": "stand_in"}, "source stand_in needs --train"),
        ({"source": "huggingface", "revision": COMMIT}, "needs --model-id"),
        ({"source": "s3", "model": Path("m"), "train": Path("t")}, "source s3 takes no --train"),
        ({"source": "s3", "model": Path("m"), "prompt_template": "no place"}, "exactly once"),
        ({"source": "s3", "model": Path("m"), "num_beams": 0}, "num_beams must be between"),
    ],
)
def test_impossible_arguments_are_refused(given: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match=message):
        Arguments(output=tmp_path, **given)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("pickled", [False, True])
def test_a_model_from_s3_is_staged(repository: Path, tmp_path: Path, packed: bool, pickled: bool) -> None:
    if pickled:
        pickle_weights(repository)
    channel = repository
    if packed:
        channel = tmp_path / "channel"
        channel.mkdir()
        with tarfile.open(channel / "model.tar.gz", "w:gz") as tar:
            tar.add(repository, ".")
    main(Arguments(source="s3", model=channel, output=tmp_path / "staged"))
    TextGenerator.load(tmp_path / "staged")
    assert read_model_card(tmp_path / "staged").source == "s3"
    code = {path.name for path in (tmp_path / "staged" / "code").iterdir()}
    assert code == {"inference.py", "bm25s", "nltk", "training"}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("packed", [False, True])
def test_a_model_of_jumpstart_is_staged_whatever_its_archive_is_called(
    repository: Path, tiny_model_directory: Path, tmp_path: Path, packed: bool, nested: bool
) -> None:
    pickle_weights(repository)
    (repository / "code").mkdir()
    (repository / "code" / "inference.py").write_text("raise SystemExit")
    channel = tmp_path / "channel"
    if packed:
        channel.mkdir()
        with tarfile.open(channel / "infer-prepack-invented.tar.gz", "w:gz") as tar:
            tar.add(repository, "invented" if nested else ".")
    else:
        shutil.copytree(repository, channel / "invented" if nested else channel)
    version = {"model_id": "huggingface-text2text-invented", "revision": "2.0.3"}
    main(Arguments(source="jumpstart", model=channel, output=tmp_path / "staged", **version))
    card = read_model_card(tmp_path / "staged")
    assert (card.source, card.model_id, card.revision) == ("jumpstart", *version.values())
    assert card.description == "huggingface-text2text-invented, version 2.0.3 of SageMaker JumpStart"
    expected = AutoModelForSeq2SeqLM.from_pretrained(tiny_model_directory).state_dict()
    staged = TextGenerator.load(tmp_path / "staged").model.state_dict()
    assert all(torch.equal(expected[name], staged[name]) for name in expected)
    assert "SystemExit" not in (tmp_path / "staged" / "code" / "inference.py").read_text()


def test_two_archives_are_not_chosen_from(tmp_path: Path) -> None:
    for name in ("a.tar.gz", "b.tar.gz"):
        (tmp_path / name).touch()
    with (
        pytest.raises(ModelError, match=r"one archive of a model, found a\.tar\.gz, b\.tar\.gz"),
        unpacked_model(tmp_path),
    ):
        pass


def test_a_model_that_was_fine_tuned_here_gets_a_new_card(tiny_model_directory: Path, tmp_path: Path) -> None:
    main(Arguments(source="s3", model=tiny_model_directory, output=tmp_path / "staged", max_input_tokens=99))
    card = read_model_card(tmp_path / "staged")
    assert (card.source, card.max_input_tokens) == ("s3", 99)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("config.json", "config.json is missing"),
        ("model.safetensors", "no weights"),
        ("tokenizer.json", "no tokenizer"),
    ],
)
def test_an_incomplete_model_is_refused(repository: Path, tmp_path: Path, missing: str, message: str) -> None:
    (repository / missing).unlink()
    with pytest.raises(ModelError, match=message):
        main(Arguments(source="s3", model=repository, output=tmp_path / "staged"))


def test_a_model_with_a_missing_shard_is_refused(repository: Path, tmp_path: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (repository / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors"):
        main(Arguments(source="s3", model=repository, output=tmp_path / "staged"))


def test_another_kind_of_model_is_refused(repository: Path, tmp_path: Path) -> None:
    BertConfig().save_pretrained(repository)
    with pytest.raises(ModelError, match="sequence-to-sequence model is needed, this one is of type 'bert'"):
        main(Arguments(source="s3", model=repository, output=tmp_path / "staged"))


def test_more_input_tokens_than_the_model_has_positions_are_refused(repository: Path, tmp_path: Path) -> None:
    BartConfig(max_position_embeddings=256).save_pretrained(repository)
    with pytest.raises(ModelError, match="max_input_tokens must be <= 256"):
        main(Arguments(source="s3", model=repository, output=tmp_path / "staged", max_input_tokens=512))


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../outside"), io.BytesIO())
    with pytest.raises(ModelError, match="leaves the archive"), unpacked_model(tmp_path):
        pass


def test_a_broken_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"\x1f\x8bnot really")
    with pytest.raises(ModelError, match=r"model\.tar\.gz cannot be unpacked"), unpacked_model(tmp_path):
        pass


def stage_stand_in(tmp_path: Path, name: str, seed: int = 1) -> Path:
    write_part(tmp_path / "train", invented_pairs(40))
    main(Arguments(source="stand_in", train=tmp_path / "train", output=tmp_path / name, denoise_steps=3, seed=seed))
    return tmp_path / name


def test_a_stand_in_says_that_it_is_one(tmp_path: Path) -> None:
    staged = stage_stand_in(tmp_path, "staged")
    card = read_model_card(staged)
    assert card.stand_in and card.source == "stand_in"
    assert card.description.startswith("stand-in for a pre-trained model")
    assert "3 steps of self-supervised denoising" in card.description
    tokenizer = AutoTokenizer.from_pretrained(staged)
    text = "An ___ of 3.5 cm — µ, é, 胸."
    assert tokenizer.decode(tokenizer(text)["input_ids"], skip_special_tokens=True).strip() == text


def test_a_stand_in_is_the_same_for_the_same_seed_only(tmp_path: Path) -> None:
    first, second, other = (stage_stand_in(tmp_path, str(number), seed) for number, seed in enumerate((1, 1, 2)))
    assert weights_sha256(first) == weights_sha256(second)
    assert weights_sha256(first) != weights_sha256(other)


def test_a_stand_in_needs_training_text(tmp_path: Path) -> None:
    with pytest.raises(UploadError, match="train split is empty"):
        main(Arguments(source="stand_in", train=tmp_path, output=tmp_path / "staged"))
