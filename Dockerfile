# Two images from one file: `light` for everything that computes no tensors, `models` adds torch.
# No compiler, no pip cache and no root in either. Layers from what changes least to what changes
# most: packages, torch, our own code; both images share the packages, so the second costs torch only.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
# A named volume takes over owner and mode of the folder that it is mounted on.
RUN useradd --uid 1000 --create-home rstar \
    && install --directory --owner=rstar --group=rstar --mode=700 /data /letters /notices /keys \
       /keys/broker /keys/coordinator /keys/executor /keys/inference /keys/reward /keys/database
ENV PATH=/opt/rstar/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE \
    TOKENIZERS_PARALLELISM=false
WORKDIR /app

# What we need, without us: an empty project with the same requirements is installed and removed.
FROM base AS packages
RUN python -m venv --without-pip /opt/rstar
COPY constraints.txt pyproject.toml ./
RUN --mount=type=cache,target=/root/.cache/pip \
    touch README.md LICENSE \
    && pip --python /opt/rstar/bin/python install --constraint constraints.txt . \
    && pip --python /opt/rstar/bin/python uninstall --yes rstar-async \
    && find /opt/rstar -type d -name tests -prune -exec rm -r {} +

# We, without what we need.
FROM packages AS program
COPY README.md LICENSE ./
COPY rstar_async rstar_async
COPY brokers brokers
COPY workers workers
COPY storage storage
RUN --mount=type=cache,target=/root/.cache/pip \
    pip --python /opt/rstar/bin/python install --no-deps --prefix /program .

FROM base AS with-packages
COPY --from=packages /opt/rstar /opt/rstar

FROM with-packages AS with-torch
# The CPU build; for GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple. A wheel that pip finds
# locally is taken before either.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN --mount=type=cache,target=/root/.cache/pip \
    --mount=type=bind,source=constraints.txt,target=/tmp/from/constraints.txt \
    --mount=type=bind,source=pyproject.toml,target=/tmp/from/pyproject.toml \
    install="pip --python /opt/rstar/bin/python install" \
    && cd "$(mktemp -d)" && cp /tmp/from/*.t* . && touch README.md LICENSE \
    && torch=$(grep '^torch==' constraints.txt) \
    && { $install --no-index --no-deps "$torch" || $install --index-url "$TORCH_INDEX" "$torch"; } \
    && $install --constraint constraints.txt '.[train]' \
    && pip --python /opt/rstar/bin/python uninstall --yes rstar-async \
    && find /opt/rstar -type d -name tests -prune -exec rm -r {} + \
    && rm -rf "$PWD" /opt/rstar/lib/python3.*/site-packages/torch/include

FROM with-packages AS light
COPY --from=program /program /opt/rstar
COPY docker/make-secrets docker/serve-newest /usr/local/bin/
COPY recipes recipes
USER 1000:1000

FROM with-torch AS models
COPY --from=program /program /opt/rstar
COPY recipes recipes
USER 1000:1000
