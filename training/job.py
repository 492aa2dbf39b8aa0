"""How every job script starts and ends: typed arguments in, one clear message out.

A script declares a frozen dataclass of arguments and a `main(arguments)`, and ends with

    if __name__ == "__main__":
        run_job(Arguments, main)

SageMaker shows what a job wrote to its message file (`/opt/ml/output/message` for processing,
`/opt/ml/output/failure` for training) as the reason of the step's failure, at most 1024 characters of it.
"""

import argparse
import dataclasses
import itertools
import json
import sys
import types
import typing
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from training.errors import ArgumentError, ReportTuningError

MESSAGE_LIMIT = 1024

Arguments = TypeVar("Arguments")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> typing.NoReturn:
        raise ArgumentError(f"{self.prog}: {message}")


def parse_arguments(kind: type[Arguments], argv: Sequence[str], program: str = "job") -> Arguments:
    """Turn `--name value` pairs into the dataclass `kind`.

    Field `max_input_tokens: int` is read from `--max-input-tokens` or `--max_input_tokens`. Supported types are
    str, int, float, bool (`true` or `false`), Path and each of them `| None` (an empty value means None); a
    `tuple[Path, ...]` takes one value or more. Values may be JSON-quoted, since one version of the SageMaker SDK quotes
    hyperparameters and another does not.

    Raises:
        ArgumentError: an argument is unknown, missing, or not of its type; also what `kind` itself raises.
    """
    parser = _Parser(prog=program, allow_abbrev=False)
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]  # every caller passes a dataclass
        names = {f"--{field.name.replace('_', '-')}", f"--{field.name}"}
        hint = hints[field.name]
        is_list = typing.get_origin(hint) is tuple
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        parser.add_argument(
            *sorted(names),
            dest=field.name,
            required=required,
            default=argparse.SUPPRESS,
            type=_converter(field.name, typing.get_args(hint)[0] if is_list else hint),
            nargs="+" if is_list else None,
        )
    values = vars(parser.parse_args(list(argv)))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items()})


def argument_list(arguments: Any) -> list[str]:
    """Command-line arguments of which `parse_arguments` makes the same dataclass; those that are None are left out."""
    given = ((field.name, getattr(arguments, field.name)) for field in dataclasses.fields(arguments))
    return [f"--{name.replace('_', '-')}={json.dumps(_plain(value))}" for name, value in given if value is not None]


def save_arguments(arguments: Any, path: Path) -> None:
    """Write the resolved arguments as JSON, so that a result can always be told apart from another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    resolved = {name: _plain(value) for name, value in dataclasses.asdict(arguments).items()}
    path.write_text(json.dumps(resolved, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def run_job(kind: type[Arguments], main: Callable[[Arguments], None], message_file: Path | None = None) -> None:
    """Parse `sys.argv`, run `main`, and turn this project's own errors into a message file and exit status 1.

    The message file is the one of `--message-file`, or else `message_file`.
    Any other exception is a defect: it keeps its traceback, and the message file names only its type, because the
    text of a foreign exception may quote clinical text.
    """
    program = Path(sys.argv[0]).name
    # Found before the arguments are parsed, so that a mistake in them is said there too.
    target = _message_file(sys.argv[1:]) or message_file
    try:
        arguments = parse_arguments(kind, sys.argv[1:], program)
        main(arguments)
    except ReportTuningError as error:
        _write_message(target, f"{type(error).__name__}: {error}")
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        raise SystemExit(1) from error
    except Exception as error:
        _write_message(target, f"{program} failed unexpectedly with {type(error).__name__}; see the job's log")
        raise


def _message_file(argv: Sequence[str]) -> Path | None:
    for name, value in itertools.pairwise(argv):
        if name in ("--message-file", "--message_file"):
            return Path(value)
    return None


def _write_message(path: Path | None, message: str) -> None:
    if path is None:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(message[:MESSAGE_LIMIT], encoding="utf-8")


def _converter(name: str, hint: Any) -> Callable[[str], Any]:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    optional = type(None) in kinds
    (kind,) = (k for k in kinds if k is not type(None))
    if kind not in (str, int, float, bool, Path):
        raise TypeError(f"argument {name}: unsupported type {hint}")

    def convert(text: str) -> Any:
        text = _unquote(text)
        if optional and text == "":
            return None
        if kind is bool:
            if text.lower() not in ("true", "false"):
                raise argparse.ArgumentTypeError(f"must be true or false, got {text!r}")
            return text.lower() == "true"
        try:
            return kind(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(f"must be {kind.__name__}, got {text!r}") from error

    return convert


def _unquote(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            return text
        return value if isinstance(value, str) else text
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, Path) else value
