"""Where words begin, as jieba sees it (https://github.com/fxsjy/jieba, MIT)."""

import warnings
from functools import cache
from importlib.metadata import version
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray


def name_segmenter() -> str:
    """With its version: another one may cut otherwise.

    Raises:
        ValueError: It is not installed.
    """
    load_jieba()
    return f"jieba {version('jieba')}"


@cache
def load_jieba() -> Any:
    """The package.

    Raises:
        ValueError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            # jieba 0.42.1 has invalid escapes in its regular expressions, and looks for
            # pkg_resources.
            warnings.simplefilter("ignore")
            import jieba
    except ImportError as error:
        raise ValueError(
            "expected the package jieba, which finds words, got none: pip install -r"
            " requirements-encoders.txt -c constraints.txt"
        ) from error
    return jieba


def find_word_starts(text: str) -> NDArray[np.bool_]:
    """Whether a word begins at each character. Shape: (characters,).

    By jieba's dictionary, and its HMM for words that are not in it.
    """
    starts = np.zeros(len(text) + 1, dtype=bool)
    starts[list(accumulate(map(len, _load_tokenizer().cut(text)), initial=0))] = True
    # One past the last word: jieba loses no character.
    assert starts[-1]
    return starts[:-1]


@cache
def _load_tokenizer() -> Any:
    """One for the process; its dictionary takes about a second to read."""
    # Not initialize(): that one reads, and writes, a cache in the directory for temporary files,
    # where anybody may put one, and is no faster.
    tokenizer = load_jieba().Tokenizer()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
    tokenizer.initialized = True
    return tokenizer
