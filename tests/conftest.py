"""Fixtures that several kinds of tests share: tiny encoders and checkpoints, made on the spot."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# Before torch is there: threads that share matrices of width 16 wait for each other most of the
# time, and the tests run beside each other anyway.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from hypothesis import settings

from ner_core.checkpoint import Checkpoint, load_encoder, save_checkpoint
from ner_core.formats import read_cluener
from ner_core.labels import CLUENER
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import build_vocabulary
from ner_core.spans import Example
from trainer.encoder_directory import write_encoder
from trainer.new_encoder import make_encoder
from trainer.stepper import processor_has_bfloat16

try:
    import fcntl
except ImportError:  # Windows, where tests run one after the other
    fcntl = None  # type: ignore[assignment]

# A busy machine is not a failed property.
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

TEXTS = (
    "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。",
    "生生不息CSOL生化狂潮让你填弹狂扫",
    "北京市海淀区的王小明总经理在人民大会堂读《红楼梦》，看《英雄》！",
    "今天天气很好，国务院和曼联玩来了，他在长沙公园😀黄河",
)


EIGHT_SENTENCES = Path(__file__).parent / "data" / "eight_sentences.json"


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before the timeout of the test begins
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let a test marked `alone` wait for the tests of the other workers, and they for it.

    Two locks: who is next, and who is running. Without the first, a test that wants to be alone
    would wait for as long as the others find another test to begin with.
    """
    if fcntl is None:
        return (yield)
    is_alone = item.get_closest_marker("alone") is not None
    here = Path(__file__)
    with here.open("rb") as running, (here.parent / "data" / "news.txt").open("rb") as next_:
        fcntl.flock(next_, fcntl.LOCK_EX)
        fcntl.flock(running, fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH)
        fcntl.flock(next_, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            # A child that a test forked may still hold the file open.
            fcntl.flock(running, fcntl.LOCK_UN)


@pytest.fixture(scope="session")
def bfloat16_processor() -> None:
    """Skips the test on a processor that has no bfloat16."""
    if not processor_has_bfloat16():
        pytest.skip("needs a processor with bfloat16")


@pytest.fixture(scope="session")
def eight_sentences() -> tuple[Example, ...]:
    """Training examples with all CLUENER labels but one, few enough to learn by heart."""
    return read_cluener(EIGHT_SENTENCES).examples


@pytest.fixture
def training_file(tmp_path: Path) -> Path:
    """A copy of the eight sentences' file, named train.json."""
    return Path(shutil.copyfile(EIGHT_SENTENCES, tmp_path / "train.json"))


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face BERT directory of one layer and width 16, with random weights."""
    directory = tmp_path_factory.mktemp("encoders") / "tiny-bert"
    tokens = build_vocabulary(TEXTS)
    model = make_encoder(
        tokens, hidden_size=16, num_layers=1, max_positions=64, dropout=0.0, vectors={}, seed=1
    )
    write_encoder(model, tokens, directory)
    return directory


@pytest.fixture(scope="session")
def shared_tiny_checkpoint(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of a random bert-bilstm-crf with the CLUENER labels. Do not write to it."""
    encoder = load_encoder(tiny_encoder)
    torch.manual_seed(1)
    config = TaggerConfig(architecture="bert-bilstm-crf", labels=CLUENER, max_window_tokens=64)
    checkpoint = Checkpoint(
        Tagger(encoder.model, config), encoder.vocabulary, encoder.tokenizer_files
    )
    directory = tmp_path_factory.mktemp("checkpoints") / "tiny"
    save_checkpoint(checkpoint, directory, card="# tiny\n")
    return directory


@pytest.fixture
def tiny_checkpoint(shared_tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that a test may damage."""
    return Path(shutil.copytree(shared_tiny_checkpoint, tmp_path / "tiny"))
