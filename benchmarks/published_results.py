"""Published scores of Chinese entity taggers: quoted, not measured here.

None of them was measured on the sentences that this project can measure on: CLUENER's official dev
and test sets and MSRA's test set are kept aside here. So they say what is usual, and a point more
or less between them and a measured score says nothing; reproductions differ by more than that.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """What somebody else reports.

    Attributes:
        data_set: "cluener" or "msra".
        model: What was measured.
        source: Who says so: a repository on GitHub, a paper, or a report.
        measured_on: Which part of the data set.
        micro_f1: Strict micro F1, lowest and highest where several are reported; empty if none.
        official_macro_f1: CLUENER's official score, see `ner_core.evaluation`; None if not said.
    """

    data_set: str
    model: str
    source: str
    measured_on: str
    micro_f1: tuple[float, ...] = ()
    official_macro_f1: float | None = None


_CLUENER_DEV = "official dev, 1,343 sentences"
_CLUENER_TEST = "official test"
_MSRA_TEST = "official test"
_REPORT = "the report that this project started from"
_OFFICIAL = "CLUENER's official table"
_LATTICE = "Zhang and Yang 2018, https://aclanthology.org/P18-1144"
_FLAT = "Li et al. 2020, https://aclanthology.org/2020.acl-main.611"

PUBLISHED_RESULTS = (
    PublishedResult("cluener", "its tagger", _REPORT, "dev, rounded", (0.62,)),
    PublishedResult(
        "cluener",
        "BiLSTM-CRF, nothing pretrained",
        "hemingkx/CLUENER2020",
        _CLUENER_DEV,
        (0.675,),
    ),
    PublishedResult(
        "cluener", "BERT-base, softmax", "lonePatient/BERT-NER-Pytorch", _CLUENER_DEV, (0.7963,)
    ),
    PublishedResult(
        "cluener", "BERT-base + CRF", "lonePatient/BERT-NER-Pytorch", _CLUENER_DEV, (0.8076,)
    ),
    PublishedResult(
        "cluener",
        "BERT-base, spans, adversarial (FGM)",
        "lonePatient/BERT-NER-Pytorch",
        _CLUENER_DEV,
        (0.8169,),
    ),
    PublishedResult(
        "cluener",
        "RoBERTa-wwm-large + BiLSTM-CRF",
        "hemingkx/CLUENER2020",
        _CLUENER_DEV,
        (0.7964,),
    ),
    PublishedResult("cluener", "BiLSTM-CRF", _OFFICIAL, _CLUENER_TEST, official_macro_f1=0.7000),
    PublishedResult("cluener", "BERT-base", _OFFICIAL, _CLUENER_TEST, official_macro_f1=0.7882),
    PublishedResult(
        "cluener", "RoBERTa-wwm-large", _OFFICIAL, _CLUENER_TEST, official_macro_f1=0.8042
    ),
    PublishedResult("cluener", "a human", _OFFICIAL, _CLUENER_TEST, official_macro_f1=0.6341),
    PublishedResult("msra", "its BiLSTM", _REPORT, "its own split, 64:16:20", (0.9104,)),
    PublishedResult("msra", "its TCN", _REPORT, "its own split, 64:16:20", (0.9128,)),
    PublishedResult("msra", "BiLSTM-CRF on characters", _LATTICE, _MSRA_TEST, (0.8881,)),
    PublishedResult("msra", "Lattice LSTM", _LATTICE, _MSRA_TEST, (0.9318,)),
    PublishedResult("msra", "FLAT", _FLAT, _MSRA_TEST, (0.9412,)),
    PublishedResult("msra", "BERT-base", "several reports", _MSRA_TEST, (0.946, 0.953)),
    PublishedResult("msra", "FLAT on BERT-base", _FLAT, _MSRA_TEST, (0.9609,)),
)
