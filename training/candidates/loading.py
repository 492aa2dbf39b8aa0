"""From a candidate's arguments to something that can be asked."""

from pathlib import Path

import boto3

from training.candidates.arguments import BEDROCK, CUSTOM, FINE_TUNED, CandidateArguments
from training.candidates.bedrock import BedrockCandidate
from training.candidates.fine_tuned import FineTunedCandidate
from training.candidates.handler import HandlerCandidate
from training.candidates.loaded_model import LoadedCandidate
from training.candidates.outcomes import Asker
from training.candidates.sagemaker_endpoint import EndpointCandidate
from training.candidates.services import Backoff
from training.generation import TextGenerator
from training.hub_commit import newest_commit
from training.hub_download import commit_of, download_model
from training.language_model import LanguageModel
from training.model_directory import unpacked_model
from training.remote_models import BEDROCK_RUNTIME, RETRIES, SAGEMAKER_RUNTIME

# Texts a call of a container of somebody's own; what JumpStart serves foundation models in takes one.
TEXTS_A_CALL_OF_CONTAINER = 8


def load_asker(arguments: CandidateArguments, scratch: Path) -> Asker:
    """Load the model or handler, or make the client. `scratch` is a folder for what is fetched.

    Raises:
        ModelError: it cannot be loaded.
        ArgumentError: it cannot write answers of that length.
    """
    if arguments.kind == BEDROCK:
        client = boto3.client(BEDROCK_RUNTIME, config=RETRIES)
        return BedrockCandidate(client, str(arguments.model_id), arguments.max_new_tokens or 0, Backoff())
    if arguments.endpoint is not None:
        return _endpoint(arguments, arguments.endpoint)
    if arguments.handler is not None:
        return HandlerCandidate(arguments.handler, arguments.batch_size)
    if arguments.kind == FINE_TUNED:
        assert arguments.model is not None
        with unpacked_model(arguments.model) as directory:
            generator = TextGenerator.load(directory)
        return FineTunedCandidate(generator, arguments.max_new_tokens, arguments.batch_size)
    loaded = LanguageModel.load(arguments.model or _downloaded(arguments, scratch))
    return LoadedCandidate(loaded, arguments.max_new_tokens or 0, arguments.batch_size)


def _endpoint(arguments: CandidateArguments, endpoint: str) -> EndpointCandidate:
    own_container = arguments.kind == CUSTOM
    texts = arguments.batch_size or (TEXTS_A_CALL_OF_CONTAINER if own_container else 1)
    parameters = {} if arguments.max_new_tokens is None else {"max_new_tokens": arguments.max_new_tokens}
    if not own_container:
        parameters["do_sample"] = False
    return EndpointCandidate(
        boto3.client(SAGEMAKER_RUNTIME, config=RETRIES),
        endpoint,
        parameters,
        Backoff(),
        texts_a_call=texts,
        as_list=own_container or texts > 1,
    )


def _downloaded(arguments: CandidateArguments, scratch: Path) -> Path:
    model_id = str(arguments.model_id)
    folder = scratch / "model"
    folder.mkdir()
    download_model(model_id, arguments.revision or commit_of(model_id, newest_commit), folder, None)
    return folder
