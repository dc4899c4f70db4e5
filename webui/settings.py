"""What the program that starts the pages decides for them."""

from dataclasses import dataclass, field
from pathlib import Path

from webui.training_job import TrainingJobs


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the pages.

    Attributes:
        download_folder: Where downloads are written, below the system's temporary folder: outside
            the working folder Gradio serves files from there only. Never the database's folder.
        project: The project of the store that all pages work on.
        jobs: Runs the trainings, each in a folder below its own.
    """

    download_folder: Path
    project: str = "default"
    jobs: TrainingJobs = field(default_factory=lambda: TrainingJobs(Path("runs")))
