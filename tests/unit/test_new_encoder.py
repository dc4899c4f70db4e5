"""Small encoder directories, made without a download."""

from pathlib import Path

import numpy as np
import pytest

from ner_core.checkpoint import load_encoder
from trainer import new_encoder


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.npz"
    np.savez(
        path,
        chars=np.array(["李", "王", "Ａ"]),
        vectors=np.arange(24, dtype=np.float32).reshape(3, 8),
    )
    return path


def test_vectors_fill_the_embedding_table_in_proportion(tmp_path: Path, vectors: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("李李李四四\n", encoding="utf-8")
    arguments = ["--text", str(corpus), "--vectors", str(vectors), "--num-layers", "1"]
    assert new_encoder.main([*arguments, "--output", str(tmp_path / "encoder")]) == 0
    encoder = load_encoder(tmp_path / "encoder")
    table = encoder.model.get_input_embeddings().weight.detach().numpy()
    li, wang, a = (table[encoder.vocabulary.encode(character)[0]] for character in "李王a")
    scale = wang[0] / 8
    np.testing.assert_allclose(li, np.arange(8) * scale, rtol=1e-5)
    np.testing.assert_allclose(a, np.arange(16, 24) * scale, rtol=1e-5)
    assert encoder.vocabulary.encode("四") != encoder.vocabulary.encode("五")


def test_an_existing_directory_is_not_overwritten(
    tmp_path: Path, vectors: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--text", __file__, "--vectors", str(vectors), "--output", str(tmp_path)]
    assert new_encoder.main(arguments) == 2
    assert "expected a directory that does not exist yet" in capsys.readouterr().err


def test_a_file_without_vectors_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.npz"
    np.savez(path, words=np.zeros(3))
    arguments = ["--text", __file__, "--vectors", str(path), "--output", str(tmp_path / "x")]
    assert new_encoder.main(arguments) == 2
    assert "expected an .npz with chars and vectors" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((3, 8)), "expected finite vectors that differ"),
        (np.full((3, 8), np.nan), "expected finite vectors that differ"),
        (np.ones(3), "expected a vector for each of 3 chars"),
        (np.ones((2, 8)), "expected a vector for each of 3 chars"),
    ],
)
def test_vectors_that_cannot_fill_a_table_are_refused(
    array: np.ndarray, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "vectors.npz"
    np.savez(path, chars=np.array(["李", "王", "A"]), vectors=array)
    arguments = ["--text", __file__, "--vectors", str(path), "--output", str(tmp_path / "x")]
    assert new_encoder.main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_width_that_the_heads_cannot_share_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--text", __file__, "--hidden-size", "18", "--output", str(tmp_path / "x")]
    assert new_encoder.main([*arguments, "--num-layers", "1"]) == 2
    assert "expected a width that 4 heads can share, got 18" in capsys.readouterr().err
