"""What the labels of one set may stand for in another: a coarse source can teach a fine model.

A map says of each source label which target labels its entities may have; MSRA's ORG is a company,
an organization or a government. It need not choose: `ner_core.crf.CRF.partial_log_likelihood` sums
over every tagging that the source allows. No torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ner_core.labels import OUTSIDE, LabelSet

_NO_IMAGE = (OUTSIDE,)


@dataclass(frozen=True)
class LabelMap:
    """Source labels to the target labels that each may stand for.

    Attributes:
        source: The label set that the annotators used.
        target: The label set of the model.
        images: Of every source label, the target labels it may stand for; or `OUTSIDE` alone, when
            the target set has no such entity. In the order of the source labels.

    Raises:
        ValueError: A source label has no image or an empty one, an image names a label twice or one
            that the target set lacks, or a label of no source has an image.
    """

    source: LabelSet
    target: LabelSet
    images: Mapping[str, tuple[str, ...]] = field(hash=False)

    def __post_init__(self) -> None:
        expected = (
            f"expected a map for each of {', '.join(self.source.labels)}"
            f" to labels of {', '.join(self.target.labels)}"
        )
        unknown = [label for label in self.images if label not in self.source.labels]
        if unknown:
            raise ValueError(f"{expected}; got one for {', '.join(unknown)}")
        missing = [label for label in self.source.labels if not self.images.get(label)]
        if missing:
            raise ValueError(f"{expected}; got none for {', '.join(missing)}")
        for label, image in self.images.items():
            given = f"got {label}={'|'.join(image)}"
            if len(set(image)) < len(image):
                raise ValueError(f"{expected}, each once; {given}")
            if tuple(image) != _NO_IMAGE and not set(image) <= set(self.target.labels):
                raise ValueError(f"{expected} (or to {OUTSIDE} alone, for none of them); {given}")
        images = {label: tuple(self.images[label]) for label in self.source.labels}
        object.__setattr__(self, "images", images)

    @classmethod
    def parse(cls, text: str, *, source: LabelSet, target: LabelSet) -> "LabelMap":
        """Read `PER=name,ORG=company|organization,DATE=O`, the inverse of `str()`.

        Raises:
            ValueError: The text has another form, or the map is not as described at the class.
        """
        return cls(source, target, parse_images(text))

    def __str__(self) -> str:
        """The form that `parse` reads."""
        return ",".join(f"{label}={'|'.join(image)}" for label, image in self.images.items())

    @cached_property
    def allowed_tags(self) -> NDArray[np.bool_]:
        """Which target tags (column) a source tag (row) allows. Shape: (source tags, target tags)

        O excludes only what the source labels: where a source of places says O, there may still be
        a book. B-x allows the begin tags of the labels that x may stand for, I-x their inside tags.
        """
        images = [() if image == _NO_IMAGE else image for image in self.images.values()]
        found = {label for image in images for label in image}
        tags = self.target.tags
        outside = [tag == OUTSIDE or tag[2:] not in found for tag in tags]
        rows = [outside]
        for image in images:
            for prefix in "BI":
                wanted = {f"{prefix}-{label}" for label in image}
                rows.append([tag in wanted for tag in tags] if image else outside)
        table = np.array(rows)
        table.flags.writeable = False
        return table

    @property
    def is_exact(self) -> bool:
        """Whether each source tag allows one target tag only, so that the source is full gold."""
        return bool((self.allowed_tags.sum(axis=1) == 1).all())


def parse_images(text: str) -> dict[str, tuple[str, ...]]:
    """Read `LABEL=A|B,LABEL=C,...`: each label and what it may stand for.

    Raises:
        ValueError: A part has no `=`, no label or no image, or a label comes twice.
    """
    images: dict[str, tuple[str, ...]] = {}
    for part in text.split(","):
        label, separator, image = part.partition("=")
        names = tuple(image.split("|"))
        if not separator or not label or not all(names):
            raise ValueError(f"expected LABEL=A|B,LABEL=C,..., got {part!r} (in {text!r})")
        if label in images:
            raise ValueError(f"expected each label once, got {label!r} twice (in {text!r})")
        images[label] = names
    return images
