"""At which commit a model of the Hugging Face hub is. Needs nothing but the standard library, and network."""

import json
import urllib.parse
import urllib.request

_API = "https://huggingface.co/api/models/"
_TIMEOUT_SECONDS = 30


def newest_commit(model_id: str) -> str:
    """The commit, 40 hexadecimal digits, of the model's main branch.

    Raises:
        OSError: the hub cannot be reached, or has no such model.
        ValueError, KeyError: it answers with something else.
    """
    with urllib.request.urlopen(_API + urllib.parse.quote(model_id), timeout=_TIMEOUT_SECONDS) as answer:
        return str(json.load(answer)["sha"])
