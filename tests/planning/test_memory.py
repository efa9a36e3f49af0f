from rstar_async.config import LoRAConfig, PolicyConfig, PPMConfig, Recipe, TrainingConfig
from rstar_async.planning.choosing import CARDS, MODELS, fits
from rstar_async.planning.memory import (
    TRAINED,
    disk,
    gib,
    policy_training,
    ppm_training,
    serving,
)

SMALL, LARGE = MODELS["0.5 B"], MODELS["7 B"]
LORA = Recipe(policy=PolicyConfig(lora=LoRAConfig(rank=16)))


def test_a_gpu_serves_in_half_the_bytes():
    cpu, gpu = (serving(LARGE, Recipe(), on_gpu=on_gpu) for on_gpu in (False, True))
    assert cpu - gpu == 2 * LARGE.parameters


def test_training_all_weights_takes_sixteen_bytes_a_parameter_and_lora_little_more_than_four():
    full, lora = (policy_training(LARGE, recipe, 600).weights for recipe in (Recipe(), LORA))
    assert full == TRAINED * LARGE.parameters
    assert 4 < lora / LARGE.parameters < 4.5


def test_longer_and_more_solutions_at_once_take_more():
    one = Recipe(policy=PolicyConfig(micro_batch=1))
    short, long = (policy_training(SMALL, one, tokens).activations for tokens in (100, 200))
    assert long == 2 * short
    assert policy_training(SMALL, Recipe(), 100).activations == 8 * short


def test_the_ppm_takes_what_its_rows_are_long():
    short = Recipe(ppm=PPMConfig(max_tokens=1024))
    assert ppm_training(SMALL, short).total < ppm_training(SMALL, Recipe()).total


def test_disk_grows_with_the_versions_that_are_kept():
    five = Recipe(rounds=Recipe().rounds * 5)
    kept = Recipe(rounds=five.rounds, training=TrainingConfig(keep_versions=1))
    assert disk(SMALL, five, 0) - disk(SMALL, kept, 0) == 2 * 4 * 4 * SMALL.parameters
    assert disk(SMALL, five, 10**6) > disk(SMALL, five, 0)


def test_what_is_larger_than_a_card_does_not_fit_it():
    assert fits(23e9, CARDS[0]) == "no"  # a part is reserved
    assert fits(21e9, CARDS[0]) == "yes"
    assert [fits(120e9, card, shared=True) for card in CARDS] == ["no", "no", "yes"]


def test_amounts_are_written_in_the_fitting_unit():
    assert [gib(3 * 2**29), gib(310 * 2**20)] == ["1.5 GiB", "310 MiB"]
