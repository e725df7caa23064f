"""Learning rates against the reference's."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from baseline.schedule import cosine_schedule, scaled_rate


@pytest.mark.parametrize(
    ("name", "peak", "last", "epochs", "steps", "warmup"),
    [
        ("pretrain", 3e-4, 1e-5, 10, 7, 2),
        ("finetune", scaled_rate(1e-3, 96), scaled_rate(1e-6, 96), 6, 5, 1),
    ],
)
def test_rates_are_those_of_the_reference(parity, name, peak, last, epochs, steps, warmup):
    theirs = load_file(parity / "ssl_aux.safetensors")[f"schedule/{name}"]
    ours = cosine_schedule(peak, last, epochs=epochs, steps=steps, warmup_epochs=warmup)
    assert ours.dtype == np.float64
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-18)


def test_rise_and_fall_by_hand():
    rates = cosine_schedule(1.0, 0.2, epochs=3, steps=3, warmup_epochs=1, first=0.5)
    fall = [0.2 + 0.4 * (1 + np.cos(np.pi * step / 6)) for step in range(6)]
    np.testing.assert_allclose(rates, [0.5, 0.75, 1.0, *fall])


def test_a_training_shorter_than_its_warmup_only_rises():
    np.testing.assert_allclose(cosine_schedule(1.0, 0.0, epochs=2, steps=2, warmup_epochs=5), [0, 1 / 3, 2 / 3, 1])


def test_without_a_warmup_the_first_step_is_at_the_peak():
    assert cosine_schedule(1.0, 0.0, epochs=1, steps=4, warmup_epochs=0)[0] == 1.0


def test_rates_of_a_batch():
    assert scaled_rate(3e-4, 160) == pytest.approx(1.875e-4)  # the released MAE-DFER
