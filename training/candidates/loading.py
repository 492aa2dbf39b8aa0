"""From a candidate's arguments to something that can be asked.

What loads models is imported only where one is loaded: it takes seconds and memory that a handler may need itself.
"""

from pathlib import Path

from training.candidates.arguments import BEDROCK, CUSTOM, FINE_TUNED, CandidateArguments
from training.candidates.bedrock import BedrockCandidate
from training.candidates.handler import HandlerCandidate
from training.candidates.outcomes import Asker
from training.candidates.sagemaker_endpoint import EndpointCandidate
from training.candidates.services import Backoff
from training.remote_models import BEDROCK_RUNTIME, SAGEMAKER_RUNTIME, client_of

# Texts a call of a container of somebody's own; what JumpStart serves foundation models in takes one.
TEXTS_A_CALL_OF_CONTAINER = 8


def load_asker(arguments: CandidateArguments, scratch: Path) -> Asker:
    """Load the model or handler, or make the client. `scratch` is a folder for what is fetched.

    Raises:
        ModelError: it cannot be loaded.
        ArgumentError: it cannot write answers of that length.
    """
    if arguments.kind == BEDROCK:
        assert arguments.model_id is not None and arguments.max_new_tokens is not None
        client = client_of(BEDROCK_RUNTIME)
        return BedrockCandidate(client, arguments.model_id, arguments.max_new_tokens, Backoff())
    if arguments.endpoint is not None:
        return _endpoint(arguments, arguments.endpoint)
    if arguments.handler is not None:
        return HandlerCandidate(arguments.handler, arguments.batch_size)
    if arguments.kind == FINE_TUNED:
        from training.candidates.fine_tuned import load_fine_tuned

        return load_fine_tuned(arguments)
    from training.candidates.loaded_model import load_foundation

    return load_foundation(arguments, scratch)


def _endpoint(arguments: CandidateArguments, endpoint: str) -> EndpointCandidate:
    own_container = arguments.kind == CUSTOM
    texts = arguments.batch_size or (TEXTS_A_CALL_OF_CONTAINER if own_container else 1)
    parameters = {} if arguments.max_new_tokens is None else {"max_new_tokens": arguments.max_new_tokens}
    if not own_container:
        parameters["do_sample"] = False
    return EndpointCandidate(
        client_of(SAGEMAKER_RUNTIME),
        endpoint,
        parameters,
        Backoff(),
        texts_a_call=texts,
        as_list=own_container or texts > 1,
    )
