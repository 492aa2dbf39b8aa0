"""How a record's input becomes what the model reads: the same in training, evaluation and at the endpoint.

A prompt template holds `{input}` and, for a model that is shown what was written of similar reports, `{similar}` behind
it. What stands between them, and behind, is the task's own text.
"""

from training.errors import ArgumentError

PLACEHOLDER = "{input}"
SIMILAR_PLACEHOLDER = "{similar}"


def check_prompt_template(template: str) -> str:
    """Return `template` unchanged.

    Raises:
        ArgumentError: it does not hold `{input}` exactly once, so a text would be lost or doubled, or holds `{similar}`
            twice or in front of `{input}`.
    """
    if template.count(PLACEHOLDER) != 1:
        raise ArgumentError(
            f"prompt_template must contain {PLACEHOLDER} exactly once, got {template.count(PLACEHOLDER)} times"
        )
    if template.count(SIMILAR_PLACEHOLDER) > 1 or SIMILAR_PLACEHOLDER in template.partition(PLACEHOLDER)[0]:
        raise ArgumentError(f"prompt_template may contain {SIMILAR_PLACEHOLDER} once, behind {PLACEHOLDER}")
    return template


def shows_similar(template: str) -> bool:
    """Whether the model is shown what was written of similar reports."""
    return SIMILAR_PLACEHOLDER in template


def render_prompt(template: str, text: str) -> str:
    """Put `text` into `template`. Not `str.format`: reports and templates may contain braces."""
    return template.replace(PLACEHOLDER, text)
