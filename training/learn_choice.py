"""Learning after training by what an answer is chosen (training/answer_choice.py): words from the training records, the
weights of the views from validation records, whose answers the model has not seen."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import nnls

from training.answer_choice import EQUAL, VIEWS, AnswerChoice, Asked, views
from training.expected_words import ExpectedWords
from training.generation import GenerationParameters, TextGenerator
from training.rouge_l import rouge_l
from training.splits import Record, draw_records

# As many tell four weights well enough, and to ask the model so often takes a while.
RECORDS = 200
# Keeps weights near to equal ones as long as only a handful of records speaks against it.
CAUTION = 5.0


def learn_choice(
    generator: TextGenerator, train: Iterable[Record], validation: Iterable[Record], parameters: GenerationParameters
) -> AnswerChoice:
    """For a model with similar reports; `parameters` is how it will be asked. Records that are longer than the model
    reads teach nothing here: what answers a whole text is not among the candidates for its pieces."""
    drawn = draw_records(validation, RECORDS)
    words = AnswerChoice(expected=ExpectedWords.learn(train))
    prompt = generator.prompt()
    lengths = prompt.lengths([record.input for record in drawn])
    records = [record for record, tokens in zip(drawn, lengths, strict=True) if tokens <= prompt.max_input_tokens]
    if not records:
        return words
    asking = TextGenerator(generator.model, generator.tokenizer, generator.card, generator.similar, words)
    questions = asking.questions([record.input for record in records])
    asked = asking.ask(questions, parameters, asking.sequences_a_call)
    return AnswerChoice(learn_shares(asked, [record.target for record in records]), words.expected)


def learn_shares(asked: Sequence[Asked], references: Sequence[str]) -> tuple[float, ...]:
    """Weights of VIEWS that bring each candidate's sum nearest to its ROUGE-L against the reference.

    Only differences between the candidates of one input count, since only among them is there a choice.
    """
    rows, scores = [np.sqrt(CAUTION) * np.identity(len(VIEWS))], [np.sqrt(CAUTION) * np.array(EQUAL)]
    for one, reference in zip(asked, references, strict=True):
        candidates = one.candidates
        table = views(candidates, one)
        truth = np.array([rouge_l(candidate, reference) for candidate in candidates])
        rows.append(table - table.mean(axis=0))
        scores.append(truth - truth.mean())
    shares, _ = nnls(np.concatenate(rows), np.concatenate(scores))
    return tuple(float(share) for share in shares)
