"""The page without a browser: who may ask, what may be asked, what is answered."""

import httpx
import pytest

from rstar_async.view.access import access_for
from rstar_async.view.app import build_app
from rstar_async.view.pools import PoolMonitor
from tests.view.generated import RUN
from tests.view.hostile import ID, IMAGE

TOKEN = "a secret"


def client(store, *, host="127.0.0.1", token="", called="127.0.0.1:8700"):
    app = build_app(store, PoolMonitor(None), access_for(host, 8700, token))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{called}")


async def get(store, path, **options):
    async with client(store, **options) as session:
        return await session.get(path)


async def test_every_answer_carries_the_safety_headers(store):
    for path in ("/", "/js/main.js", "/api/runs", "/api/nothing", "/api/runs/x", "/nothing"):
        answer = await get(store, path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "require-trusted-types-for 'script'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in answer.headers


async def test_the_page_and_its_files_are_served(store):
    assert (await get(store, "/")).headers["content-type"].startswith("text/html")
    for path in ("/js/views/search.js", "/js/tree/map.js", "/css/all.css", "/icon.svg"):
        answer = await get(store, path)
        assert answer.status_code == 200
        assert len(answer.content) > 200
    same = {"if-none-match": answer.headers["etag"]}
    async with client(store) as session:
        assert (await session.get("/icon.svg", headers=same)).status_code == 304
    for path in (
        "/js",
        "/css/",
        "/../app.py",
        "/%2e%2e/app.py",
        "/js/../../app.py",
        "/js/%2e%2e/%2e%2e/app.py",
    ):
        assert (await get(store, path)).status_code == 404


@pytest.mark.parametrize(
    "called", ["evil.example", "127.0.0.1.evil.example", "169.254.1.1", "[::2]"]
)
async def test_a_foreign_host_name_is_refused(store, called):
    assert (await get(store, "/api/runs", called=f"{called}:8700")).status_code == 421


@pytest.mark.parametrize("called", ["localhost:9", "127.0.0.1", "[::1]:8700", "LOCALHOST:8700"])
async def test_the_names_of_loopback_are_welcome(store, called):
    assert (await get(store, "/api/runs", called=called)).status_code == 200


async def test_only_reading_is_allowed(store):
    async with client(store) as session:
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert (await session.request(method, "/api/runs")).status_code == 405


async def test_a_token_opens_the_page_once_and_a_cookie_from_then_on(store):
    async with client(store, host="0.0.0.0", token=TOKEN, called="10.1.2.3:8700") as session:
        for path in ("/", "/api/runs", "/js/main.js", "/?token=wrong"):
            assert (await session.get(path)).status_code == 401
        opened = await session.get("/", params={"token": TOKEN})
        assert (opened.status_code, opened.headers["location"]) == (303, "./")
        cookie = opened.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await session.get("/api/runs")).status_code == 200
        session.cookies.clear()
        bearer = {"authorization": f"Bearer {TOKEN}"}
        assert (await session.get("/api/runs", headers=bearer)).status_code == 200
        bad = {"authorization": "Bearer no", "cookie": "rstar_view_8700=no"}
        assert (await session.get("/api/runs", headers=bad)).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        f"/api/runs/{RUN}/problems?order=1;DROP",
        f"/api/runs/{RUN}/problems?limit=100000",
        f"/api/runs/{RUN}/problems?offset=-1",
        f"/api/runs/{RUN}/problems?unknown=1",
        f"/api/runs/{RUN}/problems?kind=a&kind=b",
        f"/api/runs/{RUN}/problems?run=other",
        f"/api/runs/{RUN}/rounds/one/pairs",
        "/api/searches/large/tree?after=0';--",
        "/api/searches/large/nodes/0.1.x",
        "/api/searches/large/find",
    ],
)
async def test_a_malformed_question_is_refused_with_a_reason(store, path):
    answer = await get(store, path)
    assert answer.status_code == 400
    assert answer.json()["error"]


async def test_quotes_and_wildcards_are_only_text(store):
    for text in ("' OR 1=1 --", "%", "_", "\\", '"'):
        found = await get(store, f"/api/runs/{RUN}/problems?text={httpx.QueryParams(t=text)['t']}")
        assert found.status_code in {200, 400}
    async with client(store) as session:
        asked = {"text": "' OR '1'='1"}
        assert (await session.get(f"/api/runs/{RUN}/problems", params=asked)).json()["total"] == 0
        percent = await session.get(f"/api/runs/{RUN}/problems", params={"text": "100%"})
        assert percent.json()["total"] == 0


async def test_what_is_not_there_is_not_found(store):
    for path in ("runs/none", "searches/none", "searches/large/nodes/0.9999", "nothing"):
        assert (await get(store, f"/api/{path}")).status_code == 404


async def test_half_characters_are_told_as_replacements(store):
    page = (await get(store, f"/api/searches/{ID}/nodes/0.1")).json()
    assert IMAGE in page["node"]["text"]
    assert "half\ufffd turned" in page["node"]["text"]
    assert "null\x00 bell" in page["node"]["text"]
    assert page["node"]["seed"] == str(2**62)


async def test_a_large_tree_comes_in_pages(store):
    seen, after = [], ""
    while True:
        page = (await get(store, f"/api/searches/large/tree?after={after}&limit=2000")).json()
        assert len(page["nodes"]) <= 2000
        seen += [node["path"] for node in page["nodes"]]
        if not (after := page["after"]):
            break
    assert len(seen) == len(set(seen)) >= 10_000
    places = {path: place for place, path in enumerate(seen)}
    parents = ((path.rpartition(".")[0], path) for path in seen if path != "0")
    assert all(places[parent] < places[path] for parent, path in parents)


async def test_long_texts_are_cut_and_say_so(store, monkeypatch):
    monkeypatch.setattr("rstar_async.view.responses.MAX_CHARACTERS", 10)
    node = (await get(store, "/api/searches/large/nodes/0.1")).json()["node"]
    assert len(node["text"]) == 10
    assert node["cut"] == ["text"]


async def test_solutions_come_best_first_one_a_problem(store):
    page = (await get(store, f"/api/runs/{RUN}/rounds/1/solutions?limit=50")).json()
    values = [each["answer"]["mean_q"] for each in page["solutions"]]
    assert values == sorted(values, reverse=True)
    problems = [each["answer"]["problem_id"] for each in page["solutions"]]
    assert len(problems) == len(set(problems)) == page["total"]
    worst = await get(
        store, f"/api/runs/{RUN}/rounds/1/solutions?limit=1&order=worst&correct=false"
    )
    assert worst.json()["solutions"][0]["steps"][-1]["correct"] is False


async def test_pairs_show_what_both_ways_share(store):
    page = (await get(store, f"/api/runs/{RUN}/rounds/1/pairs?limit=5")).json()
    for pair in page["pairs"]:
        assert pair["chosen"][-1]["path"] == pair["pair"]["chosen_path"]
        assert pair["rejected"][-1]["path"] == pair["pair"]["rejected_path"]
        assert len(pair["shared"]) == pair["chosen"][0]["depth"] - 1


async def test_the_first_answer_holds_the_newest_run(store):
    told = (await get(store, "/api/runs")).json()
    assert [run["id"] for run in told["runs"]] == [RUN]
    assert told["newest"] == (await get(store, f"/api/runs/{RUN}")).json()


async def test_without_a_run_folder_there_are_no_pools(store):
    pools = (await get(store, "/api/pools")).json()
    assert pools["running"] is False
    assert "folder of a run" in pools["reason"]
    assert (await get(store, "/api/trainings")).json() == []
