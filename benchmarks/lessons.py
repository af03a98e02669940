"""The code of every lesson exactly as printed, the long trainings too: ``make soak``."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["MPLBACKEND"] = "Agg"

import warnings

from cnn_core.course.lesson import load_course


def main() -> None:
    warnings.filterwarnings("ignore", "FigureCanvasAgg is non-interactive")
    for lesson in load_course():
        began = time.perf_counter()
        names: dict[str, object] = {"__name__": "__main__"}
        for code in lesson.code:
            text = "\n" * (code.line - 1) + code.text
            exec(compile(text, lesson.path.name, "exec"), names)
        print(f"{lesson.path.stem}: ran in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
