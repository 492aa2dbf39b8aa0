"""The model directory: the one form in which models pass between StageModel, FineTune, Generate and endpoints.

    config.json, *.safetensors, generation_config.json, tokenizer files     as `save_pretrained` writes them
    model_card.json                                                         where the model comes from, how to ask it
    code/inference.py, code/training/*.py, code/nltk/, code/bm25s/          what the endpoint runs, and nothing else
    similar/                                                                with retrieval: an index of training records
    answer_choice/                                                          with retrieval and method mbr: how to choose

On S3 it is either this folder or a `model.tar.gz` of it.
"""

import contextlib
import dataclasses
import hashlib
import inspect
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bm25s
from nltk.stem.porter import PorterStemmer

from training.archives import unpack
from training.errors import ModelError
from training.labels import Decision
from training.prompt import check_prompt_template
from training.rouge_l import STEMMER_FILES

MODEL_CARD = "model_card.json"
ARCHIVE = "model.tar.gz"
CONFIG = "config.json"
TOKENIZER_FILES = ("tokenizer.json", "spiece.model", "vocab.json", "vocab.txt")
# Folder of the reports among which a model finds similar ones; their impressions are training text.
SIMILAR_REPORTS = "similar"
# Folder of what minimum Bayes risk chooses by; words of training targets stand in it.
ANSWER_CHOICE = "answer_choice"

# What code/inference.py imports. A module that is missing here is missing at the endpoint: a test loads the code alone.
INFERENCE_MODULES = (
    "__init__",
    "answer_choice",
    "archives",
    "consensus",
    "copying_model",
    "errors",
    "expected_words",
    "generation",
    "inference_request",
    "labels",
    "long_texts",
    "minimum_bayes_risk",
    "mean_pooled",
    "model_directory",
    "model_loading",
    "negation",
    "prompt",
    "prompt_tokens",
    "records",
    "report_text",
    "retrieval",
    "rouge_l",
    "sampling",
    "served_classifier",
    "served_summariser",
    "similar_impressions",
    "splits",
    "statistics",
    "summariser",
    "summary_request",
    "text_classifier",
    "text_windows",
)

# What of the package bm25s training/retrieval.py runs, below its folder.
SEARCH_FILES = (
    *("__init__.py", "scoring.py", "selection.py", "stopwords.py", "tokenization.py", "version.py"),
    *("utils/__init__.py", "utils/beir.py", "utils/benchmark.py", "utils/corpus.py", "utils/json_functions.py"),
)


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What a reader of the model must know, and what is needed to ask it as it was trained to be asked.

    `source` is huggingface, jumpstart, s3 or stand_in; `stand_in` is true for a model built here in place of a real
    pre-trained one; `max_input_tokens` counts the whole prompt with its end token; `weights_sha256` covers the
    safetensors files; `revision` is a commit of the hub or a version of JumpStart; `training` is null for a model that
    was not fine-tuned here, otherwise its arguments and best validation loss (JumpStart's script: its job's name);
    `decoding` holds those of training.generation.GenerationParameters that are its own, beside beams and length;
    `decision` is there for a classifier, null for a model that writes text.
    """

    source: str
    description: str
    stand_in: bool
    prompt_template: str
    max_input_tokens: int
    weights_sha256: str = ""
    model_id: str | None = None
    revision: str | None = None
    training: dict[str, Any] | None = None
    decoding: dict[str, Any] | None = None
    decision: Decision | None = None

    def __post_init__(self) -> None:
        check_prompt_template(self.prompt_template)
        if self.max_input_tokens < 1:
            raise ModelError(f"max_input_tokens must be >= 1, got {self.max_input_tokens}")


def read_model_card(directory: Path) -> ModelCard:
    """Read `model_card.json`.

    Raises:
        ModelError: it is missing or does not hold exactly the fields of ModelCard.
    """
    path = directory / MODEL_CARD
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        # Missing from cards that were written before there were classifiers.
        if (decision := fields.get("decision")) is not None:
            fields["decision"] = Decision(**decision)
        return ModelCard(**fields)
    except FileNotFoundError as error:
        raise ModelError(
            f"{MODEL_CARD} is missing: this is not a directory that StageModel or FineTune wrote"
        ) from error
    except (json.JSONDecodeError, TypeError) as error:
        raise ModelError(f"{MODEL_CARD} cannot be read: {error}") from error


def finish_model_directory(directory: Path, card: ModelCard) -> ModelCard:
    """Add `code/` and `model_card.json` to a directory that already holds model and tokenizer, and check the whole.

    Returns:
        The card as written, with the checksum of the weights.
    """
    check_model_files(directory, classifier=card.decision is not None)
    card = dataclasses.replace(card, weights_sha256=weights_sha256(directory))
    (directory / MODEL_CARD).write_text(
        json.dumps(dataclasses.asdict(card), indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    _copy_inference_code(directory / "code")
    return card


def check_model_files(directory: Path, *, classifier: bool = False) -> None:
    """Check that `directory` holds an encoder-decoder model (for a classifier: an encoder) as safetensors and its
    tokenizer.

    Raises:
        ModelError: a file is missing, or the model is of another kind. Names what is missing.
    """
    try:
        config = json.loads((directory / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(f"{CONFIG} is missing from the model directory") from error
    except json.JSONDecodeError as error:
        raise ModelError(f"{CONFIG} is not JSON: {error}") from error
    if config.get("is_encoder_decoder", False) is classifier:
        wanted = "an encoder" if classifier else "a sequence-to-sequence model"
        raise ModelError(f"{wanted} is needed, this one is of type {config.get('model_type')!r}")
    if not _weight_files(directory):
        raise ModelError("the model directory holds no weights as *.safetensors")
    index = directory / "model.safetensors.index.json"
    if index.exists():
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        missing = sorted(shard for shard in shards if not (directory / shard).exists())
        if missing:
            raise ModelError(f"weight files are missing from the model directory: {', '.join(missing)}")
    if not any((directory / name).exists() for name in TOKENIZER_FILES):
        raise ModelError(f"the model directory holds no tokenizer ({' or '.join(TOKENIZER_FILES)})")


def weights_sha256(directory: Path) -> str:
    """SHA-256 over names and contents of the weight files, so that the same weights have the same name everywhere."""
    digest = hashlib.sha256()
    for path in _weight_files(directory):
        digest.update(path.name.encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@contextlib.contextmanager
def unpacked_model(path: Path) -> Iterator[Path]:
    """Yield the directory of the model at `path`: a directory, an archive of one, or a directory that holds an archive.

    An archive is unpacked into a temporary directory that is removed afterwards. It may have any name (`*.tar.gz`), and
    a model may lie one folder deeper, since other makers' archives differ in both.

    Raises:
        ModelError: there is no model, there are several archives, or the archive is broken or reaches outside its own
            directory.
    """
    archive = _archive_at(path)
    if archive is None:
        yield _model_root(path)
        return
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        try:
            with tarfile.open(archive, "r:gz") as tar:
                unpack(tar, Path(folder))
        except FileNotFoundError as error:
            raise ModelError(f"there is no model at {path}") from error
        except (tarfile.TarError, EOFError, OSError) as error:
            raise ModelError(f"{archive.name} cannot be unpacked: {type(error).__name__}: {error}") from error
        yield _model_root(Path(folder))


def _archive_at(path: Path) -> Path | None:
    """The archive that `path` is or holds; None where the files lie there as they are."""
    if not path.is_dir():
        return path
    archives = sorted(path.glob("*.tar.gz"))
    if not archives or (_model_root(path) / CONFIG).is_file():
        return None
    if len(archives) > 1:
        raise ModelError(f"there must be one archive of a model, found {', '.join(a.name for a in archives)}")
    return archives[0]


def _model_root(folder: Path) -> Path:
    """`folder`, or the one folder in it that holds the model."""
    nested = [path.parent for path in sorted(folder.glob(f"*/{CONFIG}"))]
    return nested[0] if len(nested) == 1 and not (folder / CONFIG).is_file() else folder


def _weight_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.safetensors"))


def _copy_inference_code(code: Path) -> None:
    here = Path(__file__).parent
    shutil.rmtree(code, ignore_errors=True)
    (code / "training").mkdir(parents=True)
    shutil.copyfile(here / "inference.py", code / "inference.py")
    for module in INFERENCE_MODULES:
        shutil.copyfile(here / f"{module}.py", code / "training" / f"{module}.py")
    # The endpoint's image has neither package. Of nltk only the stemmer is needed, without what nltk itself imports.
    _copy_files(Path(inspect.getfile(PorterStemmer)).parent.parent, STEMMER_FILES, code / "nltk")
    _copy_files(Path(inspect.getfile(bm25s)).parent, SEARCH_FILES, code / "bm25s")


def _copy_files(package: Path, files: Sequence[str], target: Path) -> None:
    """Copy some files of a package; each of their folders gets an `__init__.py`, empty unless it is among the files."""
    for name in files:
        copied = target / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        (copied.parent / "__init__.py").touch()
        shutil.copyfile(package / name, copied)
