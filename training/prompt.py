"""How a record's input becomes what the model reads: the same in training, evaluation and at the endpoint."""

from training.errors import ArgumentError

PLACEHOLDER = "{input}"


def check_prompt_template(template: str) -> str:
    """Return `template` unchanged.

    Raises:
        ArgumentError: it does not hold `{input}` exactly once, so a text would be lost or doubled.
    """
    if template.count(PLACEHOLDER) != 1:
        raise ArgumentError(
            f"prompt_template must contain {PLACEHOLDER} exactly once, got {template.count(PLACEHOLDER)} times"
        )
    return template


def render_prompt(template: str, text: str) -> str:
    """Put `text` into `template`. Not `str.format`: reports and templates may contain braces."""
    return template.replace(PLACEHOLDER, text)
