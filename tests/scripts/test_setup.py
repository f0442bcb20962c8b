"""scripts/setup.sh against stand-ins for Python, pip and nvidia-smi: no network, no real venv."""

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/bin:/bin"

# Answers as the real one does to the few things that setup.sh asks of it. What pip is told is
# written down; the file `pip-fails` beside it makes pip say so and fail.
FAKE_PYTHON = """\
#!/usr/bin/env bash
home={home}
case "$*" in
    *ensurepip*) echo "{version} {recent} {has_venv}" ;;
    *base_prefix*) echo "$home {version}" ;;
    *"import pip"*) ;;
    "-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; echo venv >> "$home/calls" ;;
    "-m pip "*)
        echo "${{@: -2}}" >> "$home/calls"
        if [[ -e $home/pip-hangs ]]; then touch "$home/pip-runs"; sleep 60; fi
        if [[ -e $home/pip-fails ]]; then cat "$home/pip-fails"; exit 1; fi ;;
    "-P -m seq2seq.translate "*) echo translate >> "$home/calls"; exit 1 ;;
    *) echo "unexpected: $*" >&2; exit 9 ;;
esac
"""


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    path.chmod(0o755)
    return path


class Checkout:
    """A copy of what setup.sh reads, in a folder with a space, with a PATH of stand-ins."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a checkout"
        self.programs = folder / "programs"
        self.programs.mkdir()
        (self.root / "scripts").mkdir(parents=True)
        for name in ("scripts/setup.sh", "scripts/constraints.txt", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root / name)
        # The machine's own Pythons lie in /usr/bin too; these come first, and fail like shims.
        for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
            self.shadow(name)
        self.python()
        self.shadow("nvidia-smi")

    def shadow(self, name: str) -> None:
        write_program(self.programs / name, "#!/bin/sh\nexit 127\n")

    def python(self, name: str = "python3.12", version: str = "3.12.1", **facts: int) -> Path:
        text = FAKE_PYTHON.format(
            home=self.programs, version=version, **{"recent": 1, "has_venv": 1} | facts
        )
        return write_program(self.programs / name, text)

    def nvidia_smi(self, cuda: str) -> None:
        write_program(
            self.programs / "nvidia-smi",
            f"""\
            #!/bin/sh
            echo asked >> '{self.programs}/smi-calls'
            echo '| NVIDIA-SMI 580.65.06   Driver Version: 580.65.06   CUDA Version: {cuda} |'
            """,
        )

    def command(self, *arguments: str) -> list[str]:
        return ["bash", str(self.root / "scripts/setup.sh"), *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        home = {"HOME": str(self.programs), "PATH": f"{self.programs}:{SYSTEM}"}
        return home | variables

    def setup(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment(**variables),
            cwd=self.root.parent,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        """What venv and pip were asked for since the last look."""
        file = self.programs / "calls"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.removeprefix("--editable ").removesuffix(" setuptools") for line in lines]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def only_line(result: subprocess.CompletedProcess[str]) -> str:
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_first_call_makes_the_environment_and_says_so_in_one_line(checkout: Checkout) -> None:
    result = checkout.setup()
    assert result.returncode == 0
    assert only_line(result) == (
        "setup: making .venv with Python 3.12.1 for the CPU: about 800 MB and 1 min, once"
    )
    assert checkout.calls()[-1] == "."


def test_the_model_in_the_box_is_compiled_and_what_goes_wrong_there_is_no_fault(
    checkout: Checkout,
) -> None:
    (checkout.root / "data/models/de-en").mkdir(parents=True)
    result = checkout.setup()
    assert result.returncode == 0
    assert only_line(result).startswith("setup: making .venv")
    assert checkout.calls()[-1] == "translate"
    checkout.setup()
    assert checkout.calls() == []


def test_second_call_is_silent_quick_and_starts_no_python(checkout: Checkout) -> None:
    checkout.setup()
    checkout.calls()
    # The best of several: the machine may be busy with other things.
    durations = []
    for _ in range(10):
        begin = time.perf_counter()
        result = checkout.setup()
        durations.append(time.perf_counter() - begin)
        assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert min(durations) < 0.05
    assert checkout.calls() == []


def test_extras_add_up_over_calls(checkout: Checkout) -> None:
    checkout.setup("dev")
    assert checkout.calls()[-1] == ".[dev]"
    checkout.setup()
    checkout.setup("dev")
    assert checkout.calls() == []
    assert only_line(checkout.setup("plot")) == "setup: updating .venv for the CPU, with dev, plot"
    assert checkout.calls()[-1] == ".[dev,plot]"


@pytest.mark.parametrize("name", ["pyproject.toml", "scripts/constraints.txt"])
def test_a_changed_requirement_updates_the_environment_in_place(
    checkout: Checkout, name: str
) -> None:
    checkout.setup()
    checkout.calls()
    with (checkout.root / name).open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert "updating .venv" in only_line(checkout.setup())
    assert "venv" not in checkout.calls()


def test_a_moved_checkout_is_installed_anew(checkout: Checkout) -> None:
    checkout.setup("dev")
    checkout.calls()
    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert "making .venv" in only_line(checkout.setup())
    calls = checkout.calls()
    assert (calls[0], calls[-1]) == ("venv", ".[dev]")


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.setup()
    (checkout.root / ".venv/bin/python").unlink()
    assert "making .venv" in only_line(checkout.setup())


def test_an_environment_that_the_user_made_is_used_as_it_is(checkout: Checkout) -> None:
    shutil.copy(checkout.python(), write_program(checkout.root / ".venv/bin/python", "").as_posix())
    (checkout.root / ".venv/mine").touch()
    assert "updating .venv" in only_line(checkout.setup())
    assert (checkout.root / ".venv/mine").exists()


def test_a_killed_setup_is_begun_anew(checkout: Checkout) -> None:
    (checkout.programs / "pip-hangs").touch()
    process = subprocess.Popen(
        checkout.command(),
        env=checkout.environment(),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not (checkout.programs / "pip-runs").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (checkout.programs / "pip-hangs").unlink()
    (checkout.root / ".venv/half").touch()
    checkout.calls()

    assert "making .venv" in only_line(checkout.setup())
    assert not (checkout.root / ".venv/half").exists()
    assert checkout.calls()[0] == "venv"
    assert checkout.setup().stderr == ""


@pytest.mark.skipif(shutil.which("flock") is None, reason="flock is not installed")
def test_of_two_setups_at_once_one_waits_and_finds_nothing_left_to_do(checkout: Checkout) -> None:
    processes = [
        subprocess.Popen(
            checkout.command(),
            env=checkout.environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum("making .venv" in text for text in said) == 1
    assert checkout.calls().count("venv") == 1


def test_python_variable_chooses_the_interpreter(checkout: Checkout) -> None:
    path = checkout.python("another python", "3.11.7")
    assert "Python 3.11.7" in checkout.setup("--plan", PYTHON=str(path)).stdout
    checkout.setup()
    assert "making .venv with Python 3.11.7" in only_line(checkout.setup(PYTHON=str(path)))
    assert checkout.setup(PYTHON=str(path)).stderr == ""
    assert checkout.setup().stderr == ""


def test_another_name_of_the_same_python_changes_nothing(checkout: Checkout) -> None:
    checkout.setup()
    checkout.calls()
    assert checkout.setup(PYTHON=str(checkout.python("same"))).stderr == ""
    assert checkout.calls() == []


def test_first_python_that_runs_and_is_new_enough_is_taken(checkout: Checkout) -> None:
    checkout.python("python3.13", "3.13.0", has_venv=0)
    checkout.python("python3.11", "3.11.7")
    assert "Python 3.12.1" in checkout.setup("--plan").stdout


def test_too_old_python_is_named(checkout: Checkout) -> None:
    path = checkout.python("old", "3.8.18", recent=0)
    result = checkout.setup(PYTHON=str(path))
    assert result.returncode == 2
    assert only_line(result) == (
        f"setup: Python 3.8.18 ({path}) is too old; install Python 3.11 or newer, "
        "or name another one, as in PYTHON=/path/to/python3"
    )
    assert not (checkout.root / ".venv").exists()


def test_missing_venv_module_is_named_with_its_package(checkout: Checkout) -> None:
    path = checkout.python("bare", "3.11.2", has_venv=0)
    result = checkout.setup(PYTHON=str(path))
    assert result.returncode == 2
    assert only_line(result).startswith(
        f"setup: Python 3.11.2 ({path}) has no venv module; "
        "install it (Debian, Ubuntu: apt install python3.11-venv)"
    )


@pytest.mark.parametrize("given", ["/nowhere/python3", "no-such-python"])
def test_python_variable_pointing_nowhere_is_named(checkout: Checkout, given: str) -> None:
    result = checkout.setup(PYTHON=given)
    assert result.returncode == 2
    assert only_line(result).startswith(f"setup: PYTHON='{given}' does not run; install Python")


def test_unknown_extra_lists_the_known_ones(checkout: Checkout) -> None:
    result = checkout.setup("devel")
    assert result.returncode == 2
    assert only_line(result).startswith("setup: there is no extra 'devel'; there are dev, plot")


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("NewConnectionError: [Errno 111] Connection refused\nERROR: No matching", "no network: "),
        ("NameResolutionError: Temporary failure in name resolution", "no network: "),
        ("OSError: [Errno 28] No space left on device", "the disk is full: "),
        ("ERROR: No matching distribution found for jax", "a package is not to be had for Python"),
    ],
)
def test_a_failure_of_pip_is_explained_in_one_sentence(
    checkout: Checkout, said: str, sentence: str
) -> None:
    (checkout.programs / "pip-fails").write_text(said, encoding="utf-8")
    result = checkout.setup()
    assert result.returncode == 2
    assert result.stderr.splitlines()[1].startswith(f"setup: {sentence}")
    assert len(result.stderr.splitlines()) == 2
    (checkout.programs / "pip-fails").unlink()
    assert checkout.setup().returncode == 0


def test_any_other_failure_of_pip_is_shown(checkout: Checkout) -> None:
    (checkout.programs / "pip-fails").write_text("ERROR: something odd\n", encoding="utf-8")
    result = checkout.setup()
    assert result.returncode == 1
    assert "ERROR: something odd" in result.stderr


def test_an_update_without_network_leaves_the_old_environment_in_use(checkout: Checkout) -> None:
    checkout.setup()
    (checkout.programs / "pip-fails").write_text("ConnectTimeoutError", encoding="utf-8")
    assert checkout.setup("dev").returncode == 2
    result = checkout.setup()
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("cuda", "device"),
    [
        ("13.0", "GPUs (cuda13)"),
        ("14.1", "GPUs (cuda13)"),
        ("12.9", "GPUs (cuda12)"),
        ("11.4", "the CPU"),
        ("N/A", "the CPU"),
    ],
)
def test_driver_decides_what_jax_is_installed_for(
    checkout: Checkout, cuda: str, device: str
) -> None:
    checkout.nvidia_smi(cuda)
    assert f"for {device}:" in checkout.setup("--plan").stdout


def test_a_failing_nvidia_smi_means_the_cpu(checkout: Checkout) -> None:
    assert "for the CPU:" in checkout.setup("--plan").stdout


def test_a_gpu_brings_the_extra_of_jax(checkout: Checkout) -> None:
    checkout.nvidia_smi("13.0")
    checkout.setup()
    assert checkout.calls()[-1] == ". jax[cuda13]"


def test_nvidia_smi_is_not_asked_again(checkout: Checkout) -> None:
    checkout.nvidia_smi("11.4")
    checkout.setup()
    assert checkout.setup().stderr == ""
    assert (checkout.programs / "smi-calls").read_text(encoding="utf-8").count("asked") == 1


def test_a_gpu_environment_stays_one_where_no_gpu_is_seen(checkout: Checkout) -> None:
    checkout.setup("cuda12")
    checkout.calls()
    assert checkout.setup().stderr == ""
    assert checkout.calls() == []


def test_another_cuda_replaces_the_environment(checkout: Checkout) -> None:
    checkout.setup("cuda12")
    assert "making .venv" in only_line(checkout.setup("cuda13"))


def test_every_pin_is_one_version_for_each_python() -> None:
    names: dict[str, list[str]] = {}
    for line in (ROOT / "scripts/constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement, _, marker = line.partition(" ; ")
            name, version = requirement.split("==")
            assert version
            names.setdefault(name, []).append(marker)
    both = ['python_version < "3.12"', 'python_version >= "3.12"']
    assert [name for name, markers in names.items() if markers not in ([""], both)] == []
    assert {"jax", "jaxlib", "flax", "pytest", "ruff", "basedpyright", "setuptools"} <= set(names)


@pytest.mark.slow
def test_real_pip_without_network_says_so(checkout: Checkout) -> None:
    closed_port = "http://127.0.0.1:9/simple"
    result = checkout.setup(
        PYTHON=sys.executable,
        PIP_INDEX_URL=closed_port,
        PIP_CONFIG_FILE=os.devnull,
        PIP_RETRIES="0",
    )
    assert result.returncode == 2
    assert result.stderr.splitlines()[1:] == [
        "setup: no network: the packages cannot be fetched; connect, and run this again"
    ]
