"""Which processes compute where, over what they exchange, and that they always part."""

import pytest
import torch
import torch.distributed as dist

from trainer.distributed import World, join_world


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The second of two processes on one machine, and what it asked of torch."""
    names: list[str] = []
    for name, value in (("WORLD_SIZE", "2"), ("LOCAL_WORLD_SIZE", "2"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(dist, "init_process_group", names.append)
    monkeypatch.setattr(dist, "new_group", lambda **_: None)
    monkeypatch.setattr(dist, "destroy_process_group", lambda: names.append("left"))
    monkeypatch.setattr(dist, "get_rank", lambda: 1)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda card: names.append(f"card {card}"))
    return names


@pytest.mark.parametrize(
    ("device", "num_cards", "wanted", "place"),
    [
        ("auto", 2, ["card 1", "cpu:gloo,cuda:nccl", "left"], torch.device("cuda", 1)),
        # One card for two processes: all go without, since a run cannot mix the two.
        ("auto", 1, ["gloo", "left"], torch.device("cpu")),
        ("auto", 0, ["gloo", "left"], torch.device("cpu")),
        ("cpu", 2, ["gloo", "left"], torch.device("cpu")),
        ("cuda", 2, ["card 1", "cpu:gloo,cuda:nccl", "left"], torch.device("cuda", 1)),
    ],
)
def test_cards_exchange_over_nccl_and_processors_over_gloo(
    device: str,
    num_cards: int,
    wanted: list[str],
    place: torch.device,
    calls: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: num_cards)
    with join_world(device) as world:
        assert world == World(1, 2, place)
        assert not world.is_main
        assert world.machine_share == (1, 2)
    assert calls == wanted


def test_an_error_leaves_the_group_too(calls: list[str]) -> None:
    with pytest.raises(ZeroDivisionError), join_world("cpu"):
        _ = 1 / 0
    assert calls == ["gloo", "left"]


def test_fewer_cards_than_processes_are_told(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    message = "expected a CUDA device for each of 2 processes, found 1"
    with pytest.raises(ValueError, match=message), join_world("cuda"):
        pass
    assert calls == []


def test_a_process_alone_joins_no_group(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name)
    with join_world("cpu") as world:
        assert world == World(0, 1, torch.device("cpu"))
        assert world.sum([1.5, 2]) == [1.5, 2]
        assert world.decide(True) and not world.decide(False)
    assert calls == []
