"""`python -m rstar_async.cli VERB`: the same as `rstar VERB`."""

from rstar_async.cli.main import main

raise SystemExit(main())
