"""Whatever stands in an address, the answer is a page, a refusal or not found, and never a bug."""

from urllib.parse import quote

import httpx
import msgspec
import pytest

from rstar_async.view import requests
from rstar_async.view.access import access_for
from rstar_async.view.app import build_app
from rstar_async.view.pools import PoolMonitor
from tests.view.generated import RUN

ODD = {
    "half a character": "%ED%A0%80",
    "NUL": "a%00b",
    "a turn of the writing": quote("\u202eabc"),
    "no UTF-8": "%FF%FE",
    "a line end": "0%0A",
    "an Arabic digit": quote("0.\u0661"),
    "a long text": "x" * 60_000,
    "2^63": str(2**63),
    "5,000 digits": "9" * 5_000,
    "below zero": "-1",
    "NaN": "nan",
    "infinity": "1e999",
    "quotes": quote("' OR 1=1 --"),
    "a deep path": "0" + ".1" * 10_000,
    "brackets": quote("[" * 5_000),
}
FIELDS = {
    f"/api/runs/{RUN}/problems": requests.ProblemsRequest,
    f"/api/runs/{RUN}/rounds/1/solutions": requests.SolutionsRequest,
    f"/api/runs/{RUN}/rounds/1/pairs": requests.PairsRequest,
    "/api/searches/large/tree": requests.TreeRequest,
    "/api/searches/large/statistics": requests.TreeRequest,
    "/api/searches/large/find": requests.FindRequest,
    "/api/searches/large/nodes/0/children": requests.ChildrenRequest,
}
PLACES = (
    "/api/runs/{}",
    "/api/runs/{}/facets",
    f"/api/runs/{RUN}/rounds/{{}}/tokens",
    "/api/searches/{}",
    "/api/searches/large/nodes/{}",
    "/{}",
)


@pytest.fixture
def session(store):
    app = build_app(store, PoolMonitor(None), access_for("127.0.0.1", 8700, ""))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8700")


def addresses(text):
    for path, kind in FIELDS.items():
        for field in msgspec.structs.fields(kind):
            yield f"{path}?{field.encode_name}={text}"
        yield f"{path}?{text}=1"
    yield from (place.format(text) for place in PLACES)


@pytest.mark.parametrize("odd", ODD)
async def test_every_parameter_of_every_page_takes_it(session, odd):
    async with session:
        for address in addresses(ODD[odd]):
            try:
                answer = await session.get(address)
            except httpx.InvalidURL:
                continue  # longer than any client sends
            assert answer.status_code in {200, 400, 404}, (address[:80], answer.text[:200])
            if answer.status_code == 400:
                assert 0 < len(answer.json()["error"]) < 300


def test_every_number_of_a_request_has_two_bounds():
    """What fits in no column of a database must not reach it."""
    for kind in {*FIELDS.values(), requests.RoundRequest, requests.NodeRequest}:
        described = msgspec.inspect.type_info(kind)
        for field in described.fields:
            types = getattr(field.type, "types", (field.type,))
            for one in types:
                if isinstance(one, msgspec.inspect.IntType):
                    assert None not in (one.ge, one.le), (kind, field.name)
