import pytest

from rstar_async.errors import BadInput
from rstar_async.models.registry import newest, prunable, rollback
from storage.records import ModelVersion


def model(name, number, parent=None, status="published"):
    kind = name.partition("-")[0]
    return ModelVersion(
        name, "run", kind, number, parent, f"/models/{name}", status, created_at=float(number)
    )


VERSIONS = [
    model("policy-0", 0),
    model("policy-1", 1, "policy-0"),
    model("ppm-1", 1, "policy-1"),
    model("policy-2", 2, "policy-0"),
    model("ppm-2", 2, "policy-2"),
    model("policy-3", 3, "policy-0"),
    model("ppm-3", 3, "policy-3"),
]


def standing(versions, changes):
    by_id = {change.model_id: change for change in changes}
    return [
        ModelVersion(
            *(v.id, v.run_id, v.kind, v.round, v.parent_id, v.path),
            status=by_id[v.id].status if v.id in by_id else v.status,
            created_at=v.created_at,
        )
        for v in versions
    ]


def test_going_back_withdraws_what_is_newer_as_pairs():
    changes = rollback(VERSIONS, "policy-1", "worse")
    assert {c.model_id: c.status for c in changes} == dict.fromkeys(
        ["policy-2", "policy-3", "ppm-2", "ppm-3"], "withdrawn"
    )
    after = standing(VERSIONS, changes)
    assert newest(after, "policy").id == "policy-1"
    assert newest(after, "ppm").id == "ppm-1"


def test_going_forward_again_restores_the_pair():
    back = standing(VERSIONS, rollback(VERSIONS, "policy-1", "worse"))
    after = standing(back, rollback(back, "policy-3", "not worse"))
    assert newest(after, "policy").id == "policy-3"
    assert newest(after, "ppm").id == "ppm-3"


def test_a_ppm_goes_back_alone():
    changes = rollback(VERSIONS, "ppm-2", "worse")
    assert [c.model_id for c in changes] == ["ppm-3"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [("nobody", "there is no model version nobody"), ("policy-9", "policy-9 was refused: bad")],
)
def test_one_cannot_go_back_to_what_is_not_there(wanted, says):
    refused = ModelVersion("policy-9", "run", "policy", 9, None, "", "refused", "bad")
    with pytest.raises(BadInput, match=says):
        rollback([*VERSIONS, refused], wanted, "")


def test_the_newest_the_base_and_what_a_round_uses_keep_their_weights():
    assert [v.id for v in prunable(VERSIONS, ["policy-2", None], keep=1)] == [
        "policy-1",
        "ppm-1",
        "ppm-2",
    ]
    assert prunable(VERSIONS, [], keep=3) == []
