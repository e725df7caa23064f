"""The memory against its formula, frame by frame."""

import torch

from toolkit.models.gated_memory import GatedMemory


def test_frame_by_frame():
    torch.manual_seed(0)
    module = GatedMemory(width=5, hidden=4, memory=3, dropout=0.3).eval()
    seen = torch.randn(6, 2, 5)
    memories = module(seen)
    assert memories.shape == (7, 2, 3)
    expected = torch.zeros(2, 3)
    for step in range(6):
        torch.testing.assert_close(memories[step], expected, rtol=0, atol=1e-6)
        both = torch.cat([seen[step], expected], dim=1)
        retain, update = module.retain(both).sigmoid(), module.update(both).sigmoid()
        expected = retain * expected + update * module.candidate(seen[step]).tanh()
    torch.testing.assert_close(memories[6], expected, rtol=0, atol=1e-6)


def test_dropout_is_drawn_for_every_frame_and_gate():
    """With weights of one and nothing in the memory, a gate's inner numbers are either dropped or doubled."""
    torch.manual_seed(0)
    module = GatedMemory(width=1, hidden=1, memory=1, dropout=0.5).train()
    for gate in (module.retain, module.update, module.candidate):
        for layer in (gate[0], gate[3]):
            torch.nn.init.ones_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    with torch.no_grad():
        module.retain[0].weight[0, 1] = module.update[0].weight[0, 1] = 0  # the gates look at the frame only
        module.retain[3].bias.fill_(-100)  # nothing is retained
        module.candidate[3].weight.zero_()
        module.candidate[3].bias.fill_(100)  # the candidate is 1
    memories = module(torch.ones(200, 50, 1))[1:]
    dropped, doubled = torch.tensor(0.0).sigmoid(), torch.tensor(2.0).sigmoid()
    is_dropped, is_doubled = (torch.isclose(memories, value) for value in (dropped, doubled))
    assert (is_dropped | is_doubled).all()
    share = is_dropped.float().mean(dim=1).squeeze()  # of each frame
    assert abs(share.mean() - 0.5) < 0.03
    assert share.std() > 0.03  # drawn anew for every frame and clip: 0.07
    assert not torch.equal(is_dropped[0], is_dropped[1])
