"""What commands share: refusals on standard error, projects and models, tables that cannot control a terminal."""

from __future__ import annotations

import errno
import inspect
import io
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import typer
from tests.dated import crm, write_params

from leadml.cli import app
from leadml.cli.shared import (
    REFUSED,
    STOPPED,
    exit_on_error,
    open_model,
    open_project,
    print_table,
    show_progress,
)
from leadml.errors import BundleError, DataError, Fault, ParamsError
from leadml.jobs.places import Places
from leadml.jobs.train import Trained
from leadml.publish.text_tables import TextTable

TrainedProject = tuple[Places, Trained]


def test_a_refusal_is_printed_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    """To standard error, with exit code 1 and nothing on standard output."""
    with pytest.raises(typer.Exit) as caught, exit_on_error():
        raise DataError([Fault("x.csv:1", "must be a number"), Fault("x.csv:2", "must be an id")])

    assert caught.value.exit_code == REFUSED
    assert caught.value.__cause__ is None
    assert capsys.readouterr() == ("", "leadml: x.csv:1: must be a number\nleadml: x.csv:2: must be an id\n")


def test_a_stop_by_the_user_is_no_defect(capsys: pytest.CaptureFixture[str]) -> None:
    """It has the exit code of a process that was interrupted."""
    with pytest.raises(typer.Exit) as caught, exit_on_error():
        raise KeyboardInterrupt

    assert caught.value.exit_code == STOPPED
    assert capsys.readouterr() == ("", "leadml: stopped; no incomplete file was written\n")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
    ],
)
def test_a_full_disk_is_told_in_one_line(error: OSError, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where it is that of the temporary files, which are written before a fit."""
    with pytest.raises(typer.Exit) as caught, exit_on_error():
        raise error
    shown = capsys.readouterr()

    assert caught.value.exit_code == REFUSED
    assert shown.out == ""
    assert shown.err.startswith("leadml: a disk must have room for results and temporary files, which are in ")
    assert shown.err.endswith(", got none; free some, or let TMPDIR name another folder\n")
    assert shown.err.count("\n") == 1


def test_another_error_of_the_file_system_is_a_defect() -> None:
    """It may be a file that leadml itself forgot to make."""
    with pytest.raises(FileNotFoundError), exit_on_error():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory")


def _callbacks(commands: typer.Typer) -> Iterator[Callable[..., None]]:
    """Yield the functions of all commands, those of groups too."""
    yield from (command.callback for command in commands.registered_commands)
    for group in commands.registered_groups:
        yield from _callbacks(group.typer_instance)


def test_every_command_tells_errors_and_shows_letters_in_the_same_way() -> None:
    """What is said of `exit_on_error` holds for all of them."""
    without = [each.__name__ for each in _callbacks(app) if "with exit_on_error()" not in inspect.getsource(each)]

    assert without == []


def test_any_other_error_is_a_defect_and_is_not_caught(capsys: pytest.CaptureFixture[str]) -> None:
    """Its traceback is shown; without an error nothing is printed."""
    with pytest.raises(ZeroDivisionError, match="zero"), exit_on_error():
        raise ZeroDivisionError("zero")  # noqa: EM101 - any error
    with exit_on_error():
        pass

    assert capsys.readouterr() == ("", "")


def test_a_stream_that_cannot_show_a_character_gets_its_code() -> None:
    """A terminal of another encoding is no reason to fail."""
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding="ascii")
    with redirect_stdout(stream), exit_on_error():
        sys.stdout.write("Tätigkeit\n")
        sys.stdout.flush()

    assert content.getvalue() == b"T\\xe4tigkeit\n"


def test_progress_is_shown_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    """A file or a pipe gets nothing."""
    with show_progress() as progress:
        progress("reading leads")

    assert capsys.readouterr() == ("", "")


def test_a_project_is_opened_with_its_overrides_and_target(tmp_path: Path) -> None:
    """Its jobs report their steps to the function that was given."""
    path, steps = write_params(tmp_path, crm()), []
    project = open_project(path, ["split.seed=7"], "sql", steps.append)
    project.progress("a step")

    assert (project.target, project.places.params.split.seed, steps) == ("sql", 7, ["a step"])
    with pytest.raises(ParamsError, match=r"target \(--target\) must name one of the targets mql, sql, got none"):
        open_project(path, None, None, steps.append)


def test_without_a_folder_the_model_is_the_champion_of_the_project(trained_project: TrainedProject) -> None:
    """With its places."""
    params = trained_project[0].root / "params.yaml"
    model, places = open_model(None, params, ["tracking.enabled=false"], None)

    assert (model.version, places.target) == ("1", "subscribed")
    assert places.root == trained_project[0].root
    assert not places.params.tracking.enabled


def test_a_model_of_a_folder_has_the_project_that_declares_its_target(
    trained_project: TrainedProject, tmp_path: Path
) -> None:
    """Without a params.yaml, or with one of other targets, it has none."""
    folder, params = trained_project[0].registry.path("1"), trained_project[0].root / "params.yaml"

    assert open_model(folder, params, None, None)[1].target == "subscribed"
    assert open_model(folder, tmp_path / "none.yaml", None, None)[1] is None
    assert open_model(folder, write_params(tmp_path, crm()), None, None)[1] is None
    with pytest.raises(BundleError, match="must be the folder of a target or of a version, got none of this name"):
        open_model(tmp_path / "none", params, None, None)


def test_cells_cannot_control_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """What is not printable is replaced, and markup is shown as it is written."""
    print_table("title", TextTable(("a", "b"), (("\x1b[31mred\nline", "[bold]x[/bold]"), ("1", "2"))))
    out = capsys.readouterr().out

    assert "\x1b" not in out
    assert "�[31mred�line" in out
    assert "[bold]x[/bold]" in out
    assert out.splitlines()[0].strip() == "title"
