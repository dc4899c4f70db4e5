"""The training loop of the report that this project starts from, to measure ours against.

As such scripts are written: every text padded to 128 tokens, batches drawn at random, the context
layer run over the padding, [CLS] and [SEP] tagged O, pytorch-crf's own loss averaged over the
batch, one learning rate for AdamW, fp32, the loss read back at every step for the progress bar.
Padding is done once beforehand, which such scripts do anew in every epoch: to their advantage here.

Shapes: B windows in a batch, W = 128 tokens, H encoder width, C width behind the context layer,
K tags.
"""

from collections.abc import Iterable
from copy import deepcopy

import torch
import torchcrf
from torch import Tensor, nn
from torch.optim import AdamW
from torch.utils.data import DataLoader, TensorDataset

from ner_core.context import BiLSTM
from ner_core.dataset import TaggingDataset
from ner_core.models import Tagger
from ner_core.preprocessing import CharacterVocabulary

WIDTH = 128
# What fits between [CLS] and [SEP].
MAX_CHARACTERS = WIDTH - 2
_LEARNING_RATE = 5e-5


class ReferenceTagger(nn.Module):
    """A tagger's encoder, context layer and classifier under pytorch-crf.

    Args:
        tagger: Gives sizes and initial weights; is copied.

    Raises:
        ValueError: The tagger is trained without a CRF.
    """

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        if not tagger.uses_crf_loss:
            raise ValueError(f"expected a tagger with a CRF, got {tagger.config.architecture}")
        self.encoder = deepcopy(tagger.encoder)
        self.context = deepcopy(tagger.context)
        self.dropout = nn.Dropout(tagger.config.dropout)
        self.classifier = deepcopy(tagger.classifier)
        self.crf = torchcrf.CRF(tagger.config.labels.num_tags, batch_first=True)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, tag_ids: Tensor) -> Tensor:
        """Loss, averaged over the batch. Shape: (B, W) three times -> ()"""
        encoded = self.encoder(input_ids=input_ids, attention_mask=attention_mask.long())
        # Shape: (B, W, C)
        hidden = self._run_context(self.dropout(encoded.last_hidden_state))
        # Shape: (B, W, K)
        emissions = self.classifier(self.dropout(hidden))
        loss: Tensor = -self.crf(emissions, tag_ids, mask=attention_mask, reduction="mean")
        return loss

    def _run_context(self, hidden: Tensor) -> Tensor:
        """Shape: (B, W, H) -> (B, W, C); padding is read like any character."""
        if self.context is None:
            return hidden
        if isinstance(self.context, BiLSTM):
            output: Tensor = self.context.lstm(hidden)[0]
            return output
        return self.context(hidden, torch.ones_like(hidden[..., 0], dtype=torch.bool))


class ReferenceLoop:
    """One epoch after another, as the report's script trains.

    Args:
        tagger: Gives sizes and initial weights; is copied.
        dataset: Windows of at most `MAX_CHARACTERS`.
        vocabulary: The encoder's.
        batch_size: Windows in a step.
        device: Where to train.
    """

    def __init__(
        self,
        tagger: Tagger,
        dataset: TaggingDataset,
        vocabulary: CharacterVocabulary,
        *,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._device = device
        self.model = ReferenceTagger(tagger).to(device)
        self._optimizer = AdamW(self.model.parameters(), lr=_LEARNING_RATE)
        self.batches: DataLoader[tuple[Tensor, ...]] = DataLoader(
            pad_windows(dataset, vocabulary), batch_size=batch_size, shuffle=True
        )

    def train(self, batches: Iterable[tuple[Tensor, ...]]) -> float:
        """Take a step for each batch; returns the mean of their losses."""
        self.model.train()
        losses = []
        for batch in batches:
            self._optimizer.zero_grad()
            loss = self.model(*(column.to(self._device) for column in batch))
            loss.backward()
            self._optimizer.step()
            losses.append(loss.item())
        return sum(losses) / len(losses)


def pad_windows(dataset: TaggingDataset, vocabulary: CharacterVocabulary) -> TensorDataset:
    """Token ids, attention mask and tags of all windows. Shape: (windows, W) three times

    Raises:
        ValueError: A window is longer than `MAX_CHARACTERS`.
    """
    if max(dataset.lengths) > MAX_CHARACTERS:
        raise ValueError(
            f"expected windows of at most {MAX_CHARACTERS} characters, got {max(dataset.lengths)}"
        )
    # Shape: (windows, W)
    input_ids = torch.full((len(dataset), WIDTH), vocabulary.pad_token_id)
    attention_mask = torch.zeros((len(dataset), WIDTH), dtype=torch.bool)
    tag_ids = torch.zeros((len(dataset), WIDTH), dtype=torch.long)
    for row, window in enumerate(dataset.windows):
        tokens = (vocabulary.cls_token_id, *window.token_ids, vocabulary.sep_token_id)
        input_ids[row, : len(tokens)] = torch.tensor(tokens)
        attention_mask[row, : len(tokens)] = True
        tag_ids[row, 1 : len(tokens) - 1] = torch.tensor(window.tag_ids)
    return TensorDataset(input_ids, attention_mask, tag_ids)
