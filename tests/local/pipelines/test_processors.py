"""How jobs share a machine's processors."""

import pytest

from local.emulator.pipelines.processors import Share, share


@pytest.mark.parametrize(
    ("processors", "steps", "threads"), [(1, 1, 1), (2, 1, 2), (3, 1, 2), (4, 2, 2), (5, 2, 2), (8, 2, 4), (64, 2, 32)]
)
def test_two_steps_run_at_a_time_where_each_has_two_processors_of_its_own(
    processors: int, steps: int, threads: int
) -> None:
    assert share(processors, {}) == Share(steps, threads)


def test_who_sets_the_threads_of_a_job_gets_them() -> None:
    assert share(2, {"OMP_NUM_THREADS": "1"}) == Share(2, 1)
    assert share(8, {"OMP_NUM_THREADS": "8"}) == Share(1, 8)
    assert share(2, {"OMP_NUM_THREADS": "16"}) == Share(1, 16)


@pytest.mark.parametrize("wanted", ["", "0", "-1", "many", "1,2"])
def test_what_is_no_number_of_threads_is_named(wanted: str) -> None:
    with pytest.raises(ValueError, match=f"OMP_NUM_THREADS must be a whole number above 0, got {wanted!r}"):
        share(2, {"OMP_NUM_THREADS": wanted})
