"""What `benchmarks/house.py` counts, on small trees; the words themselves are those of the benchmark."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(FOLDER))
code, house_constants, house_examples, house_forks, house_imports, house_tests, house_words = (
    importlib.import_module(f"house_{name}")
    for name in ("code", "constants", "examples", "forks", "imports", "tests", "words")
)
sys.path.remove(str(FOLDER))
HAS_CODE = "def f():\n    return 1\n"


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _forks(folder: Path, text: str, path: str = "src/leadml/jobs/train.py") -> int:
    return len(house_forks.forks(code.sources(_write(folder, {path: text}))))


def _without_reason(folder: Path, text: str) -> list[list[str]]:
    """Return the names of constants and of tables that no comment stands beside."""
    modules = code.sources(_write(folder, {"src/leadml/jobs/train.py": text}))
    return [[place.what for place in places] for places in house_constants.without_reason(modules)]


def _words(folder: Path, path: str, text: str) -> int:
    return sum(map(len, house_words.private_words(_write(folder, {path: text})).values()))


@pytest.mark.parametrize(
    "text",
    [
        "if AS_OF in frame: pass",
        "clock = AS_OF if 'as_of' not in frame else CREATED_AT",
        "assert CREATED_AT in frame.columns",
        "def f(frame):\n    clock = AS_OF if some else CREATED_AT\n    while clock in frame: pass",
        "clock = next((name for name in (AS_OF, CREATED_AT) if name in frame), None)",
        "stop = column == AS_OF or alone.low",
        "f(params.sources is not None)",
        "def f(project):\n    sources = project.params.sources\n    return () if sources else None",
        "if params.target is None: pass",
        "if not project.data: pass",
        "unit = 'looks' if 'observed_until' in facts['data'] else 'leads'",
        "if self.is_dated: pass",
        "if contract.flat(): pass",
        "if isinstance(leads, (str, FlatLeads)): pass",
        "known = type(source) is FileSource",
        "match leads:\n    case DatedLeads(): pass",
        "match bundle.outlook:\n    case None: pass",
        "match 1:\n    case 1 if kind == 'dated': pass",
        "outlook = Outlook.from_json(bundle.outlook or {})",
        "def f(bundle):\n    settings = bundle.outlook\n    if settings: pass",
        "if bundle.outlook['target']: pass",
        "if (found := bundle.as_of_settings) is not None: pass",
        "if order.as_of is None: pass",
        "at = instant(as_of) if as_of else None",
        "return_value = bool(getattr(bundle, 'outlook', None))",
    ],
)
def test_a_branch_on_the_kind_of_leads_is_a_fork(tmp_path: Path, text: str) -> None:
    """Once each."""
    assert _forks(tmp_path, text) == 1


@pytest.mark.parametrize(
    "text",
    [
        "if name in frame: pass",
        "names = [name for name in columns if name in frame]",
        "kept = [name for name in names if name not in {LEAD_ID, AS_OF}]",
        "if CREATED_AT in (one, other): pass",
        "def f(frame):\n    for name in (CREATED_AT, VALID_FROM):\n        if name in frame: pass",
        "if dated is None: pass",
        "rows = frame[AS_OF] >= since",
        "if target.oldest is not None and as_of > created: pass",
        "until = outlook.target if known else None",
        "settings = given or bundle.outlook",
        "if isinstance(place, Table): pass",
        "def f():\n    sources = []\n    if sources: pass",
        "if chosen.observed_until is not None: pass",
    ],
)
def test_other_branches_are_no_forks(tmp_path: Path, text: str) -> None:
    """Values that are used without a question, and questions of something else."""
    assert _forks(tmp_path, text) == 0


def test_each_branch_counts_once(tmp_path: Path) -> None:
    """However much one asks; ``elif`` and a choice inside a test are branches of their own."""
    text = (
        "if bundle.outlook is None or order.as_of is None: pass\n"
        "elif AS_OF in frame: pass\n"
        "if f(1 if bundle.outlook else 2, order.as_of is None): pass\n"
    )

    assert _forks(tmp_path, text) == 4


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("leads/sources.py", 0),
        ("leads/sources/dated.py", 0),
        ("params/project.py", 0),
        ("leads/sources_of.py", 1),
        ("leads/looks.py", 1),
    ],
)
def test_sources_and_params_may_know_the_kind(tmp_path: Path, path: str, count: int) -> None:
    """No other module may."""
    assert _forks(tmp_path, "if AS_OF in frame: pass", f"src/leadml/{path}") == count


def test_imports_for_type_checking_and_inside_functions_make_a_cycle(tmp_path: Path) -> None:
    """Two cycles that share no module are two."""
    modules = {
        "a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from leadml.b import B\n",
        "b.py": "from leadml import a\n",
        "c.py": "def f():\n    import leadml.room.d\n",
        "room/__init__.py": "",
        "room/d.py": "from . import e\n",
        "room/e.py": "from ..c import f\n",
    }
    _write(tmp_path, {f"src/leadml/{name}": text for name, text in modules.items()})

    assert house_imports.cycles(code.sources(tmp_path)) == [
        ("leadml.a", "leadml.b"),
        ("leadml.c", "leadml.room.d", "leadml.room.e"),
    ]


@pytest.mark.parametrize(("text", "count"), [("from leadml.room import d", 0), ("from leadml.room import D", 1)])
def test_a_package_is_in_a_cycle_only_if_its_modules_import_it(tmp_path: Path, text: str, count: int) -> None:
    """A name that is a module is the module; any other is of the package."""
    modules = {"__init__.py": "from leadml.room.d import D\nfrom leadml.room import e", "d.py": "", "e.py": text}
    _write(tmp_path, {f"src/leadml/room/{name}": lines for name, lines in modules.items()})

    assert len(house_imports.cycles(code.sources(tmp_path))) == count


@pytest.mark.parametrize("word", house_words.WORDS)
def test_a_private_word_is_found_wherever_it_stands(tmp_path: Path, word: str) -> None:
    """As a name, in a name, in a docstring, a string, the part of an f-string, a comment, a page; not inside a word."""
    name = word.replace(" ", "_")
    first, _, last = word.partition(" ")
    text = (
        f'"""Of {word}."""\n'
        f"def f_{name}(x):\n"
        f"    '''{word.upper()}.'''\n"
        f"    return f'{{x.{name}}} {word}' ' a{name} {name}0'\n"
        f"class {name.title().replace('_', '')}Params: pass\n"
        f"# here {first}\n"
        f"# {last} there: un{name}\n"
    )
    page = f"The {word.capitalize()}, `{name}`.\n"
    _write(tmp_path, {f"docs/decisions/{name}.md": page, f"docs/decisions/0020-{name}-names.md": page})

    counts = {found: len(places) for found, places in house_words.private_words(tmp_path).items()}
    assert counts == dict.fromkeys(house_words.WORDS, 0) | {word: 2}
    assert _words(tmp_path, "src/leadml/a.py", text) == 2 + 7
    assert _words(tmp_path, f"tests/{name}/test_{name}.py", "") == 2 + 7 + 2


@pytest.mark.parametrize("key", house_words.KEYS)
def test_keys_of_params_are_no_private_words(tmp_path: Path, key: str) -> None:
    """Where the key itself is written; what is called after it is one."""
    last = key.split(".")[1]
    block = f"```yaml\nleaks:\n  {last}: 1\n```\n"
    written = f"# {key}\nx = '{key}.more=1', Field(alias='{last}'), {{'{last}': 1}}, 'a:\\n  {last}: 1'\n"
    written += f"z = y['{last}'], 'x={{{last}: 1}}'\n"
    called = f"x = '{last}', Field(title='{last}'), 'a {last}: 1', 'more.{key}'\n"

    assert _words(tmp_path, "docs/params.md", f"### {key}\n| `{last}` | 1 | none |\n{block}") == 0
    assert _words(tmp_path, "src/leadml/a.py", written) == 0
    assert _words(tmp_path, "docs/other.md", f"{last}: 1\n| `{last}` |\n") == 2
    assert _words(tmp_path, "src/leadml/a.py", called) == 2 + 4


def test_keys_of_kept_results_are_no_private_words(tmp_path: Path) -> None:
    """Where a string is the key; a name and a longer string are no key."""
    word = house_words.WORDS[0]
    _write(tmp_path, {"benchmarks/results/a.json": json.dumps({"figures": [{word: 1}]})})

    assert _words(tmp_path, "src/leadml/a.py", f"x = y['{word}']\n{word} = 'a {word}'") == 2


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("MOST = 3", [["MOST"], []]),
        ("MOST: float = -0.5", [["MOST"], []]),
        ("_Z_95 = 2 * OTHER**2", [["_Z_95"], []]),
        ("class A:\n    MOST = 1 << 20", [["MOST"], []]),
        ("class A:\n    class B:\n        MOST = 1", [["MOST"], []]),
        ("LOW, HIGH = (1, 2)", [[], ["LOW, HIGH"]]),
        ("NAMES = {'a': 1}", [[], ["NAMES"]]),
        ("CODES = range(3)", [[], ["CODES"]]),
        ("FIRST = NAMES[:3]", [[], ["FIRST"]]),
    ],
)
def test_a_bare_number_has_no_reason(tmp_path: Path, text: str, found: list[list[str]]) -> None:
    """A literal and arithmetic are one number, anything that holds literals is a table; each statement counts once."""
    assert _without_reason(tmp_path, text) == found


@pytest.mark.parametrize(
    "text",
    [
        "MOST = 3  # why",
        "# why\nMOST = 3",
        "MOST = (  # why\n    3\n)",
        "MOST = [\n    3,\n    # why\n    4,\n]",
        "class A:\n    # why\n    MOST = 3",
        "most = Most = 3",
        "ON = True",
        "NAME, NAMES = 'a', ('3',)",
        "MOST: int",
        "FIRST = NAMES[0]",
        "SAME = OTHER * ANOTHER",
        "def f():\n    MOST = 3",
    ],
)
def test_a_comment_is_a_reason_and_not_every_name_is_a_constant(tmp_path: Path, text: str) -> None:
    """On any line of the value or directly above; only capitals with numbers, in modules and classes, are constants."""
    assert _without_reason(tmp_path, text) == [[], []]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("# why\nLOW = 1\nHIGH = 2", ["HIGH"]),
        ("# why\n\nLOW = 1", ["LOW"]),
        ("OTHER = 'a'  # why\nLOW = 1", ["LOW"]),
        ("LOW = '# no'; HIGH = 1", ["HIGH"]),
    ],
)
def test_a_comment_is_of_one_constant_only(tmp_path: Path, text: str, found: list[str]) -> None:
    """Of the next one if it has the line to itself, else of its own; a string is no comment."""
    assert _without_reason(tmp_path, text)[0] == found


def test_constants_are_found_by_place(tmp_path: Path) -> None:
    """By path, line and name."""
    modules = code.sources(_write(tmp_path, {"src/leadml/a.py": "x = 1\nMOST = 3\n"}))

    assert [str(place) for place in house_constants.without_reason(modules)[0]] == ["src/leadml/a.py:2: MOST"]


def _untested(folder: Path, files: dict[str, str]) -> list[str]:
    _write(folder, files)
    places = house_tests.untested_modules(code.sources(folder), code.read_modules(folder, "tests"))
    return [str(place) for place in places]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (HAS_CODE, 1),
        ("async def f():\n    return 1\n", 1),
        ("if x:\n    def f():\n        return 1\n", 1),
        ("class A:\n    def f(self):\n        return 1\n", 1),
        ("class A:\n    @property\n    def f(self):\n        '''One.'''\n        return 1\n", 1),
        ("class A:\n    class B:\n        def f(self):\n            return 1\n", 1),
        ("class A(ProtocolOf):\n    def f(self):\n        return 1\n", 1),
        ("class A:\n    b: int = 1\n", 0),
        ("class A:\n    def f(self):\n        '''One.'''\n", 0),
        ("class A(typing.Protocol):\n    def f(self):\n        return 1\n", 0),
        ("class A(Other, Protocol[T]):\n    def f(self):\n        return 1\n", 0),
        ("@overload\ndef f(): ...\n", 0),
        ("def f():\n    pass\n", 0),
        ("A = 1\nB = lambda x: x\n", 0),
    ],
)
def test_a_module_needs_tests_if_it_has_code(tmp_path: Path, text: str, count: int) -> None:
    """Types and constants need none."""
    assert len(_untested(tmp_path, {"src/leadml/a.py": text})) == count


@pytest.mark.parametrize("name", ["__init__", "__main__"])
def test_the_files_of_a_package_itself_need_no_tests(tmp_path: Path, name: str) -> None:
    """They are used whenever the package is."""
    assert _untested(tmp_path, {f"src/leadml/room/{name}.py": HAS_CODE}) == []


@pytest.mark.parametrize(
    "text",
    [
        "from leadml.room.d import f",
        "from leadml.room import d",
        "import leadml.room.d as other",
        "def test_f():\n    from leadml.room.d import f\n",
    ],
)
def test_a_module_is_tested_by_the_file_that_mirrors_it(tmp_path: Path, text: str) -> None:
    """In the same folder of tests; a file elsewhere that imports it does not count."""
    module = {"src/leadml/room/d.py": HAS_CODE}

    assert _untested(tmp_path, {**module, "tests/test_d.py": text, "tests/room/d.py": text}) == [
        "src/leadml/room/d.py:1: leadml.room.d has no tests/room/test_d.py"
    ]
    assert _untested(tmp_path, {**module, "tests/room/test_d.py": text}) == []


@pytest.mark.parametrize("text", ["", "from leadml.room import f", "from leadml.room.d.more import f", "import leadml"])
def test_a_test_file_that_imports_nothing_of_its_module_does_not_test_it(tmp_path: Path, text: str) -> None:
    """A name that a package hands on is no import of the module."""
    files = {"src/leadml/room/__init__.py": "from leadml.room.d import f", "src/leadml/room/d.py": HAS_CODE}

    assert _untested(tmp_path, {**files, "tests/room/test_d.py": text}) == [
        "src/leadml/room/d.py:1: tests/room/test_d.py does not import leadml.room.d"
    ]


def test_public_definitions_have_examples_in_their_docstrings(tmp_path: Path) -> None:
    """Names that the package offers, with their public methods; inner names and other names do not count."""
    shown, silent = '"""Do.\n\n    >>> f()\n    """', '"""Do."""'
    text = (
        f"def f():\n    {shown}\n\ndef g():\n    {silent}\n\nclass A:\n    {silent}\n\n"
        f"    def h(self):\n        {shown}\n\n    def _i(self): ...\n"
    )
    files = {"src/leadml/__init__.py": "_PLACES = {'f': 'leadml.a', 'A': 'leadml.a'}\n", "src/leadml/a.py": text}
    modules = code.sources(_write(tmp_path, files))
    with_example, without = house_examples.public_definitions(modules)

    assert [place.what for place in with_example] == ["f", "A.h"]
    assert [place.what for place in without] == ["A"]
    assert house_examples.public_definitions([]) == ([], [])


def test_lengths_are_those_of_bodies_and_modules(tmp_path: Path) -> None:
    """A docstring is no part of the body, and a decorator of its first statement is."""
    text = "def f():\n    '''Do.\n\n    More.\n    '''\n    @g\n    def h(): pass\n    return h\n\n"
    _write(tmp_path, {"src/leadml/a.py": text})

    figures = _measured("--at", str(tmp_path))
    assert (figures["longest_function"], figures["longest_module"]) == (3, 9)


@pytest.mark.slow
def test_this_checkout_is_measured() -> None:
    """Every figure is there."""
    assert set(_measured("--places")) == {
        "forks",
        "cycles",
        "private_words",
        "constants_without_reason",
        "tables_without_reason",
        "untested_modules",
        "public_examples",
        "longest_function",
        "longest_module",
    }


def _measured(*words: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, FOLDER / "house.py", "--json", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return figures
