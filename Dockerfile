# Two images from one file: `light` for brokers, executors and the coordinator; `models` adds torch.
# No compiler, no pip cache and no root in either.

FROM python:3.11-slim-bookworm AS build-light
WORKDIR /src
RUN python -m venv /opt/rstar
ENV PATH=/opt/rstar/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY constraints.txt pyproject.toml ./
# What we need first, what we are last: a change of our code does not install everything again.
RUN python -c "import tomllib; \
    print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" >needs.txt \
    && pip install -c constraints.txt -r needs.txt
COPY README.md LICENSE ./
COPY rstar_async rstar_async
COPY brokers brokers
COPY workers workers
COPY storage storage
RUN pip install -c constraints.txt .

FROM build-light AS build-models
# CPU build of torch; for GPUs: --build-arg TORCH_INDEX=https://pypi.org/simple
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN torch=$(grep '^torch==' constraints.txt) \
    && { pip install --no-index --no-deps "$torch" \
         || pip install --index-url "$TORCH_INDEX" "$torch"; } \
    && pip install -c constraints.txt '.[train]'

FROM python:3.11-slim-bookworm AS base
RUN useradd --uid 1000 --create-home rstar \
    && install -d -o rstar -g rstar -m 700 /data /letters /keys /keys/broker /keys/coordinator \
       /keys/executor /keys/inference /keys/reward
COPY recipes /app/recipes
ENV PATH=/opt/rstar/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false
WORKDIR /app
USER 1000:1000

FROM base AS light
COPY --from=build-light /opt/rstar /opt/rstar

FROM base AS models
COPY --from=build-models /opt/rstar /opt/rstar
