"""Samples beside the greedy answer: of the model's distribution, whatever shares the batch, without ended rows."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BartConfig, BartForConditionalGeneration, GenerationConfig

from tests.training.tiny_similar import build_tiny_copying_model
from training.errors import ModelError
from training.generation import GenerationParameters, TextGenerator
from training.sampling import SamplingNoise, draw_rows

TEXTS = ["There is a nodule on the left, seen in view 7.", "The lungs are clear.", "A fracture on the right. " * 4]


@pytest.fixture(scope="module", params=["T5", "copying"])
def generator(
    request: pytest.FixtureRequest, answering_model_directory: Path, tmp_path_factory: pytest.TempPathFactory
) -> TextGenerator:
    """Models with two kinds of memory: transformers' keys and values, and the copying model's own."""
    if request.param == "T5":
        return TextGenerator.load(answering_model_directory)
    return TextGenerator.load(
        build_tiny_copying_model(tmp_path_factory.mktemp("copying") / "model", steps=40, prompt_template="{input}")
    )


def test_first_tokens_come_as_often_as_the_model_says(generator: TextGenerator) -> None:
    (question,) = generator.questions(TEXTS[:1])
    prompt = torch.tensor([question.prompt])
    start = torch.tensor([[generator.model.config.decoder_start_token_id]])
    with torch.inference_mode():
        logits = generator.model(input_ids=prompt, decoder_input_ids=start).logits[0, -1]
    temperature, count = 0.7, 20_000
    noise = SamplingNoise([question.prompt], count, temperature, seed=5)
    chosen = noise.add_to(logits.repeat(1 + count, 1), torch.arange(1 + count)).argmax(-1).tolist()
    assert chosen[0] == int(logits.argmax())
    expected = (logits / temperature).softmax(-1)
    found = Counter(chosen[1:])
    for token in expected.argsort(descending=True)[:8].tolist():
        deviation = float((expected[token] * (1 - expected[token]) / count).sqrt())
        assert found[token] / count == pytest.approx(float(expected[token]), abs=4.5 * deviation), token


def test_what_shares_the_batch_changes_nothing(generator: TextGenerator) -> None:
    parameters = GenerationParameters(method="mbr", samples=6, max_new_tokens=20)
    questions = generator.questions(TEXTS)
    alone = [generator.draw([question], parameters, 7)[0] for question in questions]
    assert generator.draw(questions, parameters, 21) == alone
    assert len({text for texts in alone for text in texts}) > 6
    assert generator.draw(questions, GenerationParameters(method="mbr", samples=6, seed=1), 21) != alone


def test_the_first_row_is_what_transformers_gives(generator: TextGenerator) -> None:
    questions = generator.questions(TEXTS)
    greedy = generator.generate(questions, GenerationParameters(method="greedy", max_new_tokens=20), 3)
    drawn = generator.draw(questions, GenerationParameters(method="mbr", samples=3, max_new_tokens=20), 12)
    assert [texts[0] for texts in drawn] == [texts[0] for texts in greedy]


def test_a_row_that_has_ended_is_not_computed(generator: TextGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    parameters = GenerationParameters(method="mbr", samples=15, max_new_tokens=24)
    computed: list[int] = []
    forward = generator.model.forward

    def counted(*given: Any, **named: Any) -> Any:
        computed.append(len(named["decoder_input_ids"]))
        return forward(*given, **named)

    monkeypatch.setattr(generator.model, "forward", counted)
    config = parameters.generation_config(generator.model.generation_config)
    prompts = [question.prompt for question in generator.questions(TEXTS)]
    batch = generator.tokenizer.pad({"input_ids": prompts}, return_tensors="pt")
    noise = SamplingNoise(prompts, 15, 1.0, seed=1)
    with torch.inference_mode():
        answers = draw_rows(generator.model, batch, noise, config)
    assert len(answers) == 48 and max(map(len, answers)) == len(computed)
    assert computed == [sum(len(answer) > place for answer in answers) for place in range(len(computed))]
    assert min(map(len, answers)) < max(map(len, answers)), "equal lengths would say nothing"
    ends = generator.model.generation_config.eos_token_id
    assert all((answer[-1] == ends) != (len(answer) == 24 and answer[-1] != ends) for answer in answers)
    assert all(ends not in answer[:-1] for answer in answers)


def tiny_bart() -> BartForConditionalGeneration:
    torch.manual_seed(0)
    config = BartConfig(
        vocab_size=60, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, max_position_embeddings=64,
        decoder_start_token_id=2,
    )  # fmt: skip
    return BartForConditionalGeneration(config).eval()


def test_an_answer_begins_and_ends_as_the_model_demands() -> None:
    """BART's generation configurations force the first and the last token."""
    model = tiny_bart()
    generation = GenerationConfig(
        max_new_tokens=9, decoder_start_token_id=2, eos_token_id=[2, 3], pad_token_id=1, bos_token_id=0,
        forced_bos_token_id=7, forced_eos_token_id=2,
    )  # fmt: skip
    prompts = [[0, 11, 12, 13, 2], [0, 21, 22, 23, 24, 25, 2]]
    padded = {
        "input_ids": torch.tensor([[*prompts[0], 1, 1], prompts[1]]),
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1, 0, 0], [1] * 7]),
    }
    with torch.inference_mode():
        answers = draw_rows(model, padded, SamplingNoise(prompts, 4, 1.5, seed=2), generation)
        expected = model.generate(**padded, generation_config=generation)[:, 1:].tolist()
    assert len(answers) == 10 and len(set(map(tuple, answers))) > 2
    for answer in answers:
        assert answer[0] == 7 and answer[-1] in (2, 3) and len(answer) <= 9
    for place, greedy in ((0, expected[0]), (5, expected[1])):
        assert answers[place] == greedy[: len(answers[place])]


def test_where_the_generation_configuration_is_silent_the_models_own_is_asked() -> None:
    """As transformers does; without an end token every answer is as long as it may be."""
    model, prompt = tiny_bart(), [0, 11, 12, 13, 2]
    padded = {"input_ids": torch.tensor([prompt]), "attention_mask": torch.ones(1, 5, dtype=torch.long)}
    silent = GenerationConfig(max_new_tokens=6, pad_token_id=1)

    def drawn() -> list[list[int]]:
        return draw_rows(model, padded, SamplingNoise([prompt], 3, 1.0, seed=2), silent)

    with torch.inference_mode():
        answers = drawn()
        said = GenerationConfig(max_new_tokens=6, pad_token_id=1, decoder_start_token_id=2)
        # But for the last token, which transformers takes from the model's own generation configuration.
        assert answers[0][:-1] == model.generate(**padded, generation_config=said)[0, 1:-1].tolist()
        assert [len(answer) for answer in answers] == [6] * 4
        model.config.decoder_start_token_id = None
        with pytest.raises(ModelError, match="how answers begin"):
            drawn()
