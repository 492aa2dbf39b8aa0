"""Templates of texts, and how they are written out.

A template is plain text with `{slot}`, which is a phrase (itself one of several templates) or a word of the scene, and
`[one|or|other]`, which may nest and may be empty: `[a|b|]`.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(r"(\{[^{}]*\}|[\[\]|])")
_SENTENCE_START = re.compile(r"(?:^|[.?!] )([a-z])")


class TemplateError(ValueError):
    """A template cannot be read; the message holds the template."""


@dataclass(frozen=True)
class Slot:
    """A place that a phrase or a word of the scene takes."""

    name: str


@dataclass(frozen=True)
class Choice:
    """One of several ways to say it."""

    options: tuple["Parsed", ...]


Parsed = tuple[str | Slot | Choice, ...]


@dataclass(frozen=True)
class Piece:
    """A stretch of text. A mention has a `kind` ("drug", "effect") and the `name` of what it mentions."""

    text: str
    kind: str = ""
    name: str = ""


@dataclass(frozen=True)
class Mention:
    """Where a text mentions something: `text[start:end]` is how it is written there, `name` what is meant."""

    kind: str
    name: str
    start: int
    end: int


def parse(template: str) -> Parsed:
    """Read a template.

    Raises:
        TemplateError: brackets do not match, or something stands outside of them that cannot.
    """
    tokens = [token for token in _TOKEN.split(template) if token]
    parsed, rest = _sequence(tokens, template)
    if rest:
        raise TemplateError(f"{template!r}: {rest[0]!r} has no bracket before it")
    return parsed


def _sequence(tokens: list[str], template: str) -> tuple[Parsed, list[str]]:
    """What stands before the next `|` or `]` on this level, and the tokens from there on."""
    nodes: list[str | Slot | Choice] = []
    while tokens and tokens[0] not in ("|", "]"):
        token, tokens = tokens[0], tokens[1:]
        if token == "[":
            choice, tokens = _choice(tokens, template)
            nodes.append(choice)
        else:
            nodes.append(Slot(token[1:-1]) if token.startswith("{") else token)
    return tuple(nodes), tokens


def _choice(tokens: list[str], template: str) -> tuple[Choice, list[str]]:
    options = []
    while True:
        option, rest = _sequence(tokens, template)
        options.append(option)
        if not rest:
            raise TemplateError(f"{template!r}: a bracket is not closed")
        tokens = rest[1:]
        if rest[0] == "]":
            return Choice(tuple(options)), tokens


def slots(parsed: Parsed) -> Iterator[str]:
    """The names of all slots, in every alternative."""
    for node in parsed:
        if isinstance(node, Slot):
            yield node.name
        elif isinstance(node, Choice):
            for option in node.options:
                yield from slots(option)


def write(
    parsed: Parsed,
    fill: Callable[[str], Parsed | list[Piece]],
    pick: Callable[[Choice], Parsed],
) -> list[Piece]:
    """Write a template out: `fill` says what stands in a slot, `pick` which alternative is taken."""
    pieces: list[Piece] = []
    for node in parsed:
        if isinstance(node, str):
            pieces.append(Piece(node))
        elif isinstance(node, Choice):
            pieces += write(pick(node), fill, pick)
        else:
            filling = fill(node.name)
            pieces += filling if isinstance(filling, list) else write(filling, fill, pick)
    return pieces


def join(pieces: Sequence[Piece]) -> tuple[str, list[Mention]]:
    """The text, without the double spaces that empty alternatives leave, and what it mentions where."""
    text = ""
    mentions = []
    for piece in pieces:
        addition = piece.text
        if addition.startswith(" ") and (not text or text.endswith(" ")):
            addition = addition[1:]
        if addition.lstrip(" ")[:1] in tuple(".,;:?!"):
            text, addition = text.rstrip(" "), addition.lstrip(" ")
        start = len(text)
        text += addition
        if piece.kind:
            mentions.append(Mention(piece.kind, piece.name, start, len(text)))
    return text.rstrip(" "), mentions


def sentence_case(text: str) -> str:
    """With a capital at the start of each sentence; as long as before, so that mentions stay where they are."""
    return _SENTENCE_START.sub(lambda match: match[0][:-1] + match[1].upper(), text)
