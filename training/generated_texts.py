"""The form in which endpoints and handlers give the texts that they generate."""

from typing import Any

from training.errors import GenerationError


def generated_texts(answer: Any, count: int, who: str) -> list[str]:
    """The texts of `[{"generated_text": str}, ...]`, one for each of `count` inputs. `who` answered.

    Raises:
        GenerationError: it is of another form, or of more or fewer texts.
    """
    form = f'[{{"generated_text": "..."}}], one entry for each of {count} texts'
    if not isinstance(answer, list) or len(answer) != count:
        got = f"{len(answer)} entries" if isinstance(answer, list) else "no list"
        raise GenerationError(f"{who} answered in another form than {form}: {got}")
    found = (entry.get("generated_text") if isinstance(entry, dict) else None for entry in answer)
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) < count:
        raise GenerationError(f"{who} answered in another form than {form}: an entry without text")
    return texts
