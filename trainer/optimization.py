"""Which parameters are trained, at which rates, and how the rates change over a run."""

import math
import re
from collections.abc import Mapping

from torch import nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from ner_core.models import Tagger
from trainer.config import ModelSettings, OptimizationSettings
from trainer.pretrain_config import PretrainingSettings

# Where model families keep their layers: encoder.layer.3, transformer.h.3, layers.3 ...
_LAYER_NAME = re.compile(r"(?:^|\.)(?:layer|layers|h|block|blocks)\.(\d+)\.")


def freeze_parameters(tagger: Tagger, settings: ModelSettings) -> None:
    """Take the encoder, or its embeddings and first layers, out of training.

    Raises:
        ValueError: The encoder has not that many layers.
    """
    if settings.freeze_encoder:
        tagger.encoder.requires_grad_(False)
    elif settings.freeze_layers:
        depths = encoder_depths(tagger)
        num_layers = max(depths.values(), default=0)
        if settings.freeze_layers > num_layers:
            raise ValueError(
                f"expected --freeze-layers of at most the encoder's {num_layers} layers,"
                f" got {settings.freeze_layers}"
            )
        for name, parameter in tagger.encoder.named_parameters():
            if depths[name] <= settings.freeze_layers:
                parameter.requires_grad_(False)


def encoder_depths(tagger: Tagger) -> dict[str, int]:
    """Depth of each encoder parameter: 0 in the embeddings, n in the n-th layer.

    What stands behind the layers (a last norm) counts as part of the last one.
    """
    depths: dict[str, int] = {}
    deepest = 0
    for name, _ in tagger.encoder.named_parameters():
        match = _LAYER_NAME.search(name)
        depths[name] = int(match.group(1)) + 1 if match else deepest
        deepest = max(deepest, depths[name])
    return depths


def build_optimizer(tagger: Tagger, settings: OptimizationSettings) -> AdamW:
    """AdamW over the parameters that are trained, in groups of one rate and weight decay each.

    Raises:
        ValueError: The encoder has no layers for rates that differ by layer.
    """
    rates = _rates(tagger, settings)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in tagger.named_parameters():
        if not parameter.requires_grad:
            continue
        # Biases, norms and transition scores are no weights to keep small.
        is_matrix = parameter.ndim >= 2 and not name.startswith("crf.")
        decay = settings.weight_decay if is_matrix else 0.0
        groups.setdefault((rates[name], decay), []).append(parameter)
    # One kernel for the whole step: half the time of the default on a processor.
    return AdamW(
        [
            {"params": parameters, "lr": rate, "weight_decay": decay}
            for (rate, decay), parameters in groups.items()
        ],
        fused=True,
    )


def build_scheduler(
    optimizer: AdamW, settings: OptimizationSettings, *, num_steps: int
) -> LambdaLR:
    """Linear warm-up to the groups' rates, then linear decay to zero at `num_steps`."""
    num_warmup = max(1, round(settings.warmup_fraction * num_steps))

    def factor(step: int) -> float:
        if step < num_warmup:
            return (step + 1) / num_warmup
        return max(0.0, (num_steps - step) / max(1, num_steps - num_warmup))

    return LambdaLR(optimizer, factor)


def build_pretraining_optimizer(
    model: nn.Module, settings: PretrainingSettings, *, num_steps: int
) -> tuple[AdamW, LambdaLR]:
    """AdamW at one rate for all, with its schedule: linear warm-up, then a cosine to zero.

    The second moment is forgotten faster than AdamW's default: masked-language models of few steps
    are steadier so (RoBERTa, https://arxiv.org/abs/1907.11692, 0.98).
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)
    num_warmup = max(1, round(settings.warmup_fraction * num_steps))

    def factor(step: int) -> float:
        if step < num_warmup:
            return (step + 1) / num_warmup
        progress = (step - num_warmup) / max(1, num_steps - num_warmup)
        return (1 + math.cos(math.pi * min(1.0, progress))) / 2

    return optimizer, LambdaLR(optimizer, factor)


def _rates(tagger: Tagger, settings: OptimizationSettings) -> Mapping[str, float]:
    """The peak rate of each parameter."""
    depths = encoder_depths(tagger)
    num_layers = max(depths.values(), default=0)
    if settings.layer_decay < 1.0 and num_layers == 0:
        raise ValueError(
            f"expected an encoder of several layers for --layer-decay, got one without layers of"
            f" its own ({tagger.encoder.config.model_type})"
        )
    rates = {}
    for name, _ in tagger.named_parameters():
        part, _, rest = name.partition(".")
        if part == "encoder":
            num_above = num_layers - depths[rest]
            rates[name] = settings.encoder_learning_rate * settings.layer_decay**num_above
        elif part == "crf":
            rates[name] = settings.crf_learning_rate
        else:
            rates[name] = settings.head_learning_rate
    return rates
