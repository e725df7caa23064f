import pytest
import torch
from torch import nn

from toolkit.models.dropout import LEVELS, Chance
from toolkit.models.network import Sequences
from toolkit.models.translation import AdditiveAttention, TeacherForcing, TranslationEncoder, widened

CPU = torch.device("cpu")


def test_encoder_is_a_bidirectional_lstm_of_each_clip_alone():
    torch.manual_seed(0)
    encoder, theirs = TranslationEncoder(3, 4, 0.0), nn.LSTM(3, 4, bidirectional=True)
    for lstm, ending in ((encoder.forwards, ""), (encoder.backwards, "_reverse")):
        lstm.load_state_dict({key: theirs.get_parameter(f"{key}{ending}") for key in lstm.state_dict()})
    values, lengths = torch.randn(3, 5, 3), [5, 2, 0]
    joint, state = encoder(Sequences(values, torch.tensor(lengths)))
    for row, length in enumerate(lengths[:2]):
        expected, (ends, _) = theirs(values[row, :length])
        torch.testing.assert_close(joint.values[row, :length], expected.unflatten(1, (2, 4)).sum(1))
        torch.testing.assert_close(state[row], (encoder.state.weight @ ends.sum(0)).tanh())
    assert state[2].tolist() == [0, 0, 0, 0]


def test_attention_is_the_weighted_mean_of_the_real_frames():
    attention = AdditiveAttention(1)
    for weight in attention.parameters():
        nn.init.ones_(weight)
    joint = Sequences(torch.tensor([[[1.0], [-1.0], [9.0]], [[4.0], [9.0], [9.0]]]), torch.tensor([2, 1]))
    read = attention(torch.tensor([[0.5], [0.5]]), joint, attention.key(joint.values))
    scores = torch.tensor([1.5, -0.5]).tanh().exp()
    torch.testing.assert_close(read[0, 0], (scores[0] - scores[1]) / scores.sum())
    assert read[1].tolist() == [4]


def test_teacher_forcing_is_by_chance_in_training_only():
    forcing, values = TeacherForcing(0.25), torch.zeros(50, 40, 3)
    forcing.chance = Chance([7], CPU)
    told = forcing(values)
    assert told.tolist() == (Chance([7], CPU).draw((50, 40))[0] < LEVELS / 4).tolist()
    assert abs(told.double().mean() - 0.25) < 0.03
    assert not torch.equal(forcing(values), told)
    assert not forcing.eval()(values).any()
    assert TeacherForcing(1.0)(values).all()
    assert not TeacherForcing(0.0)(values).any()
    with pytest.raises(ValueError, match=r"ratio of 1\.5, expected 0 to 1"):
        TeacherForcing(1.5)


def test_widened():
    assert widened(torch.tensor([[1.0, 2.0]]), 3).tolist() == [[1, 2, 0]]
