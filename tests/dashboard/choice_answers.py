"""What the queries about a choice answer to rows of the tables, computed without SQL."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from stacks.dashboard.report.data_sets import LONG, LOSS, MEDIAN, NEW_ERRORS
from tests.dashboard.candidate_rows import Row
from training.table_schemas import FINE_TUNED, PRETRAINED


def choice(found: Sequence[Row]) -> list[Row]:
    kept = (
        *("evaluation_set", "candidate", "rouge_l", "rouge_l_low", "rouge_l_high", "against_fine_tuned"),
        *("clinical_errors", "clinical_errors_low", "clinical_errors_high"),
        *("seconds_per_1000", "dollars_per_1000", "needs", "verdict"),
    )

    def by_score(row: Row) -> tuple[float, str]:
        return (-1 if row["rouge_l"] is None else row["rouge_l"]) * -1, row["candidate"]

    by_place = sorted(found, key=lambda row: (row["evaluation_set"], not row["recommended"], *by_score(row)))
    by_rouge_l = sorted(found, key=lambda row: (row["evaluation_set"], *by_score(row)))
    return [
        {name: row[name] for name in kept}
        | {
            "set_and_candidate": _named(found, row),
            "kind": row["kind"].replace("_", "-"),
            "answered": f"{row['answered']} of {row['asked']}, {row['status']}"
            + ("" if row["reason"] is None else f": {row['reason']}"),
            "rouge_l_interval": _interval(row, "rouge_l", 3),
            "against_fine_tuned_interval": _interval(row, "against_fine_tuned", 3),
            "clinical_errors_interval": _interval(row, "clinical_errors", 1, factor=100),
            "leaves_account": "yes" if row["leaves_account"] else "no",
            "marked_candidate": _named(found, row) + (" ★ recommended" if row["recommended"] else ""),
            "place": 1 + by_place.index(row),
            "rouge_l_place": 1 + by_rouge_l.index(row),
        }
        for row in found
    ]


def recommendation(found: Iterable[Row], sets: Iterable[str]) -> list[Row]:
    """`sets` are the evaluation sets of the run."""
    rows = []
    for evaluation_set in sets:
        of = [row for row in found if row["evaluation_set"] == evaluation_set]
        chosen = [
            f"Recommended: {row['candidate']}, for {row['verdict'].removeprefix('Recommended: ')}"
            for row in of
            if row["recommended"]
        ]
        sentence = "None is recommended: the table below says why of each."
        if not of:
            sentence = "Nothing was compared: the task file names no candidates, or the step Compare did not end."
        rows.append({"evaluation_set": evaluation_set, "sentence": chosen[0] if chosen else sentence})
    return rows


def errors_by_rule(found: Sequence[Row], errors: Iterable[Row]) -> list[Row]:
    counted = Counter((row["evaluation_set"], row["model"], row["check"]) for row in errors)
    answered = [row for row in found if row["answered"]]
    rows = []
    for row in answered:
        place = (row["evaluation_set"], row["candidate"])
        rules = {rule: passages for (*of, rule), passages in counted.items() if tuple(of) == place}
        rows += [
            {
                "evaluation_set": row["evaluation_set"],
                "candidate": row["candidate"],
                "set_and_candidate": _named(answered, row),
                "rule": rule,
                "per_100_answers": 100 * passages / row["answered"],
            }
            for rule, passages in (rules or {"none found": 0}).items()
        ]
    return rows


def before_and_after(predictions: Iterable[Row], errors: Iterable[Row], example: str) -> list[Row]:
    answers: dict[tuple[str, str], dict[str, Row]] = defaultdict(dict)
    for row in predictions:
        answers[row["evaluation_set"], row["record_id"]][row["model"]] = row
    passages: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in errors:
        passages[row["evaluation_set"], row["record_id"], row["model"]].append((row["check"], row["passage"]))
    gains = {place: of[FINE_TUNED]["rouge_l"] - of[PRETRAINED]["rouge_l"] for place, of in answers.items()}
    rows = []
    for place, gain in gains.items():
        before, after = answers[place][PRETRAINED], answers[place][FINE_TUNED]
        before_errors, after_errors = (sorted(passages[(*place, model)]) for model in (PRETRAINED, FINE_TUNED))
        of_set = sorted((one, record) for (name, record), one in gains.items() if name == place[0])
        orders = {
            LOSS: gain,
            MEDIAN: abs(2 * of_set.index((gain, place[1])) + 1 - len(of_set)),
            NEW_ERRORS: len(before_errors) - len(after_errors),
            LONG: -after["input_words"],
        }
        rows.append(
            {
                "record_id": place[1],
                "evaluation_set": place[0],
                "input": after["input"],
                "reference": after["reference"],
                "before": before["marked"],
                "after": after["marked"],
                "before_score": before["rouge_l"],
                "after_score": after["rouge_l"],
                "gain": gain,
                "before_errors": "\n".join(f"{rule}: {passage}" for rule, passage in before_errors),
                "after_errors": "\n".join(f"{rule}: {passage}" for rule, passage in after_errors),
                "place": orders.get(example, -gain),
            }
        )
    return in_places(rows)


def in_places(rows: Iterable[Row]) -> list[Row]:
    """Rows whose `place` is what they are ordered by, with the place that each then has, from 1."""
    ordered = sorted(rows, key=lambda row: (row["place"], row["evaluation_set"], row["record_id"]))
    return [{**row, "place": number} for number, row in enumerate(ordered, start=1)]


def _named(found: Iterable[Row], row: Row) -> str:
    several = len({one["evaluation_set"] for one in found}) > 1
    return f"{row['evaluation_set']} · {row['candidate']}" if several else str(row["candidate"])


def _interval(row: Row, name: str, decimals: int, factor: int = 1) -> str:
    if row[f"{name}_low"] is None:
        return ""
    low, high = (f"{factor * row[f'{name}_{end}']:.{decimals}f}" for end in ("low", "high"))
    return f"{low} to {high}"
