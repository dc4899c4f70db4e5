"""The card of the page Train with the models that a project may use."""

from typing import Any

from webui.model_choice import ModelChoice
from webui.trained_models import TrainedModel


def describe_models(
    models: ModelChoice, trained: list[TrainedModel], in_use: str | None
) -> dict[str, Any]:
    """The models that a project may use: those trained on it, the newest first, and the others."""
    names = {model.name for model in trained}
    rows: list[dict[str, Any]] = [
        {
            "name": model.name,
            "num_corrections": model.about.get("num_corrections"),
            "f1": model.dev_f1,
            "verdict": model.comparison and model.comparison["verdict"],
            "read_at": model.about["read_at"],
        }
        for model in trained
    ]
    rows += [{"name": model.name} for model in models if model.name not in names]
    return {"in_use": in_use, "models": rows}
