"""`rstar view` over a folder of runs."""

import httpx
import pytest

from rstar_async.cli.locate import database_url
from rstar_async.cli.view import is_folder_of_runs
from rstar_async.errors import BadInput
from rstar_async.view import run_folders
from rstar_async.view.access import access_for
from rstar_async.view.folder_app import build_folder_app
from rstar_async.view.run_folders import RunFolders
from storage.database import open_database
from storage.records import Evaluation, EvaluationAnswer, Problem, Round, Run


def fill(folder, name, rights, created):
    """A run of the bootstrap that answered these of its held-out problems right."""
    folder.mkdir()
    problems = [
        Problem(f"{name}-{n}", name, f"question {n}", "7", split="heldout")
        for n in range(len(rights))
    ]
    share = sum(rights) / len(rights)
    with open_database(str(folder / "rstar.db")) as database:
        database.commit(
            Run(name, {"model": {"base": "demo"}, "rounds": [{}]}, 1, "0.1", created),
            *problems,
            Round(name, 0, "closed", "policy", seconds=60.0),
            Evaluation(
                f"e-{name}",
                name,
                0,
                "policy",
                "heldout",
                "policy",
                None,
                len(rights),
                1,
                sum(rights),
                share,
                0.0,
                1.0,
            ),
            *(
                EvaluationAnswer(f"e-{name}", problem.id, 0, "7", right)
                for problem, right in zip(problems, rights, strict=True)
            ),
        )


@pytest.fixture
def folder(tmp_path):
    fill(tmp_path / "a", "first", [True, False, False, False], 10.0)
    fill(tmp_path / "b", "second", [True, True, True, False], 20.0)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "rstar.db").write_text("not a database " * 500)
    (tmp_path / "notes").mkdir()
    return tmp_path


@pytest.fixture
def client(folder):
    runs = RunFolders(folder, database_url)
    app = build_folder_app(runs, access_for("127.0.0.1", 8700, ""))
    transport = httpx.ASGITransport(app)
    yield httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700")
    runs.close()


def test_a_folder_of_runs_is_told_from_a_run(folder):
    assert is_folder_of_runs(folder)
    for other in (folder / "a", folder / "notes", folder / "a" / "rstar.db", folder / "nothing"):
        assert not is_folder_of_runs(other)


async def test_runs_are_listed_the_newest_first_and_a_broken_one_with_its_reason(client, folder):
    page = (await client.get("/api/folder")).json()
    names = [(run["name"], run["run"], run["status"]) for run in page["runs"]]
    assert names == [
        ("b", "second", "between rounds"),
        ("a", "first", "between rounds"),
        ("broken", "", ""),
    ]
    assert page["runs"][0]["policy"] == {"round": 0, "value": 0.75, "low": 0.0, "high": 1.0}
    assert "broken" in page["runs"][2]["problem"]


async def test_each_run_has_its_own_page_below_the_list(client):
    assert "js/runs.js" in (await client.get("/")).text
    assert "js/main.js" in (await client.get("/run/a/")).text
    assert (await client.get("/run/a/js/main.js")).status_code == 200
    told = (await client.get("/run/b/api/runs")).json()
    assert (told["newest"]["run"]["id"], told["in_folder"]) == ("second", True)
    assert (await client.get("/run/b/api/runs/second/recipe")).status_code == 200


@pytest.mark.parametrize("name", ["notes", "none", "broken", "%2e%2e", "a%2f..%2fb"])
async def test_what_is_no_run_of_the_folder_is_not_opened(client, name):
    assert (await client.get(f"/run/{name}/api/runs")).status_code == 404


async def test_runs_are_compared_on_the_problems_that_both_have(client):
    page = (await client.get("/api/comparison?runs=a/b")).json()
    assert [(one["run"], one["points"][0][1]) for one in page["series"]] == [
        ("a", 0.25),
        ("b", 0.75),
    ]
    (differences,) = [t for t in page["tables"] if t["title"] == "Compared with a"]
    assert differences["rows"][0][:4] == ["b", "policy", "0", "4"]
    assert differences["rows"][0][-1].startswith("+50.0")


@pytest.mark.parametrize("runs", ["", "a", "a/none", "a/" + "/".join("b" * 20)])
async def test_a_comparison_that_cannot_be_made_says_why(client, runs):
    answer = await client.get("/api/comparison", params={"runs": runs})
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_the_safety_headers_are_on_every_page(client):
    for path in ("/", "/api/folder", "/run/a/", "/run/none/", "/run/a/api/runs"):
        assert "default-src 'none'" in (await client.get(path)).headers["content-security-policy"]
    assert (await client.get("/", headers={"host": "evil.example"})).status_code == 421


def test_few_stores_are_open_at_once(folder, monkeypatch):
    monkeypatch.setattr(run_folders, "MAX_OPEN", 1)
    runs = RunFolders(folder, database_url)
    first = runs.store("a")
    assert runs.store("a") is first
    assert runs.compared("b")[0].name == "b"
    assert runs.store("a") is not first
    with pytest.raises(BadInput, match="no run"):
        runs.store("../a")
    runs.close()
