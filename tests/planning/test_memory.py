from functools import partial

from rstar_async.config import (
    LoRAConfig,
    ModelConfig,
    PolicyConfig,
    PPMConfig,
    Recipe,
    TrainingConfig,
)
from rstar_async.planning.choosing import CARDS, MODELS, fits
from rstar_async.planning.memory import (
    disk,
    gib,
    policy_training,
    ppm_training,
    serving,
)
from rstar_async.planning.model_size import ModelSize

SMALL, LARGE = MODELS["0.5 B"], MODELS["7 B"]
ADAPTERS = LoRAConfig(rank=16)
LORA = Recipe(policy=PolicyConfig(lora=ADAPTERS), ppm=PPMConfig(lora=ADAPTERS))


def test_a_gpu_serves_in_half_the_bytes():
    cpu, gpu = (serving(LARGE, Recipe(), on_gpu=on_gpu, ppm=True) for on_gpu in (False, True))
    assert cpu - gpu == 2 * LARGE.parameters


def test_a_policy_on_a_cpu_may_hold_its_embeddings_twice():
    size = ModelSize(1000, 2, 4, 100)
    policy, ppm = (serving(size, Recipe(), on_gpu=False, ppm=ppm) for ppm in (False, True))
    assert policy - ppm == 4 * 4 * 100


def test_a_policy_in_8_bits_takes_a_quarter_and_its_embeddings_and_ppm_stay_as_they_are():
    size, recipe = ModelSize(1000, 2, 4, 100), Recipe(model=ModelConfig(dtype="int8"))
    in_8_bits = [serving(size, recipe, on_gpu=False, ppm=ppm) for ppm in (False, True)]
    plain = [serving(size, Recipe(), on_gpu=False, ppm=ppm) for ppm in (False, True)]
    assert plain[0] - in_8_bits[0] == 3 * (1000 - 4 * 100)
    assert plain[1] == in_8_bits[1]


def test_training_all_weights_takes_sixteen_bytes_a_parameter_and_lora_little_more_than_four():
    full, lora = (policy_training(LARGE, recipe, 600).weights for recipe in (Recipe(), LORA))
    assert full == 16 * LARGE.parameters
    assert 4 < lora / LARGE.parameters < 4.5
    assert ppm_training(LARGE, LORA).weights == lora


def test_bfloat16_weights_with_an_8_bit_optimiser_take_six_bytes_a_parameter():
    low = Recipe(training=TrainingConfig(weights="bfloat16", optimizer="adamw_8bit"))
    assert policy_training(LARGE, low, 600).weights == 6 * LARGE.parameters
    assert ppm_training(LARGE, low).weights == 6 * LARGE.parameters


def test_a_checkpoint_holds_what_is_trained_and_its_moments():
    none = Recipe(training=TrainingConfig(checkpoint_seconds=0))
    assert disk(LARGE, Recipe(), 0) - disk(LARGE, none, 0) == 12 * LARGE.parameters
    assert disk(LARGE, LORA, 0) - disk(LARGE, none, 0) < LARGE.parameters


def test_longer_and_more_solutions_at_once_take_more():
    one = Recipe(policy=PolicyConfig(micro_batch=1))
    short, long = (policy_training(SMALL, one, tokens).activations for tokens in (100, 200))
    assert long == 2 * short
    assert policy_training(SMALL, Recipe(), 100).activations == 8 * short


def test_on_a_cpu_activations_are_kept_unless_checkpointing_is_on():
    always = Recipe(training=TrainingConfig(gradient_checkpointing="on"))
    for training in (partial(policy_training, solution_tokens=100), ppm_training):
        gpu = training(SMALL, Recipe(), on_gpu=True).activations
        assert training(SMALL, Recipe(), on_gpu=False).activations > 1.5 * gpu
        assert training(SMALL, always, on_gpu=False).activations == gpu


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
